"""What happens, as it happens: requests, webhooks, and changes of state (CONTROL.md, Events)."""

from __future__ import annotations

from typing import Any

from sandbox.apps.events import Happening, Listener
from sandbox.contract import encode
from sandbox.control.entries import shown
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.control.webhooks import shown_delivery

# So many bytes of events that wait go out as one piece.
MOST_TOGETHER = 64 * 1024


async def control_events(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Stream what happens, to one app or to all."""
    return _Live(on.bus.listen(call.query.get("app_id")), on)


async def control_health(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Say that the server is up, and how its last save went where it saves."""
    health: dict[str, Any] = {"status": "ok", "sandbox": True, "version": on.version, "store": "memory"}
    if on.keeper:
        health["data"] = {"saved_at": on.keeper.saved and on.keeper.saved.at, "problem": on.keeper.problem}
    return health


class _Live:
    """One listener's events, as server-sent events."""

    def __init__(self, listener: Listener, on: ControlServices) -> None:
        self._listener = listener
        self._on = on

    async def next(self) -> bytes:
        happening: Happening | None = await self._listener.next()
        text = b""
        while happening:
            text += happening.written(self._write)
            happening = self._listener.next_at_once() if len(text) < MOST_TOGETHER else None
        return text

    def _write(self, kind: str, data: Any) -> bytes:
        if kind == "request":
            data = shown(data, self._on)
        elif kind == "delivery":
            data = shown_delivery(data, self._on)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(data))

    def leave(self) -> None:
        self._on.bus.leave(self._listener)
