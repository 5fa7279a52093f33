"""The few pieces of HTTP that everything on the wire shares: headers in, one JSON answer out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.types import Scope, Send

from sandbox.errors import ApiError, InvalidRequest

Headers = Mapping[bytes, bytes]


def headers_of(scope: Scope) -> Headers:
    """Return the request's headers by lower-case name; one that came twice has both values, joined by a comma."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def raw_path(scope: Scope) -> bytes:
    """Return the path as it was sent, without the query."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return path


async def send_bytes(
    send: Send,
    status: int,
    body: bytes,
    *,
    content_type: bytes = b"application/json",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Send one whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                (b"x-content-type-options", b"nosniff"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: Any) -> None:
    """Send one whole answer with a JSON body."""
    await send_bytes(send, status, orjson.dumps(value))


async def send_error(send: Send, error: ApiError, validation_status: int = 422) -> None:
    """Send an error in the API's envelope."""
    status = validation_status if isinstance(error, InvalidRequest) else error.status
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send_bytes(send, status, orjson.dumps(error.envelope()), headers=headers)
