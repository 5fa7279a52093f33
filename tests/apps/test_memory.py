"""The memory store beside a plain dict, and the laws that every store has (clauses 5.3 to 5.6)."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.memory import Bounds, MemoryStore
from sandbox.apps.records import Conversation, Item, Order, Position, Totals, Window
from sandbox.apps.store import Gone
from sandbox.errors import StoreFull
from tests.apps.plain import now, page_of

Place = tuple[str, str]

APPS = st.sampled_from(["app_a", "app_b"])
USERS = st.sampled_from([None, "", "ann", "bob"])
CURSORS = st.none() | st.tuples(
    st.sampled_from(["after", "before"]), st.builds(Position, st.integers(0, 4), st.integers(1, 9))
)
ORDERS: st.SearchStrategy[Order] = st.sampled_from(["asc", "desc"])
ROLES: st.SearchStrategy[Literal["user", "assistant"]] = st.sampled_from(["user", "assistant"])


@dataclass
class PlainApp:
    """One app as plain dicts keep it."""

    numbers: int = 0
    records: dict[str, Conversation] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)


class StoreBesideADict(RuleBasedStateMachine):
    """Does the same to the store and to plain dicts; both must always say the same."""

    places = Bundle("places")

    @initialize()
    def begin(self) -> None:
        self.store = MemoryStore({}, AppSettings())
        self.plain = {"app_a": PlainApp(), "app_b": PlainApp()}

    @rule(target=places, app=APPS, second=st.integers(0, 4), user=USERS, title=st.sampled_from([None, "", "t"]))
    def add(self, app: str, second: int, user: str | None, title: str | None) -> Place:
        plain = self.plain[app]
        plain.numbers += 1
        number = now(self.store.number(app, "conversation"))
        assert number == plain.numbers
        # Both apps use the same ids: what is said of one must change nothing of the other.
        record = Conversation(id=f"id_{number}", number=number, created_at=second, external_user_id=user, title=title)
        now(self.store.add(app, record))
        plain.records[record.id] = record
        return app, record.id

    @rule(place=places, title=st.sampled_from([None, "", "new"]))
    def set_title(self, place: Place, title: str | None) -> None:
        if self.written(place, self.store.set_title(*place, title)):
            self.amend(place, title=title)

    @rule(place=places, metadata=st.sampled_from([b"{}", b'{"a":1}']))
    def set_metadata(self, place: Place, metadata: bytes) -> None:
        if self.written(place, self.store.set_metadata(*place, metadata)):
            self.amend(place, metadata=metadata)

    @rule(place=places)
    def delete(self, place: Place) -> None:
        if self.written(place, self.store.delete(*place)):
            self.amend(place, deleted=True)

    @rule(place=places, role=ROLES)
    def append(self, place: Place, role: Literal["user", "assistant"]) -> None:
        if self.written(place, self.store.append(*place, lambda position: Item(role, b"%d" % position))):
            items = self.plain[place[0]].items.setdefault(place[1], [])
            items.append(Item(role, b"%d" % len(items)))

    @rule(app=APPS)
    def forget(self, app: str) -> None:
        now(self.store.forget(app))
        self.plain[app] = PlainApp()

    @rule(place=places)
    def read_one(self, place: Place) -> None:
        plain = self.plain[place[0]]
        assert now(self.store.get(*place)) == plain.records.get(place[1])
        if place[1] in plain.records:
            assert list(now(self.store.items(*place))) == plain.items.get(place[1], [])

    @rule(app=APPS, user=USERS | st.just("eve"), order=ORDERS, limit=st.integers(1, 6), cursor=CURSORS)
    def read_page(
        self, app: str, user: str | None, order: Order, limit: int, cursor: tuple[str, Position] | None
    ) -> None:
        window = Window(limit=limit, order=order, **({cursor[0]: cursor[1]} if cursor else {}))
        rows = [
            Position(row.created_at, row.number)
            for row in self.plain[app].records.values()
            if not row.deleted and user in (None, row.external_user_id)
        ]
        page = now(self.store.page(app, window, user))
        assert ([Position(row.created_at, row.number) for row in page.rows], page.has_more) == page_of(rows, window)

    @rule(app=APPS)
    def read_totals(self, app: str) -> None:
        plain = self.plain[app]
        expected = Totals(
            conversations=len(plain.records),
            messages=sum(len(items) for items in plain.items.values()),
            users=len({row.external_user_id for row in plain.records.values()} - {None}),
        )
        assert now(self.store.totals(app)) == expected

    def written(self, place: Place, work: Awaitable[None]) -> bool:
        """Write; to what was forgotten the store must refuse to."""
        if place[1] in self.plain[place[0]].records:
            now(work)
            return True
        with pytest.raises(Gone):
            now(work)
        return False

    def amend(self, place: Place, **changes: Any) -> None:
        records = self.plain[place[0]].records
        records[place[1]] = records[place[1]]._replace(**changes)


TestStoreBesideADict = pytest.mark.clause("5.3", "5.4", "5.5", "5.6")(StoreBesideADict.TestCase)
TestStoreBesideADict.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def record(number: int = 1, **more: Any) -> Conversation:
    return Conversation(**{"id": f"id_{number}", "number": number, "created_at": 0, **more})


def store(**bounds: int) -> MemoryStore:
    return MemoryStore({}, AppSettings(), Bounds(**bounds))


@pytest.mark.clause("5.1")
def test_a_generated_title_is_given_once() -> None:
    kept = store()
    now(kept.add("app_a", record()))

    for pair in (("One", "Un"), ("Two", "Deux")):
        now(kept.set_generated_title("app_a", "id_1", pair))

    found = now(kept.get("app_a", "id_1"))
    assert found is not None
    assert found.generated_title == ("One", "Un")


def test_each_counter_counts_from_one_on_its_own() -> None:
    kept = store()

    drawn = [now(kept.number(app, what)) for app in ("app_a", "app_b") for what in ("conversation", "completion") * 2]

    assert drawn == [1, 1, 2, 2, 1, 1, 2, 2]


def test_reading_makes_no_app() -> None:
    kept = store()

    now(kept.settings("app_a"))
    now(kept.get("app_a", "id_1"))
    now(kept.page("app_a", Window(limit=1, order="asc"), "ann"))
    now(kept.totals("app_a"))
    now(kept.overrides("app_a"))
    now(kept.clock("app_a"))

    assert list(now(kept.known())) == []


def test_forgetting_starts_everything_afresh() -> None:
    kept = store()
    now(kept.override("app_a", {"stream": True}))
    now(kept.set_clock("app_a", 5))
    now(kept.number("app_a", "completion"))

    now(kept.forget("app_a"))

    assert now(kept.settings("app_a")) == AppSettings()
    assert now(kept.clock("app_a")) is None
    assert now(kept.number("app_a", "completion")) == 1


# Bounds


def test_more_apps_than_fit_are_refused() -> None:
    kept = store(apps=1)
    now(kept.add("app_a", record()))

    with pytest.raises(StoreFull, match="max-apps"):
        now(kept.add("app_b", record()))
    assert list(now(kept.known())) == ["app_a"]


LARGE = "x" * 20_000
# What can be made large by a client, and how it comes into the store.
FILLINGS: dict[str, Any] = {
    "metadata at creation": lambda kept: kept.add("app_a", record(metadata=LARGE.encode())),
    "a title at creation": lambda kept: kept.add("app_a", record(title=LARGE)),
    "a user id": lambda kept: kept.add("app_a", record(external_user_id=LARGE)),
    "an item": lambda kept: kept.append("app_a", "id_0", lambda _: Item("user", LARGE.encode())),
    "a title set later": lambda kept: kept.set_title("app_a", "id_0", LARGE),
    "metadata of a message": lambda kept: kept.set_metadata("app_a", "id_0", LARGE.encode()),
}


@pytest.mark.parametrize("filling", FILLINGS)
def test_everything_that_is_kept_counts_against_the_bound(filling: str) -> None:
    kept = store(bytes=10_000)
    now(kept.add("app_a", record(0)))
    now(FILLINGS[filling](kept))

    with pytest.raises(StoreFull, match="max-bytes"):
        now(kept.add("app_a", record(2)))
    assert now(kept.get("app_a", "id_2")) is None


def test_forgetting_an_app_makes_room() -> None:
    kept = store(bytes=10_000)
    now(kept.add("app_a", record(metadata=LARGE.encode())))

    now(kept.forget("app_a"))

    now(kept.add("app_a", record()))
    assert now(kept.get("app_a", "id_1")) == record()


# Rate windows: the limit, the calls as (second, seconds to wait or None), the reason.
WINDOWS: list[tuple[RateLimit, list[tuple[int, int | None]], str]] = [
    (
        RateLimit(per_minute=2),
        [(100, None), (130, None), (130, 30), (159, 1), (160, None), (160, None), (219, 1), (220, None)],
        "a window starts at its first counted call and lasts a minute",
    ),
    (
        RateLimit(per_minute=1),
        [(100, None), (159, 1), (159, 1), (160, None), (200, 20)],
        "refused calls are not counted",
    ),
    (RateLimit(per_day=1), [(0, None), (86_399, 1), (86_400, None)], "a day is a window too"),
    (
        RateLimit(per_minute=1, per_day=2),
        [(0, None), (10, 50), (60, None), (70, 86_330), (120, 86_280), (86_400, None)],
        "the window that is used up longest tells how long to wait",
    ),
    (RateLimit(per_minute=0), [(100, 60), (1_000, 60)], "nothing is taken at all"),
    (RateLimit(), [(0, None)] * 5, "no limit"),
    (RateLimit(per_minute=1), [(100, None), (40, None), (41, 59)], "a clock that was set back starts afresh"),
]


@pytest.mark.clause("4.11")
@pytest.mark.parametrize(("limit", "calls"), [row[:2] for row in WINDOWS], ids=[row[2] for row in WINDOWS])
def test_rate_windows(limit: RateLimit, calls: list[tuple[int, int | None]]) -> None:
    kept = store()

    waits = [now(kept.spend("app_a", limit, second)) for second, _ in calls]

    assert waits == [wait for _, wait in calls]


def test_a_call_that_one_window_refuses_counts_in_none() -> None:
    kept = store()
    limit = RateLimit(per_minute=1, per_day=3)

    waits = [now(kept.spend("app_a", limit, second)) for second in (0, 1, 2, 60, 120)]

    assert waits == [None, 59, 58, None, None]


def test_a_changed_limit_starts_its_windows_afresh() -> None:
    kept = store()
    now(kept.spend("app_a", RateLimit(per_minute=1), 0))

    now(kept.override("app_a", {"rate_limit": {"per_minute": 1}}))

    assert now(kept.spend("app_a", RateLimit(per_minute=1), 0)) is None
