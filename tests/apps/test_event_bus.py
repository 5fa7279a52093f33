"""The event bus by itself: who gets which events, and what a slow subscriber is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.apps.events import MAX_QUEUED_EVENTS, MAX_SUBSCRIBERS, EventBus, LiveEvent, Subscription
from sandbox.apps.journal import Journal
from sandbox.errors import StoreFull
from tests.support.journal_entries import add, entry


def new_bus() -> EventBus:
    return EventBus(Journal(lambda app_id: f"req_{app_id}_").subscribe)


async def receive(subscription: Subscription, count: int) -> list[LiveEvent]:
    return [await subscription.next() for _ in range(count)]


def publish(bus: EventBus, *numbers: int, app_id: str | None = "app_a") -> None:
    for number in numbers:
        bus.publish("request", app_id, number)


def test_a_listener_waits_for_what_has_not_happened_yet() -> None:
    async def scene() -> LiveEvent:
        bus = new_bus()
        subscription = bus.subscribe(None)
        waiting = asyncio.ensure_future(subscription.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        publish(bus, 1)
        return await waiting

    assert asyncio.run(scene()).data == 1


def test_before_it_listens_and_after_it_left_it_hears_nothing() -> None:
    bus = new_bus()
    publish(bus, 1)
    subscription = bus.subscribe(None)
    publish(bus, 2)
    bus.unsubscribe(subscription)
    publish(bus, 3)
    assert [each.data for each in asyncio.run(receive(subscription, 1))] == [2]


def test_one_that_is_too_slow_is_told_how_much_it_missed() -> None:
    bus = new_bus()
    slow, quick = bus.subscribe(None), bus.subscribe("app_b")
    publish(bus, *range(MAX_QUEUED_EVENTS + 5))
    *first, lagged = asyncio.run(receive(slow, MAX_QUEUED_EVENTS + 1))
    assert [each.data for each in first] == list(range(1_000))
    assert (lagged.kind, lagged.data) == ("lagged", {"dropped": 5})
    publish(bus, 7, app_id="app_b")
    assert asyncio.run(receive(quick, 1))[0].data == 7


def test_the_gap_is_told_where_it_is() -> None:
    """What comes after a gap is told after it, though there was room for it before the gap was told."""
    bus = new_bus()
    subscription = bus.subscribe(None)
    publish(bus, *range(MAX_QUEUED_EVENTS + 5))
    asyncio.run(receive(subscription, 10))
    publish(bus, 5_000)
    seen = asyncio.run(receive(subscription, MAX_QUEUED_EVENTS - 10 + 2))
    assert [each.kind for each in seen[-2:]] == ["lagged", "request"]


def test_a_gap_is_told_once() -> None:
    bus = new_bus()
    subscription = bus.subscribe(None)
    publish(bus, *range(MAX_QUEUED_EVENTS + 1))
    asyncio.run(receive(subscription, MAX_QUEUED_EVENTS + 1))
    publish(bus, 1)
    assert asyncio.run(receive(subscription, 1))[0].kind == "request"


# Each row: where a request can hold a megabyte.
LARGE: dict[str, dict[str, Any]] = {
    "body": {"body": bytes(1_000_000)},
    "answer": {"response_body": bytes(1_000_000)},
    "stream": {"response_pieces": [(0.0, bytes(50))] * 5_000},
    "headers": {"headers": [(b"x", bytes(1_000_000))]},
    "path": {"path": bytes(1_000_000)},
}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
def test_one_that_does_not_read_holds_on_to_four_megabytes(large: dict[str, Any]) -> None:
    bus = new_bus()
    subscription = bus.subscribe(None)
    for _ in range(50):
        bus.publish("request", "app_a", entry(**large))
    *kept, lagged = asyncio.run(receive(subscription, 5))
    assert [each.kind for each in kept] == ["request"] * 4
    assert (lagged.kind, lagged.data) == ("lagged", {"dropped": 46})
    publish(bus, 1)
    assert asyncio.run(receive(subscription, 1))[0].data == 1


def test_an_event_is_queued_however_large() -> None:
    bus = new_bus()
    subscription = bus.subscribe(None)
    bus.publish("request", "app_a", entry(body=bytes(10_000_000)))
    assert asyncio.run(receive(subscription, 1))[0].kind == "request"


def test_what_many_hear_is_written_once_and_for_nobody_not_at_all() -> None:
    bus, calls = new_bus(), list[Any]()

    def write(kind: str, data: Any) -> bytes:
        calls.append(data)
        return b"%b %d" % (kind.encode(), data)

    publish(bus, 1)
    subscriptions = [bus.subscribe(None) for _ in range(MAX_SUBSCRIBERS)]
    publish(bus, 2)
    assert calls == []
    assert {asyncio.run(subscription.next()).encode(write) for subscription in subscriptions} == {b"request 2"}
    assert calls == [2]


def test_a_hundred_listen_at_most() -> None:
    bus = new_bus()
    subscriptions = [bus.subscribe(None) for _ in range(MAX_SUBSCRIBERS)]
    with pytest.raises(StoreFull, match="100"):
        bus.subscribe(None)
    bus.unsubscribe(subscriptions[0])
    bus.unsubscribe(subscriptions[0])
    bus.subscribe(None)
    assert MAX_SUBSCRIBERS == 100


def test_of_the_journal_it_hears_what_is_added_while_it_listens() -> None:
    journal = Journal(lambda app_id: f"req_{app_id}_")
    bus = EventBus(journal.subscribe)
    add(journal.no_app, entry(id="before"))
    first, second = bus.subscribe(None), bus.subscribe(None)
    bus.unsubscribe(second)
    add(journal.no_app, entry(id="meanwhile"))
    bus.unsubscribe(first)
    add(journal.no_app, entry(id="after"))
    third = bus.subscribe(None)
    add(journal.no_app, entry(id="again"))
    assert [each.data.id for subscription in (first, third) for each in asyncio.run(receive(subscription, 1))] == [
        "meanwhile",
        "again",
    ]
