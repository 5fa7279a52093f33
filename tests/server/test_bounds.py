"""What one connection sends has bounds in size, number and time, and comes to no answer but its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from sandbox.server.protocol import bound_handshakes
from tests.support.errors import assert_error
from tests.support.processes import Server, serving
from tests.support.raw_connection import TIMEOUT, RawConnection, chunked, full_request, head, open_connection

APP = "/v1/apps/app_bounds"
CREATE = f"{APP}/conversations"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def hasty() -> Iterator[Server]:
    """A server that waits a second for everything."""
    with serving("--header-timeout", "1", "--idle-timeout", "1", "--quiet") as running:
        yield running


# Each row: a head that never ends, and what comes for ever.
ENDLESS = {
    "empty headers": (b"GET / HTTP/1.1\r\n", b"a:\r\n"),
    "a header": (b"GET / HTTP/1.1\r\nX-Long: ", b"x" * 1_000),
    "the name of a header": (b"GET / HTTP/1.1\r\n", b"x" * 1_000),
    "a target": (b"GET /", b"x" * 1_000),
    "blank lines": (b"", b"\r\n" * 500),
    "trailers": (head("POST", CREATE, "Transfer-Encoding: chunked") + b"0\r\n", b"a: b\r\n"),
    "a trailer": (head("POST", CREATE, "Transfer-Encoding: chunked") + b"0\r\na: ", b"x" * 1_000),
    "the extension of a chunk": (head("POST", CREATE, "Transfer-Encoding: chunked") + b"1;a=", b"x" * 1_000),
}


@pytest.mark.parametrize(("start", "more"), ENDLESS.values(), ids=ENDLESS)
def test_what_is_said_of_a_body_has_an_end(wire: RawConnection, start: bytes, more: bytes) -> None:
    wire.send(start, more * (MIB // len(more)))
    assert_error(wire.answer("GET"), 431, "invalid_request_error")


def test_a_request_may_have_two_hundred_headers_and_no_more(wire: RawConnection) -> None:
    wire.send(head("GET", f"{APP}/config", *["X: y"] * 198))
    assert wire.answer("GET").status_code == 200
    wire.send(head("GET", f"{APP}/config", *["X: y"] * 199))
    assert "200 headers" in wire.answer("GET").json()["error"]["message"]


def test_trailers_are_no_headers_of_this_request_nor_of_the_next(wire: RawConnection) -> None:
    path = "/v1/apps/app_trailers/conversations"
    trailers = b"Sandbox-Fault: status; status=503\r\nX-Trailer: yes\r\n\r\n"
    sent = b"".join(chunked([b"{}"])).removesuffix(b"\r\n") + trailers
    wire.send(head("POST", path, "Transfer-Encoding: chunked") + sent + head("GET", path))
    assert [wire.answer("POST").status_code, wire.answer("GET").status_code] == [200, 200]
    wire.send(head("GET", "/_sandbox/requests?app_id=app_trailers"))
    entries = wire.answer("GET").json()["data"]
    assert [entry for entry in entries if "x-trailer" in entry["headers"]] == []


def test_an_answer_comes_before_the_refusal_of_what_follows_it(wire: RawConnection) -> None:
    wire.send(head("POST", CREATE, "Content-Length: 2") + b"{}, and more than was said\r\n\r\n")
    assert wire.answer().json()["object"] == "conversation"
    assert_error(wire.answer(), 400, "invalid_request_error")
    assert wire.socket.recv(1) == b""


def test_so_do_the_answers_to_all_before_a_broken_body(wire: RawConnection) -> None:
    broken = head("POST", CREATE, "Transfer-Encoding: chunked") + b"zz\r\n"
    wire.send(full_request("POST", CREATE, b"{}") * 3 + broken)
    assert [wire.answer().status_code for _ in range(4)] == [200, 200, 200, 400]


def test_who_pipelines_and_reads_nothing_is_read_no_further(server: Server) -> None:
    before = memory(server)
    with open_connection(server.url) as greedy:
        greedy.socket.settimeout(1)
        many = head("GET", f"{APP}/config") * 1_000
        with pytest.raises(TimeoutError):
            greedy.socket.sendall(many * 1_000)
        assert memory(server) - before < 40 * MIB


def test_all_that_is_pipelined_is_answered_in_order(wire: RawConnection) -> None:
    titles = [str(number) for number in range(1_000)]
    wire.send(b"".join(full_request("POST", CREATE, b'{"title":"%b"}' % title.encode()) for title in titles))
    assert [wire.answer().json()["title"] for _ in titles] == titles


def memory(server: Server) -> int:
    """Return the bytes that a server's process has in memory."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc, to see the memory of another process")
    (kib,) = (row.split()[1] for row in status.read_text().splitlines() if row.startswith("VmRSS"))
    return int(kib) * 1024


# Each row: what is sent before the client falls silent, and what comes before the connection is closed.
SILENT = {
    "nothing": (b"", b""),
    "blank lines": (b"\r\n\r\n", b""),
    "a part of a head": (b"GET / HTTP/1.1\r\n", b"HTTP/1.1 408 "),
    "a part of a body": (head("POST", CREATE, "Content-Length: 10") + b"{", b""),
    "a request": (head("GET", f"{APP}/config"), b"HTTP/1.1 200 "),
    "a request and a blank line": (head("GET", f"{APP}/config") + b"\r\n", b"HTTP/1.1 200 "),
    "a body that nobody waits for": (
        head("POST", "/_sandbox/health", f"Content-Length: {MIB}") + b" " * 1_000,
        b"HTTP/1.1 405 ",
    ),
}


def falls_silent(url: str, sent: bytes, comes: bytes) -> None:
    with open_connection(url) as silent:
        silent.send(sent)
        said = b"".join(iter(lambda: silent.socket.recv(65_536), b""))
    assert said.startswith(comes)
    assert bool(said) == bool(comes)


def sends_a_head_in_drips(url: str, before: bytes) -> None:
    with open_connection(url) as wire:
        if before:
            wire.send(before)
            wire.answer("GET")
        wire.socket.settimeout(0.1)
        for drip in b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 500:
            wire.send(bytes([drip]))
            try:
                assert wire.socket.recv(9) == b"HTTP/1.1 "
                break
            except TimeoutError:
                continue
        assert wire.socket.recv(3) == b"408"


def waits_for_an_answer(url: str) -> None:
    """As long as it takes."""
    slow = b'{"prompt": "[[slow 1500]] hello"}'
    with open_connection(url) as wire:
        wire.send(full_request("POST", f"{APP}/completions", slow) + b"GET / HT")
        assert wire.answer().status_code == 200
        assert wire.answer("GET").status_code == 408


def is_left_though_others_are_served(url: str) -> None:
    with open_connection(url) as silent, open_connection(url) as other:
        while not closed(silent.socket):
            assert other.still_answers()


def test_who_is_slow_is_left(hasty: Server, subtests: pytest.Subtests) -> None:
    """All of them at once: each waits for a second."""
    checks: dict[str, Callable[[str], None]] = {
        **{
            f"falls silent after {name}": partial(falls_silent, sent=sent, comes=comes)
            for name, (sent, comes) in SILENT.items()
        },
        "a head in drips": partial(sends_a_head_in_drips, before=b""),
        "a head in drips on a kept connection": partial(sends_a_head_in_drips, before=head("GET", f"{APP}/config")),
        "who waits for an answer may wait": waits_for_an_answer,
        "others are served meanwhile": is_left_though_others_are_served,
    }
    with ThreadPoolExecutor(len(checks)) as pool:
        running = {name: pool.submit(check, hasty.url) for name, check in checks.items()}
    for name, outcome in running.items():
        with subtests.test(name):
            outcome.result()


def test_a_handshake_that_never_comes_is_left() -> None:
    async def silent() -> bytes:
        loop = asyncio.get_running_loop()
        bound_handshakes(loop, 0.1)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        async with await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=tls) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            async with asyncio.timeout(TIMEOUT):
                said = await reader.read()
            writer.close()
            return said

    assert asyncio.run(silent()) == b""


def closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
