"""The journal by itself: what goes first when it is full, held against a list and a sort."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.apps.entry import Entry, pack
from sandbox.apps.journal import ENTRY_BYTES, Journal
from tests.entries import Asked, add, begun
from tests.entries import entry as blank

APPS: Sequence[str | None] = ("app_a", "app_b", "app_c", None)
MIB = 1024**2


def entry(number: int, app_id: str | None = "app_a", **more: Any) -> Entry:
    return blank(id=f"req_{number}", app_id=app_id, operation="config", **more)


def empty(**bounds: int) -> Journal:
    return Journal(lambda app_id: f"req_{app_id}_", **bounds)


def weight(entry: Entry) -> int:
    return ENTRY_BYTES + len(pack(tuple(entry)))


def ids(journal: Journal) -> list[str]:
    return [each.id for each in journal.newest_first()]


class Plain:
    """The same bounds, by looking at everything each time."""

    def __init__(self, most: int, most_bytes: int, spared: int) -> None:
        self._bounds = (most, most_bytes, spared)
        self.kept: list[Entry] = []
        self.evicted: Counter[str | None] = Counter()

    def add(self, new: Entry) -> None:
        most, most_bytes, _ = self._bounds
        self.kept.append(new)
        while len(self.kept) > most or (sum(map(weight, self.kept)) > most_bytes and len(self.kept) > 1):
            gone = next(self._spare(), self.kept[0])
            self.kept.remove(gone)
            self.evicted[gone.app_id] += 1

    def forget(self, app_id: str | None) -> None:
        gone = [each for each in self.kept if app_id in (None, each.app_id)]
        self.kept = [each for each in self.kept if each not in gone]
        for app in list(self.evicted):
            if app_id in (None, app):
                del self.evicted[app]

    def _spare(self) -> Iterator[Entry]:
        """Yield what isn't among the newest of its app, oldest first."""
        for place, each in enumerate(self.kept):
            newer = sum(other.app_id == each.app_id for other in self.kept[place + 1 :])
            if newer >= self._bounds[2]:
                yield each


class JournalMachine(RuleBasedStateMachine):
    @initialize(most=st.integers(1, 12), size=st.integers(2, 12), spared=st.integers(0, 4))
    def start(self, most: int, size: int, spared: int) -> None:
        bounds = {"most": most, "most_bytes": size * (ENTRY_BYTES + 200), "spared": spared}
        self.journal, self.plain, self.number = empty(**bounds), Plain(**bounds), 0

    @rule(app_id=st.sampled_from(APPS), size=st.integers(0, 4_000))
    def add(self, app_id: str | None, size: int) -> None:
        self.number += 1
        new = entry(self.number, app_id, body=b"x" * size)
        add(self.journal, new)
        self.plain.add(new)

    @rule(app_id=st.sampled_from(APPS))
    def forget(self, app_id: str | None) -> None:
        self.journal.forget(app_id)
        self.plain.forget(app_id)

    @precondition(lambda self: self.number)
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        wanted = f"req_{data.draw(st.integers(1, self.number))}"
        kept = next((each for each in self.plain.kept if each.id == wanted), None)
        assert self.journal.get(wanted) == kept

    @invariant()
    def holds_what_the_plain_one_holds(self) -> None:
        assert ids(self.journal) == [each.id for each in self.plain.kept[::-1]]
        for app_id in APPS:
            expected = self.plain.evicted[app_id] if app_id else self.plain.evicted.total()
            assert self.journal.evicted(app_id, None) == expected


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


# The bounds as they are


def test_ten_thousand_entries_are_kept() -> None:
    journal = empty()
    for number in range(10_100):
        add(journal, entry(number))
    assert ids(journal) == [f"req_{number}" for number in range(10_099, 99, -1)]
    assert journal.evicted("app_a", None) == 100


def test_a_quiet_app_keeps_its_newest_while_a_noisy_one_loses() -> None:
    journal = empty()
    for number in range(300):
        add(journal, entry(number, "app_quiet"))
    for number in range(300, 20_000):
        add(journal, entry(number, "app_noisy"))
    quiet = [each.id for each in journal.newest_first() if each.app_id == "app_quiet"]
    assert quiet == [f"req_{number}" for number in range(299, 99, -1)]
    assert len(ids(journal)) == 10_000


# Each row: where an entry can hold a megabyte.
LARGE: dict[str, dict[str, Any]] = {
    "body": {"body": b"x" * MIB},
    "answer": {"answer": b"x" * MIB},
    "path": {"path": b"x" * MIB},
    "headers": {"headers": [(b"x-long", b"x" * MIB)]},
    "headers of the answer": {"fault": "status", "answer_headers": [(b"x-long", b"x" * MIB)]},
    "many small pieces": {"pieces": [(float(number), b"x" * 10) for number in range(36_000)]},
}


@pytest.mark.parametrize("fields", LARGE.values(), ids=LARGE)
def test_sixty_four_megabytes_are_kept(fields: dict[str, Any]) -> None:
    """Whatever an entry holds on to counts, at least as what it is made of."""
    journal = empty()
    for number in range(90):
        add(journal, entry(number, **fields))
    assert 40 < len(ids(journal)) <= 64


def test_one_entry_is_kept_however_large() -> None:
    journal = empty(most_bytes=10)
    add(journal, entry(1))
    add(journal, entry(2))
    assert ids(journal) == ["req_2"]


# Counting


def test_requests_are_counted_by_app_and_go_on_after_entries_are_gone() -> None:
    journal = empty(most=1)
    ids = [begun(journal, entry(0, app_id)) for app_id in ("a", "a", "b", None)]
    assert ids == ["req_a_00000001", "req_a_00000002", "req_b_00000001", "req_None_00000001"]
    journal.forget(None)
    assert (journal.count("a"), begun(journal, entry(0, "a"))) == (2, "req_a_00000003")
    journal.restart("a")
    assert (journal.count("a"), journal.count("b")) == (0, 1)


def test_an_evicted_entry_counts_for_its_app_and_operation() -> None:
    journal = empty(most=1, spared=0)
    for number, app_id in enumerate(("a", "b", "a")):
        add(journal, entry(number, app_id))
    assert [journal.evicted(*about) for about in (("a", None), ("b", "config"), (None, None), ("a", "other"))] == [
        1,
        1,
        2,
        0,
    ]


def test_an_id_that_is_given_again_does_not_break_the_journal() -> None:
    """An app that was forgotten counts from 1 again while a late answer of it may still be added."""
    journal = empty(most=2)
    for _ in range(4):
        add(journal, entry(1))
    journal.forget(None)
    assert ids(journal) == []


# Listeners


def test_listeners_are_told_when_a_request_begins_and_when_it_is_over_until_they_leave() -> None:
    journal, heard = empty(), list[Entry]()
    leave = journal.subscribe(heard.append)
    add(journal, first := entry(1))
    leave()
    add(journal, entry(2))
    assert heard == [first, first]


# Under way


def test_requests_stand_in_the_order_in_which_they_began() -> None:
    journal = empty()
    slow = Asked(entry(1))
    journal.begin(slow)
    add(journal, entry(2))
    assert ids(journal) == ["req_2", "req_1"]
    journal.add(slow, 0)
    assert ids(journal) == ["req_2", "req_1"]
    assert journal.get("req_1") == entry(1)


def test_what_is_under_way_makes_no_room_and_is_not_forgotten_before_it_is_over() -> None:
    journal = empty(most=1)
    slow = Asked(entry(1))
    journal.begin(slow)
    for number in (2, 3):
        add(journal, entry(number))
    assert ids(journal) == ["req_3", "req_1"]
    journal.forget("app_a")
    assert ids(journal) == ["req_1"]
    journal.restart("app_a")
    journal.add(slow, 0)
    assert ids(journal) == []


# Memory


@pytest.mark.parametrize("apps", [1, 50, 6_000])
def test_memory_does_not_grow_with_the_requests(apps: int) -> None:
    """After 6,000 requests as after 1,500, to 5 %: with few apps, and with an app a request."""
    journal, requests = empty(most=500), iter(range(6_000))
    tracemalloc.start()
    try:
        sizes = [grown(journal, requests, count, apps) for count in (1_500, 4_500)]
    finally:
        tracemalloc.stop()
    assert sizes[1] < 1.05 * sizes[0]


def grown(journal: Journal, numbers: Iterator[int], count: int, apps: int) -> int:
    """Let requests come and return how much memory is in use then."""
    for number in islice(numbers, count):
        app_id = f"app_{number % apps}"
        asked = entry(number, app_id, body=b"%100d" % number, answer=b"%300d" % number)
        add(journal, asked)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@given(st.lists(st.sampled_from(APPS), max_size=30))
def test_the_newest_is_always_kept(app_ids: list[str | None]) -> None:
    journal = empty(most=5, spared=2)
    for number, app_id in enumerate(app_ids):
        add(journal, entry(number, app_id))
        assert ids(journal)[0] == f"req_{number}"


@given(st.lists(st.sampled_from(APPS), max_size=120))
def test_when_it_is_read_changes_nothing(app_ids: list[str | None]) -> None:
    """Entries come in by the dozen, or as soon as somebody looks: what goes is the same."""
    watched, left_alone = empty(most=6, spared=2), empty(most=6, spared=2)
    for number, app_id in enumerate(app_ids):
        for journal in (watched, left_alone):
            add(journal, entry(number, app_id))
        assert len(ids(watched)) == min(number + 1, 6)
    assert ids(left_alone) == ids(watched)
    for app_id in APPS:
        assert left_alone.evicted(app_id, None) == watched.evicted(app_id, None)
