"""HTTP by hand: what well-behaved clients refuse to send, and connections that are looked at closely."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from typing import cast
from urllib.parse import urlsplit

from tests.support.answer import Answer
from tests.support.constants import KEY

# Long enough for a busy machine; nothing waits for it unless the server lost a request.
TIMEOUT = 60


class _Reader(io.BufferedReader):
    """Reads one connection answer by answer: what belongs to the next one waits."""

    def makefile(self, mode: str) -> _Reader:
        """Do as a socket does for `HTTPResponse`."""
        assert mode == "rb"
        return self

    def close(self) -> None:
        """Stay open: an answer that is read to its end closes its file."""


class RawConnection:
    """One connection to a server."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.received = b""
        self._reader = _Reader(connection.makefile("rb", buffering=0))

    def send(self, *pieces: bytes) -> None:
        """Send bytes; a server that has answered already may have closed its end, which is its right."""
        with suppress(ConnectionError):
            for piece in pieces:
                self.socket.sendall(piece)

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer, all of it; what comes behind it waits for the next call."""
        response = HTTPResponse(cast("socket.socket", self._reader), method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, [response.read()], is_complete=True)

    def read_until(self, mark: bytes) -> bytes:
        """Read until `mark` came; return everything so far."""
        while mark not in self.received:
            piece = self._reader.read1()
            assert piece, f"the connection ended without {mark!r}: {self.received[-200:]!r}"
            self.received += piece
        return self.received

    def read_to_end(self) -> Answer:
        """Read until the server closes the connection; the answer may have been cut off."""
        self.received += self._reader.read()
        head, _, body = self.received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        if headers.get("transfer-encoding") == "chunked":
            chunks, is_complete = list(_chunks(body)), body.endswith(b"\r\n0\r\n\r\n")
        else:
            chunks, is_complete = [body], len(body) == int(headers["content-length"])
        return Answer(int(status.split()[1]), headers, chunks, is_complete)

    def close(self) -> None:
        """Hang up."""
        self._reader.raw.close()
        self.socket.close()

    def still_answers(self) -> bool:
        """Say whether the same connection serves another request."""
        self.send(head("GET", "/_sandbox/health"))
        return self.answer("GET").status_code == 200


@contextmanager
def open_connection(url: str) -> Iterator[RawConnection]:
    """Open a connection to the server at a URL for one block."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=TIMEOUT) as connection:
        wire = RawConnection(connection)
        try:
            yield wire
        finally:
            wire.close()


@contextmanager
def post(url: str, path: str, body: object) -> Iterator[RawConnection]:
    """Post JSON on a connection that the server is to close after its answer, for one block."""
    json_body = json.dumps(body).encode()
    with open_connection(url) as connection:
        connection.send(full_request("POST", path, json_body, "Content-Type: application/json", "Connection: close"))
        yield connection


def head(method: str, path: str, *headers: str, version: str = "1.1") -> bytes:
    """Return the head of a request, with a key and a host."""
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", f"Authorization: Bearer {KEY}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def full_request(method: str, path: str, body: bytes, *headers: str, version: str = "1.1") -> bytes:
    """Return a request with its body."""
    return head(method, path, f"Content-Length: {len(body)}", *headers, version=version) + body


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a body in chunks, for a request that doesn't say how long it is."""
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _chunks(body: bytes) -> Iterator[bytes]:
    """Yield the chunks of a body, the last one maybe cut."""
    while body:
        size, _, body = body.partition(b"\r\n")
        yield body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
