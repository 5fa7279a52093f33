"""Apps beside plain dicts, and the laws that every store has (clauses 5.3 to 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.app import App
from sandbox.apps.history import ControlCallRecord
from sandbox.apps.journal import Journal
from sandbox.apps.memory import MemoryConversations
from sandbox.apps.records import Conversation, Item, Order, PageRequest, Totals
from sandbox.apps.store import ConversationStore, Counter, Gone, UnknownCursor
from sandbox.errors import StoreFull
from tests.apps.plain import now, page_of, registry
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

    @initialize()
    def begin(self) -> None:
        self.registry = registry(Journal(str))
        self.plain = {"app_a": ReferenceApp(), "app_b": ReferenceApp()}

    def of(self, place: Place) -> tuple[ConversationStore, str, ReferenceApp]:
        return self.registry.find(place[0]).conversations, place[1], self.plain[place[0]]

    @rule(target=places, app=APPS, second=st.integers(0, 4), user=USERS, title=st.sampled_from([None, "", "t"]))
    def create(self, app: str, second: int, user: str | None, title: str | None) -> Place:
        plain = self.plain[app]
        plain.numbers += 1

        def make(number: int) -> Conversation:
            # Both apps use the same ids: what is said of one must change nothing of the other.
            return record(number, created_at=second, external_user_id=user, title=title)

        made = now(self.registry.find(app).conversations.create(make))
        assert made.number == plain.numbers
        plain.records[made.id] = made
        return app, made.id

    @rule(place=places, title=st.sampled_from([None, "", "new"]))
    def set_title(self, place: Place, title: str | None) -> None:
        store, conversation_id, plain = self.of(place)
        assert now(store.set_title(conversation_id, title)) == plain.change(conversation_id, title=title)

    @rule(place=places)
    def delete(self, place: Place) -> None:
        store, conversation_id, plain = self.of(place)
        assert now(store.delete(conversation_id)) == plain.seen(conversation_id)
        plain.change(conversation_id, deleted=True)

    @rule(place=places, metadata=st.sampled_from([None, b"{}", b'{"a":1}']))
    def append_message(self, place: Place, metadata: bytes | None) -> None:
        store, conversation_id, plain = self.of(place)
        before = now(store.append_message(conversation_id, lambda _, position: item(position), metadata))
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
                now(answer)
            return
        now(answer)
        old = plain.records[conversation_id]
        plain.records[conversation_id] = old._replace(generated_title=old.generated_title or pair)
        items = plain.items.setdefault(conversation_id, [])
        items.append(item(len(items)))

    @rule(app=APPS)
    def reset(self, app: str) -> None:
        now(self.registry.delete(self.registry.find(app)))
        self.plain[app] = ReferenceApp()

    @rule(app=APPS)
    def take_out_and_put_back(self, app: str) -> None:
        one = self.registry.find(app)
        snapshot = now(one.snapshot())
        now(one.restore(snapshot, MemoryConversations.from_snapshot(snapshot)))

    @rule(place=places)
    def read_one(self, place: Place) -> None:
        store, conversation_id, plain = self.of(place)
        transcript = now(store.transcript(conversation_id))
        assert (transcript and transcript.conversation) == plain.seen(conversation_id)
        if transcript:
            assert list(transcript.items) == plain.items.get(conversation_id, [])

    @rule(
        app=APPS,
        user=USERS | st.just("eve"),
        order=ORDERS,
        limit=st.integers(1, 6),
        which=st.sampled_from(["after", "before"]),
        cursor=st.none() | st.integers(1, 9),
    )
    def read_page(self, app: str, user: str | None, order: Order, limit: int, which: str, cursor: int | None) -> None:
        plain, store = self.plain[app], self.registry.find(app).conversations
        asked = store.page(PageRequest(limit, order, **({which: f"id_{cursor}"} if cursor else {})), user)
        if cursor and f"id_{cursor}" not in plain.records:
            with pytest.raises(UnknownCursor, match=which):
                now(asked)
            return
        page = now(asked)
        rows = [
            row.position for row in plain.records.values() if not row.deleted and user in (None, row.external_user_id)
        ]
        place = {which: plain.records[f"id_{cursor}"].position} if cursor else {}
        expected = page_of(rows, limit=limit, order=order, **place)
        assert ([row.position for row in page.rows], page.has_more) == expected

    @rule(app=APPS)
    def read_totals(self, app: str) -> None:
        plain = self.plain[app]
        assert now(self.registry.find(app).conversations.totals()) == Totals(
            conversations=len(plain.records),
            messages=sum(len(items) for items in plain.items.values()),
            users=len({row.external_user_id for row in plain.records.values()} - {None}),
        )


TestAppsBesideDicts = pytest.mark.clause("5.3", "5.4", "5.5", "5.6")(AppsBesideDicts.TestCase)
TestAppsBesideDicts.settings = settings(max_examples=examples(60, quick=30), stateful_step_count=30)


def record(number: int = 1, **more: Any) -> Conversation:
    return Conversation(**{"id": f"id_{number}", "number": number, "created_at": 0, **more})


def item(position: int) -> Item:
    return Item("user", b"%d" % position)


def app(**limits: Any) -> App:
    return registry(Journal(str), **limits).find("app_a")


def create(app: App, **more: Any) -> Conversation:
    return now(app.conversations.create(lambda number: record(number, **more)))


@pytest.mark.clause("5.1")
def test_a_generated_title_is_given_once() -> None:
    one = app()
    conversation = create(one)

    for pair in (("One", "Un"), ("Two", "Deux")):
        now(one.conversations.append_reply(conversation.id, item, pair))

    transcript = now(one.conversations.transcript(conversation.id))
    assert transcript is not None
    assert transcript.conversation.generated_title == ("One", "Un")


def test_each_counter_counts_from_one_on_its_own() -> None:
    apps = registry(Journal(str))

    drawn = [
        now(apps.find(app_id).next_number(counter))
        for app_id in ("app_a", "app_b")
        for counter in (*COUNTERS, *COUNTERS)
    ]

    assert drawn == [1, 1, 2, 2, 1, 1, 2, 2]


def test_reading_stores_no_app() -> None:
    apps = registry(Journal(str))
    one = apps.find("app_a")

    now(one.conversations.transcript("id_1"))
    now(one.conversations.page(PageRequest(1), "ann"))
    now(one.conversations.totals())
    now(one.faults.take(lambda _: True))
    now(one.snapshot())

    assert now(apps.ids()) == ["app_declared"]


def test_deleting_starts_everything_afresh() -> None:
    apps = registry(Journal(str))
    one = apps.find("app_a")
    fresh = now(one.snapshot())
    now(one.override({"stream": True}))
    now(one.set_clock(5))
    now(one.next_number("completion"))
    now(one.faults.add({"kind": "reset"}))
    now(one.rate_limit.consume(RateLimit(per_minute=1), 0))
    create(one)

    now(apps.delete(one))

    assert (now(one.snapshot()), one.settings, one.usage.bytes) == (fresh, AppSettings(), 0)
    assert apps.find("app_a") is one


# Bounds


def test_more_apps_than_fit_are_refused_but_for_declared_ones() -> None:
    apps = registry(Journal(str), max_apps=1)
    create(apps.find("app_a"))

    with pytest.raises(StoreFull, match="max-apps"):
        create(apps.find("app_b"))
    create(apps.find("app_declared"))

    assert [one.id for one in apps.stored()] == ["app_a", "app_declared"]


def test_an_app_that_nobody_wrote_to_makes_room_for_others() -> None:
    apps = registry(Journal(str), max_unstored=100)
    kept, lost = apps.find("app_kept"), apps.find("app_lost")
    create(kept)

    for number in range(100):
        apps.find(f"app_{number}")

    assert apps.find("app_kept") is kept
    assert apps.find("app_lost") is not lost
    assert len(list(apps)) <= 101


LARGE = "x" * 20_000
# What can be made large by a client, and how it comes into the store.
FILLINGS: dict[str, Callable[[App], Any]] = {
    "metadata at creation": lambda one: create(one, metadata=LARGE.encode()),
    "a title at creation": lambda one: create(one, title=LARGE),
    "a user id": lambda one: create(one, external_user_id=LARGE),
    "a message": lambda one: now(one.conversations.append_message("id_1", lambda *_: Item("user", LARGE.encode()))),
    "a reply": lambda one: now(one.conversations.append_reply("id_1", lambda _: Item("assistant", LARGE.encode()))),
    "a title set later": lambda one: now(one.conversations.set_title("id_1", LARGE)),
    "metadata of a message": lambda one: now(
        one.conversations.append_message("id_1", lambda *_: item(0), LARGE.encode())
    ),
    "settings": lambda one: now(one.override({"agent": {"name": LARGE}})),
    "a fault": lambda one: now(one.faults.add({"body": LARGE})),
    "a reply that waits": lambda one: now(one.replies.add({"text": LARGE})),
    "a control call": lambda one: one.history.add(ControlCallRecord(seq=1, at=0, method="PATCH", path="/", body=LARGE)),
}


@pytest.mark.parametrize("filling", FILLINGS)
def test_everything_that_is_kept_counts_against_the_bound(filling: str) -> None:
    one = app(max_bytes=10_000)
    create(one)
    FILLINGS[filling](one)

    with pytest.raises(StoreFull, match="max-bytes"):
        create(one)
    assert now(one.conversations.totals()).conversations <= 2


def test_a_deleted_app_makes_room() -> None:
    apps = registry(Journal(str), max_bytes=10_000)
    one = apps.find("app_a")
    create(one, metadata=LARGE.encode())

    now(apps.delete(one))

    assert create(one) == record()
