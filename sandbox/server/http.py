"""The few pieces of HTTP that everything on the wire shares: headers in, one JSON answer out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
from starlette.types import Scope, Send

from sandbox.errors import ApiError, InvalidRequest

Headers = Mapping[bytes, bytes]

# In the scope: headers that go on every answer to the request, whoever gives it.
ADDED = "sandbox.added_headers"
_HEADERS = "sandbox.headers"

BODILESS = frozenset({204, 205, 304})


def headers_of(scope: Scope) -> Headers:
    """Return the request's headers by lower-case name; one that came twice has both values, joined by a comma."""
    known: Headers | None = scope.get(_HEADERS)
    if known is not None:
        return known
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    scope[_HEADERS] = headers
    return headers


def is_preflight(scope: Scope) -> bool:
    """Say whether a request only asks whether a browser may send another one."""
    if scope["method"] != "OPTIONS":
        return False
    return {b"origin", b"access-control-request-method"} <= headers_of(scope).keys()


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
    """Send one whole answer; a status that has no body is sent without."""
    described: list[tuple[bytes, bytes]] = []
    if status in BODILESS:
        body = b""
    else:
        described = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    start = [*described, (b"x-content-type-options", b"nosniff"), *headers]
    # The recorder takes a whole answer at once; what stands before it, such as a fault, takes it in messages.
    whole = getattr(send, "whole", None)
    if whole is None:
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": body})
    else:
        await whole(status, start, body)


async def send_error(send: Send, error: ApiError, validation_status: int = 422) -> None:
    """Send an error in the API's envelope."""
    status = validation_status if isinstance(error, InvalidRequest) else error.status
    own = {name.encode(): value.encode() for name, value in error.headers.items()}
    content_type = own.pop(b"content-type", b"application/json")
    await send_bytes(send, status, orjson.dumps(error.envelope()), content_type=content_type, headers=own.items())
