"""Two servers on one store: each step happens once, whichever of them does it, and each sees what the other did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app_settings import RateLimit
from sandbox.apps.app import App
from sandbox.apps.memory import MemoryConversations
from sandbox.apps.records import Conversation, Item, PageRequest
from sandbox.errors import StoreFull
from sandbox.redis_store.values import pack_position, pack_user
from sandbox.rng import SeedScope
from tests.apps.stores import Store

T = TypeVar("T")


def pair(store: Store) -> tuple[App, App]:
    """Return the same app of two servers."""
    one, other = store.registry().find("app_a"), store.registry().find("app_a")
    return one, other


def together(store: Store, work: Iterable[Awaitable[T]]) -> list[T]:
    async def gather() -> list[T]:
        return await asyncio.gather(*work)

    return store.now(gather())


def record(number: int) -> Conversation:
    return Conversation(id=f"id_{number}", number=number, created_at=0)


def item(number: int, position: int) -> Item:
    return Item("user", b'"%d/%d"' % (number, position))


def test_each_conversation_has_a_number_of_its_own(shared: Store) -> None:
    apps = pair(shared)

    made = together(shared, [app.conversations.create(record) for _ in range(20) for app in apps])

    assert sorted(conversation.number for conversation in made) == list(range(1, 41))
    assert len(shared.now(apps[0].conversations.page(PageRequest(50))).rows) == 40


def test_no_message_is_lost_and_each_has_a_place_of_its_own(shared: Store) -> None:
    apps = pair(shared)
    shared.now(apps[0].conversations.create(record))

    together(shared, [app.conversations.append_message("id_1", item) for _ in range(20) for app in apps])
    together(shared, [app.conversations.append_reply("id_1", lambda at: item(1, at)) for _ in range(5) for app in apps])

    transcript = shared.now(apps[1].conversations.transcript("id_1"))
    assert transcript is not None
    assert list(transcript.items) == [item(1, position) for position in range(50)]


@pytest.mark.parametrize("times", [1, 7])
def test_a_fault_acts_exactly_as_often_as_it_says(shared: Store, times: int) -> None:
    one, other = pair(shared)
    shared.now(one.faults.add({"kind": "reset", "times": times, "skip": 2}))
    shared.now(other.refresh())

    taken = together(shared, [app.faults.take(lambda _: True) for _ in range(10) for app in (one, other)])

    assert sorted(rule.used for rule in taken if rule) == list(range(1, times + 1))
    shared.now(one.refresh())
    assert one.faults.is_empty


def test_replies_are_taken_in_their_order(shared: Store) -> None:
    one, other = pair(shared)
    for number in range(6):
        shared.now((one, other)[number % 2].replies.add({"text": f"{number}"}))

    taken = [shared.now((other, one)[number % 2].replies.take(lambda _: True)) for number in range(6)]

    assert [rule.fields["text"] for rule in taken if rule] == ["0", "1", "2", "3", "4", "5"]
    assert len({rule.id for rule in taken if rule}) == 6


def test_a_rate_limit_holds_for_both(shared: Store) -> None:
    limit = RateLimit(per_minute=5, per_day=9)
    first = together(shared, [app.rate_limit.consume(limit, 0) for _ in range(5) for app in pair(shared)])
    second = together(shared, [app.rate_limit.consume(limit, 60) for _ in range(5) for app in pair(shared)])

    assert sorted(first, key=str) == [60] * 5 + [None] * 5
    assert sorted(second, key=str) == [86_400 - 60] * 6 + [None] * 4


def test_numbers_are_counted_for_both(shared: Store) -> None:
    apps = pair(shared)
    drawn = together(shared, [app.next_number("completion") for _ in range(10) for app in apps])
    assert sorted(drawn) == list(range(1, 21))


def test_each_sees_what_the_other_set(shared: Store) -> None:
    one, other = pair(shared)
    shared.now(one.override({"stream": True, "agent": {"name": "Zoé"}}))
    shared.now(one.set_clock(1.5))

    shared.now(other.refresh())

    assert (other.settings.stream, other.settings.agent.name, other.frozen_at) == (True, "Zoé", 1.5)
    assert other.overrides == one.overrides
    shared.now(other.set_clock(None))
    shared.now(one.refresh())
    assert (one.frozen_at, one.settings.stream) == (None, True)


def test_each_sees_that_the_other_began_anew(shared: Store) -> None:
    one, other = pair(shared)
    shared.now(one.override({"stream": True}))
    shared.now(one.conversations.create(record))
    shared.now(other.refresh())

    shared.now(other.reset())
    shared.now(one.refresh())

    assert (one.is_stored, one.is_ready, one.settings.stream) == (False, False, False)
    assert shared.now(one.conversations.create(record)).number == 1


def test_an_app_goes_on_where_it_was_whatever_seed_its_next_server_has(shared: Store) -> None:
    one, other = pair(shared)
    snapshot = shared.now(one.snapshot())
    moved = SeedScope("9", "app_elsewhere")
    taken_from = MemoryConversations.from_snapshot(snapshot)
    shared.now(one.restore(type(snapshot)(origin=moved, counters={"completion": 4}), taken_from))

    shared.now(other.refresh())

    assert other.origin == moved
    assert shared.now(other.next_number("completion")) == 5


def test_both_together_keep_no_more_apps_than_may_be(shared: Store) -> None:
    one, other = shared.registry(max_apps=1), shared.registry(max_apps=1)
    shared.now(one.find("app_a").set_clock(1))

    with pytest.raises(StoreFull, match="max-apps"):
        shared.now(other.find("app_b").set_clock(1))

    shared.now(other.find("app_a").set_clock(2))
    assert shared.now(one.ids()) == ["app_a", "app_declared"]


def test_a_reset_of_all_reaches_the_apps_that_the_other_made(shared: Store) -> None:
    one, other = shared.registry(), shared.registry()
    for name in ("app_a", "app_b"):
        shared.now(one.find(name).conversations.create(record))

    shared.now(other.delete_all())

    assert shared.now(one.ids()) == ["app_declared"]
    assert shared.now(one.find("app_a").conversations.totals()).conversations == 0


@given(users=st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_no_user_reads_anothers_list(users: list[str]) -> None:
    shorter, longer = sorted(map(pack_user, users))
    assert not longer.startswith(shorter)


@given(places=st.lists(st.tuples(st.integers(-(10**10), 10**11), st.integers(1, 10**9)), max_size=9))
def test_places_sort_as_their_texts_do(places: list[Any]) -> None:
    positions = [Conversation(id="", number=number, created_at=at).position for at, number in places]
    assert sorted(positions) == sorted(positions, key=pack_position)
