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

from sandbox.apps.journal import RECORD_BYTES, AppJournal, Journal
from sandbox.apps.registry import AppRegistry
from sandbox.apps.request_record import RequestRecord, pack
from tests.apps.plain import registry
from tests.support import journal_entries
from tests.support.journal_entries import MadeRequest
from tests.support.journal_entries import entry as blank
from tests.support.requirements import examples

APPS: Sequence[str | None] = ("app_a", "app_b", "app_c", None)
MIB = 1024**2


def entry(number: int, app_id: str | None = "app_a", **more: Any) -> RequestRecord:
    return blank(id=f"req_{number}", app_id=app_id, operation_id="config", **more)


class Apps(dict[str | None, AppJournal]):
    """The journals of some apps, by id, and the one of all."""

    def __init__(self, **bounds: int) -> None:
        self.all = Journal(lambda app_id: f"req_{app_id}_", **bounds)

    def __missing__(self, app_id: str | None) -> AppJournal:
        self[app_id] = self.all.no_app if app_id is None else self.all.new_app(app_id)
        return self[app_id]

    def count_evicted(self, app_id: str | None) -> int:
        return self.all.count_evicted() if app_id is None else self[app_id].count_evicted()

    def clear_records(self, app_id: str | None = None) -> None:
        if app_id is None:
            self.all.clear(self.values())
        else:
            self.all.clear_app(self[app_id])

    def reset(self, app_id: str) -> None:
        self[app_id] = self[app_id].reset()


def begin(apps: Apps, record: RequestRecord) -> MadeRequest:
    return journal_entries.begin(apps[record.app_id], record)


def add(apps: Apps, record: RequestRecord) -> None:
    journal_entries.add(apps[record.app_id], record)


def weight(entry: RequestRecord) -> int:
    return RECORD_BYTES + len(pack(tuple(entry)))


def ids(apps: Apps) -> list[str]:
    return [each.id for each in apps.all.newest_first()]


class ReferenceModel:
    """The same bounds, by looking at everything each time."""

    def __init__(self, most: int, most_bytes: int, spared: int) -> None:
        self._bounds = (most, most_bytes, spared)
        self.kept: list[RequestRecord] = []
        self.evicted: Counter[str | None] = Counter()

    def add(self, new: RequestRecord) -> None:
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

    def _spare(self) -> Iterator[RequestRecord]:
        """Yield what isn't among the newest of its app, oldest first."""
        for place, each in enumerate(self.kept):
            newer = sum(other.app_id == each.app_id for other in self.kept[place + 1 :])
            if newer >= self._bounds[2]:
                yield each


class JournalMachine(RuleBasedStateMachine):
    @initialize(most=st.integers(1, 12), size=st.integers(2, 12), spared=st.integers(0, 4))
    def start(self, most: int, size: int, spared: int) -> None:
        bounds = {"max_records": most, "max_bytes": size * (RECORD_BYTES + 200), "protected": spared}
        self.journal, self.plain, self.number = Apps(**bounds), ReferenceModel(most, bounds["max_bytes"], spared), 0

    @rule(app_id=st.sampled_from(APPS), size=st.integers(0, 4_000))
    def add(self, app_id: str | None, size: int) -> None:
        self.number += 1
        new = entry(self.number, app_id, body=b"x" * size)
        add(self.journal, new)
        self.plain.add(new)

    @rule(app_id=st.sampled_from(APPS))
    def forget(self, app_id: str | None) -> None:
        self.journal.clear_records(app_id)
        self.plain.forget(app_id)

    @precondition(lambda self: self.number)
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        wanted = f"req_{data.draw(st.integers(1, self.number))}"
        kept = next((each for each in self.plain.kept if each.id == wanted), None)
        assert self.journal.all.get(wanted) == kept

    @invariant()
    def holds_what_the_plain_one_holds(self) -> None:
        assert ids(self.journal) == [each.id for each in self.plain.kept[::-1]]
        for app_id in APPS:
            expected = self.plain.evicted[app_id] if app_id else self.plain.evicted.total()
            assert self.journal.count_evicted(app_id) == expected


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=examples(40, quick=20), stateful_step_count=40)


# The bounds as they are


def test_ten_thousand_entries_are_kept() -> None:
    journal = Apps()
    for number in range(10_100):
        add(journal, entry(number))
    assert ids(journal) == [f"req_{number}" for number in range(10_099, 99, -1)]
    assert journal.count_evicted("app_a") == 100


def test_a_quiet_app_keeps_its_newest_while_a_noisy_one_loses() -> None:
    journal = Apps()
    for number in range(300):
        add(journal, entry(number, "app_quiet"))
    for number in range(300, 20_000):
        add(journal, entry(number, "app_noisy"))
    quiet = [each.id for each in journal.all.newest_first() if each.app_id == "app_quiet"]
    assert quiet == [f"req_{number}" for number in range(299, 99, -1)]
    assert len(ids(journal)) == 10_000


# Each row: where an entry can hold a megabyte.
LARGE: dict[str, dict[str, Any]] = {
    "body": {"body": b"x" * MIB},
    "answer": {"response_body": b"x" * MIB},
    "path": {"path": b"x" * MIB},
    "headers": {"headers": [(b"x-long", b"x" * MIB)]},
    "headers of the answer": {"fault": "status", "response_headers": [(b"x-long", b"x" * MIB)]},
    "many small pieces": {"response_pieces": [(float(number), b"x" * 10) for number in range(36_000)]},
}


@pytest.mark.parametrize("fields", LARGE.values(), ids=LARGE)
def test_sixty_four_megabytes_are_kept(fields: dict[str, Any]) -> None:
    """Whatever an entry holds on to counts, at least as what it is made of."""
    journal = Apps()
    for number in range(90):
        add(journal, entry(number, **fields))
    assert 40 < len(ids(journal)) <= 64


def test_one_entry_is_kept_however_large() -> None:
    journal = Apps(max_bytes=10)
    add(journal, entry(1))
    add(journal, entry(2))
    assert ids(journal) == ["req_2"]


# Counting


def test_requests_are_counted_by_app_and_go_on_after_entries_are_gone() -> None:
    journal = Apps(max_records=1)
    ids = [begin(journal, blank(app_id=app_id)).id for app_id in ("a", "a", "b", None)]
    assert ids == [b"req_a_00000001", b"req_a_00000002", b"req_b_00000001", b"req_None_00000001"]
    journal.clear_records()
    assert (journal["a"].requests, begin(journal, blank(app_id="a")).id) == (2, b"req_a_00000003")
    journal.reset("a")
    assert (journal["a"].requests, journal["b"].requests) == (0, 1)


def test_an_evicted_entry_counts_for_its_app_and_operation() -> None:
    journal = Apps(max_records=1, protected=0)
    for number, app_id in enumerate(("a", "b", "a")):
        add(journal, entry(number, app_id))
    counts = [journal["a"].count_evicted(), journal["b"].count_evicted("config")]
    assert [*counts, journal.all.count_evicted(), journal["a"].count_evicted("other")] == [1, 1, 2, 0]


def test_an_id_that_is_given_again_does_not_break_the_journal() -> None:
    """An app that was forgotten counts from 1 again while a late answer of it may still be added."""
    journal = Apps(max_records=2)
    for _ in range(4):
        add(journal, entry(1))
    journal.clear_records()
    assert ids(journal) == []


# Listeners


def test_listeners_are_told_when_a_request_begins_and_when_it_is_over_until_they_leave() -> None:
    journal, heard = Apps(), list[RequestRecord]()
    leave = journal.all.subscribe(heard.append)
    add(journal, first := entry(1))
    leave()
    add(journal, entry(2))
    assert heard == [first, first]


# Under way


def test_requests_stand_in_the_order_in_which_they_began() -> None:
    journal = Apps()
    slow = begin(journal, entry(1))
    add(journal, entry(2))
    assert ids(journal) == ["req_2", "req_1"]
    journal.all.add(slow, 0)
    assert ids(journal) == ["req_2", "req_1"]
    assert journal.all.get("req_1") == entry(1)


def test_what_is_under_way_makes_no_room_and_is_not_forgotten_before_it_is_over() -> None:
    journal = Apps(max_records=1)
    slow = begin(journal, entry(1))
    for number in (2, 3):
        add(journal, entry(number))
    assert ids(journal) == ["req_3", "req_1"]
    journal.clear_records("app_a")
    assert ids(journal) == ["req_1"]
    journal.reset("app_a")
    journal.all.add(slow, 0)
    assert ids(journal) == []


# Memory


@pytest.mark.parametrize("apps", [1, 50, 6_000])
def test_memory_does_not_grow_with_the_requests(apps: int) -> None:
    """After 6,000 requests as after 1,500, to 5 %: with few apps, and with an app a request."""
    apps_of_server, requests = registry(Journal(str, max_records=500), max_unstored=500), iter(range(6_000))
    tracemalloc.start()
    try:
        sizes = [grown(apps_of_server, requests, count, apps) for count in (1_500, 4_500)]
    finally:
        tracemalloc.stop()
    assert sizes[1] < 1.05 * sizes[0]


def grown(registry: AppRegistry, numbers: Iterator[int], count: int, apps: int) -> int:
    """Let requests come and return how much memory is in use then."""
    for number in islice(numbers, count):
        app_id = f"app_{number % apps}"
        record = entry(number, app_id, body=b"%100d" % number, response_body=b"%300d" % number)
        journal_entries.add(registry.find(app_id).journal, record)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@given(st.lists(st.sampled_from(APPS), max_size=30))
def test_the_newest_is_always_kept(app_ids: list[str | None]) -> None:
    journal = Apps(max_records=5, protected=2)
    for number, app_id in enumerate(app_ids):
        add(journal, entry(number, app_id))
        assert ids(journal)[0] == f"req_{number}"


@given(st.lists(st.sampled_from(APPS), max_size=120))
def test_when_it_is_read_changes_nothing(app_ids: list[str | None]) -> None:
    """Entries come in by the dozen, or as soon as somebody looks: what goes is the same."""
    watched, left_alone = Apps(max_records=6, protected=2), Apps(max_records=6, protected=2)
    for number, app_id in enumerate(app_ids):
        for journal in (watched, left_alone):
            add(journal, entry(number, app_id))
        assert len(ids(watched)) == min(number + 1, 6)
    assert ids(left_alone) == ids(watched)
    for app_id in APPS:
        assert left_alone.count_evicted(app_id) == watched.count_evicted(app_id)
