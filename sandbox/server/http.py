"""The few pieces of HTTP that the whole server shares: what a request is, and how one response is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson
from starlette.types import Scope, Send

from sandbox.errors import ApiError, InvalidRequest

Headers = Mapping[bytes, bytes]

CONTROL = "/_sandbox"

# In the scope: headers that go on every answer to the request, whoever gives it.
ADDED = "sandbox.added_headers"
# In the scope: what `headers_of` and `is_control` found.
_HEADERS = "sandbox.headers"
_IS_CONTROL = "sandbox.is_control"

_UNDER = CONTROL + "/"
_CONTROL_RAW, _UNDER_RAW = CONTROL.encode(), _UNDER.encode()

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


def is_control(scope: Scope) -> bool:
    """Say whether a request is for the control API, however its path is spelled."""
    known: bool | None = scope.get(_IS_CONTROL)
    if known is None:
        path, raw = scope["path"], scope.get("raw_path") or b""
        # Most paths begin in another way.
        known = (path.startswith(CONTROL) or raw.startswith(_CONTROL_RAW)) and (
            path.startswith(_UNDER) or path == CONTROL or raw.startswith(_UNDER_RAW) or raw == _CONTROL_RAW
        )
        scope[_IS_CONTROL] = known
    return known


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


def best_match(accept: bytes, offered: Sequence[str]) -> str:
    """Return the media type that an `Accept` prefers (RFC 9110, 12.5.1); the first where none is better or accepted."""
    # Of a range that is named twice, the first counts.
    weights = dict(map(_parse_range, reversed(accept.decode("latin-1").lower().split(","))))

    def weight(media_type: str) -> float:
        """Return the weight that the narrowest fitting range gives."""
        ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
        return next((weights[name] for name in ranges if name in weights), 0.0)

    return max(offered, key=weight)


def _parse_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter.removeprefix("q="))
            except ValueError:
                return name, 0.0
    return name, 1.0
