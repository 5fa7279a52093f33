"""Publish live events to subscribers; a slow one loses some, and is told how many (docs/control.md, Events)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox.apps.request_record import RequestRecord
from sandbox.errors import StoreFull

MAX_SUBSCRIBERS, MAX_QUEUED_EVENTS = 100, 1_000
# About how many bytes a subscription's queue may hold on to; one event is queued however large.
MAX_QUEUED_BYTES = 4 * 1024**2
# What an event, and each chunk of an answer, costs beside its bytes.
EVENT_BYTES, CHUNK_BYTES = 500, 150


class LiveEvent:
    """Something that happened to an app: `kind` is `request`, `delivery`, `state` or `lagged`.

    All subscribers share it, and its encoded form. `size` is about how many bytes it holds.
    """

    __slots__ = ("_encoded", "app_id", "data", "kind", "size")

    def __init__(self, kind: str, app_id: str | None, data: Any) -> None:
        self.kind = kind
        self.app_id = app_id
        self.data = data
        self.size = _size_of(data)
        self._encoded: bytes | None = None

    def encode(self, serialize: Callable[[str, Any], bytes]) -> bytes:
        """Return what `serialize` makes of kind and data; it is called once, for all subscribers."""
        if self._encoded is None:
            self._encoded, self.data = serialize(self.kind, self.data), None
        return self._encoded


def _size_of(data: Any) -> int:
    if not isinstance(data, RequestRecord):
        return EVENT_BYTES + len(getattr(data, "body", b""))
    headers = sum(len(name) + len(value) for name, value in (*data.headers, *data.response_headers))
    answer = sum(CHUNK_BYTES + len(chunk) for _, chunk in data.chunks)
    return EVENT_BYTES + len(data.path) + len(data.query) + headers + len(data.body) + answer


class Subscription:
    """The queue of one subscriber: the events of an app (None: of all) since it subscribed."""

    def __init__(self, app_id: str | None) -> None:
        self._app_id = app_id
        self._queue: deque[LiveEvent] = deque()
        self._size = 0
        self._dropped = 0
        self._is_ready = asyncio.Event()

    def push(self, event: LiveEvent) -> None:
        """Queue an event, if it is about the subscriber's app."""
        for_all = event.kind == "state" and event.app_id is None
        if not for_all and self._app_id not in (None, event.app_id):
            return
        # Where a gap is, one place is kept for the event that says so.
        too_many = len(self._queue) >= MAX_QUEUED_EVENTS - bool(self._dropped)
        if too_many or (self._queue and self._size + event.size > MAX_QUEUED_BYTES):
            self._dropped += 1
        else:
            if self._dropped:
                self._append(self._take_gap())
            self._append(event)
        self._is_ready.set()

    async def next(self) -> LiveEvent:
        """Wait for the next event; in place of a gap comes one that says how many are missing."""
        while not self._queue and not self._dropped:
            self._is_ready.clear()
            await self._is_ready.wait()
        event = self.next_ready()
        assert event is not None  # noqa: S101 - there is one now
        return event

    def next_ready(self) -> LiveEvent | None:
        """Return the next event that is queued already, None if there is none."""
        if self._queue:
            event = self._queue.popleft()
            self._size -= event.size
            return event
        return self._take_gap() if self._dropped else None

    def _append(self, event: LiveEvent) -> None:
        self._queue.append(event)
        self._size += event.size

    def _take_gap(self) -> LiveEvent:
        dropped, self._dropped = self._dropped, 0
        return LiveEvent("lagged", None, {"dropped": dropped})


class EventBus:
    """Publishes events to all subscribers.

    `subscribe` is the journal's: the bus is subscribed to that only while it has subscribers of its own.
    """

    def __init__(self, subscribe: Callable[[Callable[[RequestRecord], None]], Callable[[], None]]) -> None:
        self._subscribe_to_journal = subscribe
        self._unsubscribe_from_journal: Callable[[], None] | None = None
        self._subscriptions: set[Subscription] = set()

    def publish(self, kind: str, app_id: str | None, data: Any) -> None:
        """Queue an event for every subscriber."""
        if self._subscriptions:
            event = LiveEvent(kind, app_id, data)
            for subscription in self._subscriptions:
                subscription.push(event)

    async def listen(self, app_id: str | None) -> Subscription:
        """Subscribe; what happens from now on comes, wherever it does.

        Raises:
            StoreFull: there are too many subscribers.
        """
        return self.subscribe(app_id)

    def subscribe(self, app_id: str | None) -> Subscription:
        """Begin to queue events of one app, or of all (None).

        Raises:
            StoreFull: there are too many subscribers.
        """
        if len(self._subscriptions) >= MAX_SUBSCRIBERS:
            raise StoreFull(f"At most {MAX_SUBSCRIBERS} listeners at once; close one first.")
        if self._unsubscribe_from_journal is None:
            self._unsubscribe_from_journal = self._subscribe_to_journal(
                lambda record: self.publish("request", record.app_id, record)
            )
        subscription = Subscription(app_id)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._subscriptions.discard(subscription)
        if not self._subscriptions and self._unsubscribe_from_journal:
            self._unsubscribe_from_journal()
            self._unsubscribe_from_journal = None
