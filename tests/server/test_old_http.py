"""HTTP/1.0 knows no chunks (RFC 9112, 6.1): a body of unknown length ends with the connection, or a reset."""

from __future__ import annotations

import socket

import pytest

from tests.support.raw_connection import RawConnection, full_request, head
from tests.support.sse import parse

COMPLETIONS = "/v1/apps/app_old/completions"


def asked(wire: RawConnection, prompt: str, *headers: str, version: str = "1.0") -> tuple[bytes, bytes]:
    """Ask for a stream and return its head and its body, up to the end of the connection."""
    body = b'{"stream": true, "prompt": "%b"}' % prompt.encode()
    wire.send(full_request("POST", COMPLETIONS, body, *headers, version=version))
    first, _, rest = everything(wire.socket).partition(b"\r\n\r\n")
    return first.lower(), rest


def everything(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("headers", [(), ("Connection: keep-alive",)])
@pytest.mark.parametrize("version", ["1.0", "0.9"])
def test_a_stream_to_an_old_client_has_no_chunk_sizes(
    wire: RawConnection, headers: tuple[str, ...], version: str
) -> None:
    first, body = asked(wire, "hello", *headers, version=version)
    assert b"transfer-encoding" not in first
    assert b"connection: close" in first
    assert body.startswith(b"event: response.created\n")
    assert parse(body)[-1].name == "response.completed"


def test_a_stream_that_breaks_off_ends_by_a_reset(wire: RawConnection) -> None:
    with pytest.raises(ConnectionResetError):
        asked(wire, "hello [[cut]]")


def test_live_events_end_with_the_connection_too(wire: RawConnection) -> None:
    wire.send(head("GET", "/_sandbox/events", version="1.0"))
    answer = b""
    while b"listening" not in answer:
        answer += wire.socket.recv(1_000)
    assert answer.endswith(b"\r\n\r\n: listening\n\n")


def test_an_old_client_is_not_asked_to_go_on(wire: RawConnection) -> None:
    wire.send(
        head("POST", COMPLETIONS, "Content-Length: 15", "Expect: 100-continue", version="1.0"), b'{"prompt": "p"}'
    )
    assert everything(wire.socket).startswith(b"HTTP/1.1 200 ")


def test_an_answer_of_known_length_is_as_ever(wire: RawConnection) -> None:
    wire.send(head("GET", "/v1/apps/app_old/config", version="1.0"))
    answer = wire.answer("GET")
    assert (answer.json()["app_id"], answer.headers["connection"]) == ("app_old", "close")
