"""Send a request again, byte for byte as far as the connection lets it, and read as much as the client once read."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple

from sandbox.replay.bundle import RecordedRequest, RecordedResponse

# They belong to the connection, or name the server.
_LEFT_OUT = frozenset({"host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive"})
# The longest that the sandbox lets a response wait, and some more, in seconds.
_TIMEOUT = 660.0


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


def send_request(request: RecordedRequest, address: Address) -> RecordedResponse:
    """Send a request and return what came; a client that went away goes away again, at the same place."""
    recorded = request.response
    leaves = recorded.ended == "client_gone"
    with socket.create_connection(address, timeout=_TIMEOUT) as connection:
        # A server that refuses a body early may close before all of it is sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(_encode(request, address))
        connection.settimeout(max(request.duration_ms / 1000, 0.01) if leaves else _TIMEOUT)
        response = HTTPResponse(connection, method=request.method)
        try:
            response.begin()
        except (OSError, HTTPException):
            return RecordedResponse(status=None, headers=(), body=b"", ended=recorded.ended if leaves else "cut")
        body, is_broken = _read_body(response, len(recorded.body) if leaves else None)
    return RecordedResponse(
        status=response.status,
        headers=[(name.lower(), value) for name, value in response.getheaders()],
        body=body,
        ended=recorded.ended if leaves else "cut" if is_broken else "complete",
    )


def call_control(method: str, path: str, body: Any, address: Address) -> str | None:
    """Make a call of the control API; return what was wrong with it, or None."""
    connection = HTTPConnection(*address, timeout=_TIMEOUT)
    try:
        raw = None if body is None else json.dumps(body).encode()
        connection.request(method, path, raw, {"Content-Type": "application/json"} if raw else {})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    return None if response.status < 300 else f"{response.status} {content.decode('utf-8', 'replace')}"


def _encode(request: RecordedRequest, address: Address) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", f"host: {address.host}:{address.port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers if name.lower() not in _LEFT_OUT]
    if request.body or any(name.lower() in ("content-length", "transfer-encoding") for name, _ in request.headers):
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + request.body


def _read_body(response: HTTPResponse, max_bytes: int | None) -> tuple[bytes, bool]:
    """Read a body to its end, to where it breaks or to so many bytes; return it, and whether it broke off."""
    body = bytearray()
    is_broken = False
    try:
        while (max_bytes is None or len(body) < max_bytes) and (piece := response.read1(65_536)):
            body += piece
    except (OSError, HTTPException):
        is_broken = True
    # A body of a promised length that ends early is no error to `read1`.
    is_broken = is_broken or bool(response.length)
    response.close()
    return bytes(body), is_broken
