"""Stream what happens as it happens, and say that the server is up (docs/control.md, Events)."""

from __future__ import annotations

from typing import Any

from sandbox.apps.events import LiveEvent, Subscription
from sandbox.contract import encode
from sandbox.control.serialization import serialize_redacted
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.webhooks import serialize_delivery

# Queued events go out together, up to about so many bytes.
MAX_CHUNK_BYTES = 64 * 1024


async def events(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Stream the events of one app, or of all."""
    return _SubscriptionStream(await services.events.listen(request.query.get("app_id")), services)


async def health(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say that the server is up and its store in reach, and how its last save went where it saves."""
    await services.registry.check()
    store = services.registry.store
    health: dict[str, Any] = {"status": "ok", "sandbox": True, "version": services.version, "store": store}
    if services.data_file:
        last_save = services.data_file.last_save
        health["data"] = {"saved_at": last_save and last_save.at, "problem": services.data_file.last_error}
    return health


class _SubscriptionStream:
    """The events of one subscription, as server-sent events."""

    def __init__(self, subscription: Subscription, services: ControlServices) -> None:
        self._subscription = subscription
        self._services = services

    async def next(self) -> bytes:
        event: LiveEvent | None = await self._subscription.next()
        chunk = b""
        while event:
            chunk += event.encode(self._serialize)
            event = self._subscription.next_ready() if len(chunk) < MAX_CHUNK_BYTES else None
        return chunk

    def _serialize(self, kind: str, data: Any) -> bytes:
        if kind == "request":
            data = serialize_redacted(data, self._services)
        elif kind == "delivery":
            data = serialize_delivery(data, self._services)
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(data))

    def close(self) -> None:
        self._services.events.unsubscribe(self._subscription)
