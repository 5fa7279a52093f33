"""HTTP by hand: what well-behaved clients refuse to send, and connections that are looked at closely."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

from tests.conftest import KEY, Server

# Long enough for a busy machine; nothing waits for it unless the server lost a request.
TIMEOUT = 60


@dataclass(frozen=True)
class Answer:
    """One answer, as `tests.support.errors` likes it."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


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
        self._reader = _Reader(connection.makefile("rb", buffering=0))

    def send(self, *pieces: bytes) -> None:
        """Send bytes; a server that has answered already may have closed its end, which is its right."""
        with suppress(ConnectionError):
            for piece in pieces:
                self.socket.sendall(piece)

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer whole."""
        response = HTTPResponse(cast("socket.socket", self._reader), method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def close(self) -> None:
        """Hang up."""
        self._reader.raw.close()
        self.socket.close()

    def still_answers(self) -> bool:
        """Say whether the same connection serves another request."""
        self.send(head("GET", "/_sandbox/health"))
        return self.answer("GET").status_code == 200


@contextmanager
def open_connection(server: Server) -> Iterator[RawConnection]:
    """Open a connection to a server for one block."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=TIMEOUT) as connection:
        wire = RawConnection(connection)
        try:
            yield wire
        finally:
            wire.close()


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
