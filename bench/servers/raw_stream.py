"""(a) with events: an ASGI callable that sends 50 constant events, one message each."""

from __future__ import annotations

from typing import Any

from bench.servers import constants

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8")]


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - the signature of ASGI
    """Stream the constant events to every request."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    for event in constants.STREAM:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
