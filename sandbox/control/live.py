"""What happens, as it happens: requests, and changes of state (CONTROL.md, Events)."""

from __future__ import annotations

from typing import Any

from sandbox.control.entries import shown
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.state.bus import Listener


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
    """One listener's events, in the form in which they are shown."""

    def __init__(self, listener: Listener, on: ControlServices) -> None:
        self._listener = listener
        self._on = on

    async def next(self) -> tuple[str, Any]:
        happening = await self._listener.next()
        data = shown(happening.data, self._on) if happening.kind == "request" else happening.data
        return happening.kind, data

    def leave(self) -> None:
        self._on.bus.leave(self._listener)
