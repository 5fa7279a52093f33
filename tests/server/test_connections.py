"""A real server on a real socket: no answer is lost, whatever comes in, and the next request is served as ever."""

from __future__ import annotations

import json

import pytest

from tests.server.test_hostile_bodies import REFUSED
from tests.support.errors import assert_error
from tests.support.processes import Server
from tests.support.raw_connection import RawConnection, chunked, full_request, head, open_connection

MIB = 1024 * 1024
CREATE = "/v1/apps/app_connections/conversations"
LARGE = 20 * MIB


@pytest.mark.clause("4.3")
@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_a_hostile_body_leaves_the_connection_in_use(wire: RawConnection, content: bytes, code: str | None) -> None:
    wire.send(full_request("POST", CREATE, content))
    assert_error(wire.answer(), 422, "invalid_request_error", **({"code": code} if code else {}))
    assert wire.still_answers()


@pytest.mark.clause("4.3")
def test_the_client_sees_that_its_body_is_too_large(wire: RawConnection) -> None:
    wire.send(full_request("POST", CREATE, b" " * LARGE))
    assert_error(wire.answer(), 413, "payload_too_large")


@pytest.mark.clause("4.3")
def test_so_does_one_that_does_not_say_how_much_comes(wire: RawConnection) -> None:
    wire.send(head("POST", CREATE, "Transfer-Encoding: chunked"), *chunked([b" " * 65_536] * (LARGE // 65_536)))
    assert_error(wire.answer(), 413, "payload_too_large")


@pytest.mark.clause("4.3")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_so_does_one_that_closes_the_connection(wire: RawConnection, version: str) -> None:
    wire.send(full_request("POST", CREATE, b" " * LARGE, "Connection: close", version=version))
    assert_error(wire.answer(), 413, "payload_too_large")


@pytest.mark.clause("4.3")
def test_after_a_body_that_is_too_large_the_connection_is_closed_or_clean(wire: RawConnection) -> None:
    wire.send(full_request("POST", CREATE, b" " * LARGE))
    closed = wire.answer().headers.get("connection") == "close"
    assert closed or wire.still_answers()


@pytest.mark.clause("4.3")
def test_one_that_asks_first_need_not_send(wire: RawConnection) -> None:
    wire.send(head("POST", CREATE, f"Content-Length: {LARGE}", "Expect: 100-continue"))
    answer = wire.answer()
    assert_error(answer, 413, "payload_too_large")
    # What comes next, the body or another request, nobody could tell.
    assert answer.headers["connection"] == "close"


def test_one_that_asks_first_is_told_to_go_on(wire: RawConnection) -> None:
    wire.send(head("POST", CREATE, "Content-Length: 2", "Expect: 100-continue"))
    assert wire.socket.recv(1_000).startswith(b"HTTP/1.1 100 ")
    wire.send(b"{}")
    assert wire.answer().status_code == 200


@pytest.mark.clause("4.11", "4.1")
@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/nothing", 404, "not_found"),
        ("/v1/apps/app_missing/completions", 404, "not_found"),
        ("/", 405, "method_not_allowed"),
    ],
)
def test_a_body_that_nobody_reads_does_not_hide_the_answer(
    wire: RawConnection, path: str, status: int, kind: str
) -> None:
    wire.send(full_request("POST", path, b" " * LARGE))
    assert_error(wire.answer(), status, kind)


def test_a_body_in_single_bytes_is_a_body(wire: RawConnection) -> None:
    body = b'{"title": "\xc3\xa9"}'
    wire.send(head("POST", CREATE, "Transfer-Encoding: chunked"), *chunked([body[i : i + 1] for i in range(len(body))]))
    assert wire.answer().json()["title"] == "\u00e9"


def test_who_hangs_up_in_the_middle_of_a_body_harms_nobody(server: Server) -> None:
    with open_connection(server.url) as short:
        short.send(head("POST", CREATE, "Content-Length: 1000"), b'{"title":')
    with open_connection(server.url) as other:
        assert other.still_answers()


@pytest.mark.clause("5.6")
def test_half_a_body_creates_nothing(server: Server) -> None:
    path = "/v1/apps/app_half/conversations"
    with open_connection(server.url) as short:
        short.send(head("POST", path, "Content-Length: 1000"), b"{}")
    with open_connection(server.url) as other:
        other.send(head("GET", "/v1/apps/app_half/metrics"))
        assert other.answer("GET").json()["total_conversations"] == 0


@pytest.mark.clause("4.6")
def test_head_has_no_body_and_the_methods(wire: RawConnection) -> None:
    wire.send(head("HEAD", "/v1/apps/app_x/config"))
    answer = wire.answer("HEAD")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET", b"")
    assert wire.still_answers()


@pytest.mark.clause("4.5")
@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("a%2Fb", "a/b"),
        ("%2F", "/"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("%252F", "%2F"),
        ("..", ".."),
        ("%00", "\x00"),
        ("%F0%9F%98%80", "\U0001f600"),
        ("a;b=c,d", "a;b=c,d"),
    ],
)
def test_a_user_id_survives_the_wire(wire: RawConnection, path: str, user: str) -> None:
    app = "/v1/apps/app_wire_users"
    wire.send(full_request("POST", f"{app}/conversations", b'{"external_user_id": %b}' % json.dumps(user).encode()))
    created = wire.answer().json()
    wire.send(head("GET", f"{app}/users/{path}/conversations"))
    assert wire.answer("GET").json()["data"][0] == created


@pytest.mark.clause("4.5")
def test_the_target_may_be_a_whole_url(wire: RawConnection) -> None:
    wire.send(head("GET", "http://127.0.0.1/v1/apps/app%5Fx/config?x=1"))
    assert wire.answer("GET").json()["app_id"] == "app_x"


# Each row: what is not HTTP.
NOT_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "raw bytes in the target": b"GET /v1/apps/caf\xc3\xa9/config HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a space in the target": b"GET /v1/apps/a b/config HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a negative length": b"POST /v1/apps/a/conversations HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": head("POST", CREATE, "Content-Length: 1", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a broken chunk": head("POST", CREATE, "Transfer-Encoding: chunked") + b"zz\r\n",
    "two equal lengths": head("POST", CREATE, "Content-Length: 2", "Content-Length: 2") + b"{}",
    "a space before the colon": head("POST", CREATE, "Content-Length : 2") + b"{}",
    "a header in two lines": head("POST", CREATE, "X-Folded: one", " two", "Content-Length: 2") + b"{}",
    "lines that end in LF alone": head("GET", CREATE).replace(b"\r\n", b"\n"),
    "a coding before the chunks that isn't one": head("POST", CREATE, "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "a length in the trailers": head("POST", CREATE, "Transfer-Encoding: chunked") + b"0\r\nContent-Length: 9\r\n\r\n",
}


@pytest.mark.clause("4.11")
def test_what_is_not_http_is_400_and_no_harm(server: Server, subtests: pytest.Subtests) -> None:
    for name, sent in NOT_HTTP.items():
        with subtests.test(name):
            with open_connection(server.url) as broken:
                broken.send(sent)
                assert_error(broken.answer("GET"), 400, "invalid_request_error")
            with open_connection(server.url) as other:
                assert other.still_answers()
