"""Reads what a server really puts on the wire: status line, headers, chunks and whether the answer has its end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.conftest import KEY
from tests.support.sse import Event, parse


@dataclass(frozen=True)
class Raw:
    """One answer as it came, up to the end of the connection."""

    status: int
    headers: dict[str, str]
    sent: bytes

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding") == "chunked"

    @property
    def body(self) -> bytes:
        """The body without its framing, as much of it as came."""
        return b"".join(_chunks(self.sent)) if self.chunked else self.sent

    @property
    def has_end(self) -> bool:
        """Whether the wire says that the answer is whole: the last chunk, or all that `Content-Length` promised."""
        if self.chunked:
            return self.sent.endswith(b"\r\n0\r\n\r\n")
        return len(self.sent) == int(self.headers["content-length"])

    @property
    def events(self) -> list[Event]:
        return parse(self.body)


class Connection:
    """A connection to the server that has sent one request."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.received = b""

    def until(self, mark: bytes) -> bytes:
        """Read until `mark` came; return everything so far."""
        while mark not in self.received:
            piece = self._link.recv(65_536)
            assert piece, f"the connection ended without {mark!r}: {self.received[-200:]!r}"
            self.received += piece
        return self.received

    def whole(self) -> Raw:
        """Read until the server closes the connection."""
        while piece := self._link.recv(65_536):
            self.received += piece
        head, _, sent = self.received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return Raw(int(status.split()[1]), headers, sent)


@contextmanager
def asking(url: str, path: str, body: object) -> Iterator[Connection]:
    """Post a body; the connection is the caller's until the block ends."""
    raw = json.dumps(body).encode()
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=30) as link:
        link.sendall(head.encode() + raw)
        yield Connection(link)


def _chunks(sent: bytes) -> Iterator[bytes]:
    while sent:
        size, _, sent = sent.partition(b"\r\n")
        yield sent[: int(size, 16)]
        sent = sent[int(size, 16) + 2 :]
