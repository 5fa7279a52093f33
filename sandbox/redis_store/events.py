"""The live events of all workers, whichever of them a client listens at."""

from __future__ import annotations

from typing import Any

from orjson import Fragment

from sandbox.apps.events import EventBus, LiveEvent, Subscription
from sandbox.contract import encode
from sandbox.redis_store.hub import Hub
from sandbox.redis_store.values import pack_delivery, unpack_delivery, unpack_record


class RedisEventBus(EventBus):
    """An `EventBus` through Redis: what a worker publishes, the listeners of all get, its own too."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(lambda _: lambda: None)
        self._hub = hub

    def publish(self, kind: str, app_id: str | None, data: Any) -> None:
        if kind == "state":
            # All workers, as what they know of the app may be of before.
            self._hub.tell("state", app_id, data["change"])
        self._hub.emit(kind, app_id, Fragment(pack_delivery(data)) if kind == "delivery" else data)

    async def listen(self, app_id: str | None) -> Subscription:
        is_first = not self._subscriptions
        subscription = self.subscribe(app_id)
        if is_first:
            await self._hub.listen(self._push)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        super().unsubscribe(subscription)
        if not self._subscriptions:
            self._hub.unlisten(self._push)

    def _push(self, kind: str, app_id: str | None, data: Any) -> None:
        if kind == "request":
            data = unpack_record(encode(data))
        elif kind == "delivery":
            data = unpack_delivery(encode(data))
        if kind != "step":
            event = LiveEvent(kind, app_id, data)
            for subscription in self._subscriptions:
                subscription.push(event)
