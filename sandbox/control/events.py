"""What happens, as it happens: requests, webhooks, and changes of state (docs/control.md, Events)."""

from __future__ import annotations

from typing import Any

from sandbox.apps.events import Happening, Listener
from sandbox.contract import encode
from sandbox.control.serialization import serialize_redacted
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.webhooks import serialize_delivery

# So many bytes of events that wait go out as one piece.
MOST_TOGETHER = 64 * 1024


async def events(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Stream what happens, to one app or to all."""
    return _Live(services.events.listen(request.query.get("app_id")), services)


async def health(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say that the server is up, and how its last save went where it saves."""
    health: dict[str, Any] = {"status": "ok", "sandbox": True, "version": services.version, "store": "memory"}
    if services.data_file:
        last_save = services.data_file.last_save
        health["data"] = {"saved_at": last_save and last_save.at, "problem": services.data_file.last_error}
    return health


class _Live:
    """One listener's events, as server-sent events."""

    def __init__(self, listener: Listener, services: ControlServices) -> None:
        self._listener = listener
        self._services = services

    async def next(self) -> bytes:
        happening: Happening | None = await self._listener.next()
        text = b""
        while happening:
            text += happening.written(self._write)
            happening = self._listener.next_at_once() if len(text) < MOST_TOGETHER else None
        return text

    def _write(self, kind: str, data: Any) -> bytes:
        if kind == "request":
            data = serialize_redacted(data, self._services)
        elif kind == "delivery":
            data = serialize_delivery(data, self._services)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(data))

    def close(self) -> None:
        self._services.events.leave(self._listener)
