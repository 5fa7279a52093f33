"""(a) The fastest baseline: an ASGI callable that sends constant bytes."""

from __future__ import annotations

from typing import Any

from bench.servers import constants

_HEADERS = [(b"content-type", b"application/json")]


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - the signature of ASGI
    """Answer the constant that stands at this depth of the path."""
    body = _body(scope["method"], scope["path"])
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [*_HEADERS, (b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _body(method: str, path: str) -> bytes:
    if path.endswith("/config"):
        return constants.CONFIG
    if path.endswith("/conversations"):
        return constants.CONVERSATION if method == "POST" else constants.LIST
    return constants.RESPONSE if method == "POST" else constants.DETAIL
