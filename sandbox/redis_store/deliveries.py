"""The webhooks of an app in Redis: one worker sends them, and another goes on where that one ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sandbox.apps.app import App
from sandbox.apps.deliveries import AppDeliveries, Delivery
from sandbox.apps.limits import Usage
from sandbox.apps.registry import AppRegistry
from sandbox.clock import monotonic
from sandbox.redis_store.shared import SharedStore
from sandbox.redis_store.values import pack_delivery, unpack_delivery

# For so long a worker sends an app's webhooks without saying so again, in ms; seconds between two looks.
LEASE_MS = 5_000
_LOOK_AGAIN = 1.0


class RedisDeliveries(AppDeliveries):
    """An app's deliveries with the worker that sends them; each change goes to Redis, for others to read."""

    __slots__ = ("_changed", "_hooks", "_id", "_store")

    def __init__(self, usage: Usage, app_id: str, store: SharedStore) -> None:
        super().__init__(usage)
        self._id = app_id
        self._hooks = store.keys.of_webhooks(app_id)[0]
        self._store = store
        self._changed: dict[int, Delivery | None] = {}

    def put(self, delivery: Delivery) -> None:
        super().put(delivery)
        self._note(delivery.number, delivery)

    def _drop(self, delivery: Delivery) -> None:
        super()._drop(delivery)
        self._note(delivery.number, None)

    def clear(self) -> None:
        super().clear()
        self._changed.clear()

    def load(self, deliveries: Sequence[Delivery]) -> None:
        """Take over what another worker had, oldest first."""
        self.clear()
        for delivery in sorted(deliveries, key=lambda each: each.number):
            super().put(delivery)

    async def settle(self) -> None:
        while self._changed:
            changed, self._changed = self._changed, {}
            kept = [(number, pack_delivery(each)) for number, each in changed.items() if each]
            gone = [number for number, each in changed.items() if each is None]
            client, sending = self._store.client, self._store.keys.sending
            if kept:
                await client.set_fields(self._hooks, *(part for pair in kept for part in pair))
            if gone:
                await client.delete_fields(self._hooks, *gone)
            await (client.add if self.count_waiting() else client.remove)(sending, self._id)

    def _note(self, number: int, delivery: Delivery | None) -> None:
        self._changed[number] = delivery
        if len(self._changed) == 1:
            self._store.hub.run(self.settle())


class Perform(Protocol):
    """Does a step with deliveries of an app."""

    def __call__(self, app: App, step: str, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Return them as they are then."""
        ...


class RedisSenders:
    """Which worker sends the webhooks of which app.

    Args:
        store: where it is kept.
        registry: the apps of this worker.
        perform: does a step that another worker hands over.
        resume: goes on with a delivery that waits, where its sender ended.
    """

    def __init__(
        self, store: SharedStore, registry: AppRegistry, perform: Perform, resume: Callable[[App, Delivery], None]
    ) -> None:
        self._registry = registry
        self._store = store
        self._perform = perform
        self._resume = resume
        # The apps that this worker sends for, and who sends for others, as last seen.
        self._own: dict[str, App] = {}
        self._senders: dict[str, str] = {}
        self._next_look = 0.0
        store.hub.handle("webhooks", self._take_over)

    async def claim(self, app: App, gone: str = "") -> bool:
        """Say whether this worker sends the webhooks of an app; where nobody does, or one that is `gone`, it begins."""
        client, (hooks, sender) = self._store.client, self._store.keys.of_webhooks(app.id)
        found = await client.call("claim", (sender,), self._store.hub.id, LEASE_MS, gone)
        self._senders[app.id] = found.decode()
        if self._senders[app.id] != self._store.hub.id:
            if self._own.pop(app.id, None):
                app.deliveries.clear()
            return False
        if app.id not in self._own:
            deliveries = [unpack_delivery(packed) for _, packed in await client.hash(hooks)]
            assert isinstance(app.deliveries, RedisDeliveries)  # noqa: S101 - there are no others here
            app.deliveries.load(deliveries)
            self._own[app.id] = app
            for delivery in deliveries:
                if delivery.state == "waiting":
                    self._resume(app, delivery)
        return True

    async def hand_over(self, app: App, step: str, deliveries: Sequence[Delivery]) -> Sequence[Delivery] | None:
        """Let the worker that sends the webhooks do a step; None where it is gone, and this one sends them now."""
        sender = self._senders[app.id]
        packed = [pack_delivery(delivery).decode() for delivery in deliveries]
        answers = await self._store.hub.ask("webhooks", app.id, step, packed, of=sender)
        if answers and answers[0] is not None:
            return [unpack_delivery(text) for text in answers[0]]
        await self.claim(app, gone=sender)
        return None

    async def read(self, app_id: str | None) -> Sequence[Delivery]:
        """Return the deliveries of an app, or of all, newest first."""
        ids = await self._registry.ids() if app_id is None else [app_id]
        found = [await self._store.client.hash(self._store.keys.of_webhooks(each)[0]) for each in ids]
        deliveries = [unpack_delivery(packed) for each in found for _, packed in each]
        return sorted(deliveries, key=lambda delivery: -delivery.number)

    def poll(self) -> None:
        """Now and then say that this worker still sends, and look for what nobody sends any more."""
        if monotonic() >= self._next_look:
            self._next_look = monotonic() + _LOOK_AGAIN
            self._store.hub.run(self._look())

    async def _look(self) -> None:
        for app in list(self._own.values()):
            if app.deliveries.count_waiting():
                await self.claim(app)
            else:
                del self._own[app.id]
                app.deliveries.clear()
        for app_id in await self._store.client.members(self._store.keys.sending):
            if app_id not in self._own and (waiting := await self._registry.get(app_id)):
                await self.claim(waiting)

    async def _take_over(self, app_id: str, step: str, packed: list[str]) -> list[str] | None:
        app = await self._registry.get(app_id)
        if app is None or not await self.claim(app):
            return None
        deliveries = self._perform(app, step, [unpack_delivery(text) for text in packed])
        await app.deliveries.settle()
        return [pack_delivery(delivery).decode() for delivery in deliveries]
