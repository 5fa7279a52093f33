"""The laws that every store has: apps beside plain dicts (clauses 5.3 to 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.memory import MemoryConversations
from sandbox.apps.records import Conversation, Item, Order, PageRequest, Totals
from sandbox.apps.store import ConversationStore, Counter, Gone, UnknownCursor
from tests.apps.plain import page_of
from tests.apps.stores import MemoryStore, Store, imitated, real
from tests.support.requirements import examples

COUNTERS: tuple[Counter, ...] = get_args(Counter)[:2]
Place = tuple[str, str]

APPS = st.sampled_from(["app_a", "app_b"])
USERS = st.sampled_from([None, "", "ann", "bob"])
ORDERS: st.SearchStrategy[Order] = st.sampled_from(["asc", "desc"])


@dataclass
class ReferenceApp:
    """One app as plain dicts keep it."""

    numbers: int = 0
    records: dict[str, Conversation] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)

    def seen(self, conversation_id: str) -> Conversation | None:
        """Return a conversation that is not deleted."""
        found = self.records.get(conversation_id)
        return None if found is None or found.deleted else found

    def change(self, conversation_id: str, **changes: Any) -> Conversation | None:
        if old := self.seen(conversation_id):
            self.records[conversation_id] = old._replace(**changes)
        return self.records[conversation_id] if old else None


class AppsBesideDicts(RuleBasedStateMachine):
    """Does the same to apps and to plain dicts; both must always say the same."""

    places = Bundle("places")
    make_store: Callable[[], Store]

    @initialize()
    def begin(self) -> None:
        self.store = type(self).make_store()
        self.registry = self.store.registry()
        self.plain = {"app_a": ReferenceApp(), "app_b": ReferenceApp()}

    def teardown(self) -> None:
        self.store.close()

    def of(self, place: Place) -> tuple[ConversationStore, str, ReferenceApp]:
        return self.registry.find(place[0]).conversations, place[1], self.plain[place[0]]

    @rule(target=places, app=APPS, second=st.integers(0, 4), user=USERS, title=st.sampled_from([None, "", "t"]))
    def create(self, app: str, second: int, user: str | None, title: str | None) -> Place:
        plain = self.plain[app]
        plain.numbers += 1

        def make(number: int) -> Conversation:
            # Both apps use the same ids: what is said of one must change nothing of the other.
            return record(number, created_at=second, external_user_id=user, title=title)

        made = self.store.now(self.registry.find(app).conversations.create(make))
        assert made.number == plain.numbers
        plain.records[made.id] = made
        return app, made.id

    @rule(place=places, title=st.sampled_from([None, "", "new"]))
    def set_title(self, place: Place, title: str | None) -> None:
        store, conversation_id, plain = self.of(place)
        assert self.store.now(store.set_title(conversation_id, title)) == plain.change(conversation_id, title=title)

    @rule(place=places)
    def delete(self, place: Place) -> None:
        store, conversation_id, plain = self.of(place)
        assert self.store.now(store.delete(conversation_id)) == plain.seen(conversation_id)
        plain.change(conversation_id, deleted=True)

    @rule(place=places, metadata=st.sampled_from([None, b"{}", b'{"a":1}']))
    def append_message(self, place: Place, metadata: bytes | None) -> None:
        store, conversation_id, plain = self.of(place)
        before = self.store.now(store.append_message(conversation_id, lambda _, position: item(position), metadata))
        if plain.seen(conversation_id) is None:
            assert before is None
            return
        changed = plain.change(conversation_id, **({"metadata": metadata} if metadata else {}))
        items = plain.items.setdefault(conversation_id, [])
        assert before is not None
        assert (before.conversation, list(before.items)) == (changed, items)
        items.append(item(len(items)))

    @rule(place=places, pair=st.none() | st.tuples(st.text(), st.text()))
    def append_reply(self, place: Place, pair: tuple[str, str] | None) -> None:
        store, conversation_id, plain = self.of(place)
        answer = store.append_reply(conversation_id, item, pair)
        if conversation_id not in plain.records:
            with pytest.raises(Gone):
                self.store.now(answer)
            return
        self.store.now(answer)
        old = plain.records[conversation_id]
        plain.records[conversation_id] = old._replace(generated_title=old.generated_title or pair)
        items = plain.items.setdefault(conversation_id, [])
        items.append(item(len(items)))

    @rule(app=APPS)
    def reset(self, app: str) -> None:
        self.store.now(self.registry.delete(self.registry.find(app)))
        self.plain[app] = ReferenceApp()

    @rule(app=APPS)
    def take_out_and_put_back(self, app: str) -> None:
        one = self.registry.find(app)
        self.store.now(one.refresh())
        snapshot = self.store.now(one.snapshot())
        self.store.now(one.restore(snapshot, MemoryConversations.from_snapshot(snapshot)))

    @rule(place=places)
    def read_one(self, place: Place) -> None:
        store, conversation_id, plain = self.of(place)
        transcript = self.store.now(store.transcript(conversation_id))
        assert (transcript and transcript.conversation) == plain.seen(conversation_id)
        if transcript:
            assert list(transcript.items) == plain.items.get(conversation_id, [])

    @rule(
        app=APPS,
        user=USERS | st.just("eve"),
        order=ORDERS,
        limit=st.integers(1, 6),
        which=st.sampled_from(["after", "before"]),
        cursor=st.none() | st.sampled_from(["", *(f"id_{number}" for number in range(1, 10))]),
    )
    def read_page(self, app: str, user: str | None, order: Order, limit: int, which: str, cursor: str | None) -> None:
        plain, store = self.plain[app], self.registry.find(app).conversations
        asked = store.page(PageRequest(limit, order, **({} if cursor is None else {which: cursor})), user)
        if cursor is not None and cursor not in plain.records:
            with pytest.raises(UnknownCursor, match=which):
                self.store.now(asked)
            return
        page = self.store.now(asked)
        rows = [
            row.position for row in plain.records.values() if not row.deleted and user in (None, row.external_user_id)
        ]
        place = {which: plain.records[cursor].position} if cursor else {}
        expected = page_of(rows, limit=limit, order=order, **place)
        assert ([row.position for row in page.rows], page.has_more) == expected

    @rule(app=APPS)
    def read_totals(self, app: str) -> None:
        plain = self.plain[app]
        assert self.store.now(self.registry.find(app).conversations.totals()) == Totals(
            conversations=len(plain.records),
            messages=sum(len(items) for items in plain.items.values()),
            users=len({row.external_user_id for row in plain.records.values()} - {None}),
        )


class OfMemory(AppsBesideDicts):
    make_store = MemoryStore


class OfImitatedRedis(AppsBesideDicts):
    make_store = staticmethod(imitated)


class OfRedis(AppsBesideDicts):
    make_store = staticmethod(real)


CLAUSES = pytest.mark.clause("5.3", "5.4", "5.5", "5.6")
TestMemoryBesideDicts = CLAUSES(OfMemory.TestCase)
TestImitatedRedisBesideDicts = CLAUSES(OfImitatedRedis.TestCase)
TestRedisBesideDicts = CLAUSES(pytest.mark.usefixtures("redis_server")(OfRedis.TestCase))
TestMemoryBesideDicts.settings = settings(max_examples=examples(60, quick=30), stateful_step_count=30)
TestImitatedRedisBesideDicts.settings = TestRedisBesideDicts.settings = TestMemoryBesideDicts.settings


def record(number: int = 1, **more: Any) -> Conversation:
    return Conversation(**{"id": f"id_{number}", "number": number, "created_at": 0, **more})


def item(position: int) -> Item:
    return Item("user", b"%d" % position)


@pytest.mark.clause("5.1")
def test_a_generated_title_is_given_once(store: Store) -> None:
    one = store.registry().find("app_a")
    conversation = store.now(one.conversations.create(record))

    for pair in (("One", "Un"), ("Two", "Deux")):
        store.now(one.conversations.append_reply(conversation.id, item, pair))

    transcript = store.now(one.conversations.transcript(conversation.id))
    assert transcript is not None
    assert transcript.conversation.generated_title == ("One", "Un")


def test_each_counter_counts_from_one_on_its_own(store: Store) -> None:
    apps = store.registry()

    drawn = [
        store.now(apps.find(app_id).next_number(counter))
        for app_id in ("app_a", "app_b")
        for counter in (*COUNTERS, *COUNTERS)
    ]

    assert drawn == [1, 1, 2, 2, 1, 1, 2, 2]


def test_reading_stores_no_app(store: Store) -> None:
    apps = store.registry()
    one = apps.find("app_a")

    store.now(one.conversations.transcript("id_1"))
    store.now(one.conversations.page(PageRequest(1), "ann"))
    store.now(one.conversations.totals())
    store.now(one.faults.take(lambda _: True))
    store.now(one.snapshot())

    assert store.now(apps.ids()) == ["app_declared"]


def test_deleting_starts_everything_afresh(store: Store) -> None:
    apps = store.registry()
    one = apps.find("app_a")
    fresh = store.now(one.snapshot())
    store.now(one.override({"stream": True}))
    store.now(one.set_clock(5))
    store.now(one.next_number("completion"))
    store.now(one.faults.add({"kind": "reset"}))
    store.now(one.rate_limit.consume(RateLimit(per_minute=1), 0))
    store.now(one.conversations.create(record))

    store.now(apps.delete(one))

    assert (store.now(one.snapshot()), one.settings, one.usage.bytes) == (fresh, AppSettings(), 0)
    assert apps.find("app_a") is one
