"""Sends a request again, byte for byte as far as the connection lets it, and hears the answer to where it was heard."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple

from sandbox.replay.bundle import Answer, Asked, Headers

# They belong to the connection, or name the server.
_LEFT_OUT = frozenset({"host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive"})
# The longest that the sandbox lets an answer wait, and some more.
_LONGEST = 660.0


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


@dataclass(slots=True)
class _Heard:
    """What has come so far."""

    status: int | None
    headers: Headers
    body: bytearray
    broken: bool = False


def send(asked: Asked, address: Address) -> Answer:
    """Send a request and return what came; a client that went away goes away again, at the same place."""
    leaves = asked.answer.ended == "client_gone"
    patience = max(asked.duration_ms / 1000, 0.01) if leaves else _LONGEST
    with socket.create_connection(address, timeout=_LONGEST) as connection:
        # A server that refuses a body early may close before all of it is sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(_written(asked, address))
        connection.settimeout(patience)
        heard = _hear(connection, asked, len(asked.answer.body) if leaves else None)
    ended = asked.answer.ended if leaves else "cut" if heard.broken else "complete"
    return Answer(status=heard.status, headers=heard.headers, body=bytes(heard.body), ended=ended)


def control(method: str, path: str, body: Any, address: Address) -> str | None:
    """Make a call of the control API; return what was wrong with it, or None."""
    connection = HTTPConnection(*address, timeout=_LONGEST)
    try:
        raw = None if body is None else json.dumps(body).encode()
        connection.request(method, path, raw, {"Content-Type": "application/json"} if raw else {})
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    return None if answer.status < 300 else f"{answer.status} {said.decode('utf-8', 'replace')}"


def _written(asked: Asked, address: Address) -> bytes:
    lines = [f"{asked.method} {asked.target} HTTP/1.1", f"host: {address.host}:{address.port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in asked.headers if name.lower() not in _LEFT_OUT]
    if asked.body or any(name.lower() in ("content-length", "transfer-encoding") for name, _ in asked.headers):
        lines.append(f"content-length: {len(asked.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + asked.body


def _hear(connection: socket.socket, asked: Asked, most: int | None) -> _Heard:
    """Read an answer to its end, or to where it breaks; of a client that leaves, no more than it read."""
    answer = HTTPResponse(connection, method=asked.method)
    try:
        answer.begin()
    except (OSError, HTTPException):
        return _Heard(None, (), bytearray(), broken=True)
    headers = [(name.lower(), value) for name, value in answer.getheaders()]
    heard = _Heard(answer.status, headers, bytearray())
    try:
        while (most is None or len(heard.body) < most) and (piece := answer.read1(65_536)):
            heard.body += piece
    except (OSError, HTTPException):
        heard.broken = True
    # An answer of a promised length that ends early is no error to `read1`.
    heard.broken = heard.broken or bool(answer.length)
    answer.close()
    return heard
