"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.state.entry import Entry, Fields, pack, unpack

# What an entry costs beside its packed form.
ENTRY_BYTES = 250
# For so many apps at least it is known how many requests they had.
FEWEST_APPS = 100
# So many records come in before they are packed and counted, all at once: what is done again right away is done fast.
# Large ones don't wait.
BATCH, LARGE = 16, 64 * 1024


class Record(Protocol):
    """A request that the journal shows from when it begins, and packs when it is over."""

    app_id: str | None
    operation: str | None
    id: bytes
    turn: int
    counted: Counted

    def fields(self) -> Fields:
        """Return the fields of its entry, as far as it has come."""
        ...


class Counted:
    """What is counted of one app: its requests, its entries ever added, and those that are gone, by operation."""

    __slots__ = ("added", "app_id", "evicted", "forgotten", "is_known", "prefix", "requests", "spared", "stem")

    def __init__(self, app_id: str | None, prefix: str) -> None:
        self.app_id = app_id
        # How the ids of its requests begin: all of them, and those of the next.
        self.prefix = prefix.encode()
        self.stem = self.prefix + b"000000"
        self.requests = 0
        self.added = 0
        # Whether somebody can still ask for it: not after it made room, nor after it was forgotten.
        self.is_known = True
        self.forgotten = False
        self.evicted: dict[str | None, int] = {}
        # Entries whose turn to go has come while they were among the app's newest: which of the app's they are, and
        # their places among all that are spared.
        self.spared: deque[tuple[int, int]] = deque()


# An entry as the journal keeps it: its turn, the counts of its app, which of the app's it is, its operation; all of it,
# packed.
# As the many small objects that they were made of, thousands of entries would be strewn over memory that no cache of
# the processor holds, and each request would wait for what has to go. (A named tuple takes twice as long to make.)
Kept = tuple[int, Counted, int, str | None, bytes]


# The last two digits of an id. To put them to its stem, which changes with every 256th request, takes a fraction of the
# time that writing the number takes.
_ENDS = [b"%02x" % number for number in range(256)]


def _has_id(row: Record | Kept, entry_id: str) -> bool:
    if not isinstance(row, tuple):
        return row.id == entry_id.encode()
    # Most that have another one don't contain it at all.
    return entry_id.encode() in row[4] and unpack(row[4]).id == entry_id


def _app_id_of(row: Record | Kept) -> str | None:
    return row[1].app_id if isinstance(row, tuple) else row.app_id


def _operation_of(row: Record | Kept) -> str | None:
    return row[3] if isinstance(row, tuple) else row.operation


def _entry_of(row: Record | Kept) -> Entry:
    return unpack(row[4]) if isinstance(row, tuple) else Entry._make(row.fields())


class Journal:
    """Keeps entries in the order in which the requests began, and tells listeners when one begins and when it is over.

    `prefix` says how the ids of an app's requests begin; `turns` are the places of what is asked, among all that
    is ever asked.
    """

    def __init__(
        self,
        prefix: Callable[[str | None], str],
        *,
        most: int = 10_000,
        most_bytes: int = 64 * 1024**2,
        spared: int = 200,
    ) -> None:
        self.turns = itertools.count(1)
        self._prefix = prefix
        self._most = most
        self._most_bytes = most_bytes
        self._spared = spared
        # All that can be read, by turn: a request under way (or not yet packed), an entry when it is over.
        self._rows: dict[int, Record | Kept] = {}
        # Oldest first: those whose turn to go will come, and those whose turn has come while they were spared.
        self._ahead: deque[Kept] = deque()
        self._passed: dict[int, Kept] = {}
        self._passes = itertools.count()
        # Places of the passed ones that are no longer spared.
        self._due: list[int] = []
        # What came last.
        self._fresh: list[Record] = []
        self._known: OrderedDict[str | None, Counted] = OrderedDict()
        self._lost = 0
        self._weight = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def begin(self, record: Record) -> None:
        """Count one more request of its app, and give it its id and turn: the n-th of an app has always the same id.

        From now on it can be read.
        """
        app_id = record.app_id
        record.counted = app = self._known.get(app_id) or self._new(app_id)
        app.requests = nth = app.requests + 1
        if not nth & 0xFF:
            app.stem = b"%b%06x" % (app.prefix, nth >> 8)
        record.id = app.stem + _ENDS[nth & 0xFF]
        record.turn = turn = next(self.turns)
        self._rows[turn] = record
        if self._listeners:
            self._tell(Entry._make(record.fields()))

    def _new(self, app_id: str | None) -> Counted:
        """Begin to count for an app; the one that was quiet longest makes room when there are too many."""
        app = self._known[app_id] = Counted(app_id, self._prefix(app_id))
        if len(self._known) > max(self._most, FEWEST_APPS):
            self._settle()
            _, quiet = self._known.popitem(last=False)
            quiet.is_known = False
            self._lost += sum(quiet.evicted.values())
        return app

    def add(self, record: Record, size: int) -> None:
        """Keep the entry of a request; what no longer fits goes. One whose app was forgotten meanwhile is not kept.

        `size` is how many bytes of bodies it has.
        """
        self._fresh.append(record)
        if len(self._fresh) >= BATCH or size > LARGE or self._listeners:
            self._settle()

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with this id."""
        return next((_entry_of(row) for row in self._newest_first() if _has_id(row, entry_id)), None)

    def newest_first(
        self, *, after: str | None = None, app_id: str | None = None, operation: str | None = None
    ) -> Iterator[Entry]:
        """Return entries, what began last first; those behind the one with the id `after`, of an app, of an operation.

        Raises:
            LookupError: there is no entry with the id `after`.
        """
        found = self._newest_first()
        # What is looked through up to this entry is used up.
        if after is not None and not any(_has_id(row, after) for row in found):
            raise LookupError(after)
        return (
            _entry_of(row)
            for row in found
            if app_id in (None, _app_id_of(row)) and operation in (None, _operation_of(row))
        )

    def count(self, app_id: str) -> int:
        """Return how many requests an app has had since it began, evicted ones too."""
        return self._known[app_id].requests if app_id in self._known else 0

    def apps(self) -> set[str]:
        """Return the ids of the apps that requests were counted for."""
        return {app_id for app_id in self._known if app_id is not None}

    def evicted(self, app_id: str | None, operation: str | None) -> int:
        """Return how many entries that a question is about are gone; None asks about any."""
        self._settle()
        if app_id is not None and app_id not in self._known:
            return self._lost
        asked = self._known.values() if app_id is None else [self._known[app_id]]
        counts = (count for app in asked for op, count in app.evicted.items() if operation in (None, op))
        return sum(counts) + (self._lost if app_id is None else 0)

    def forget(self, app_id: str | None) -> None:
        """Drop the entries of an app, of all apps for None; what was evicted of it is forgotten too.

        What is under way is not over yet: its entry is to come.
        """
        self._settle()
        self._ahead = deque(kept for kept in self._ahead if app_id not in (None, kept[1].app_id))
        self._passed = {at: kept for at, kept in self._passed.items() if app_id not in (None, kept[1].app_id)}
        self._due = [place for place in self._due if place in self._passed]
        heapq.heapify(self._due)
        self._rows = {
            turn: row
            for turn, row in self._rows.items()
            if not isinstance(row, tuple) or app_id not in (None, row[1].app_id)
        }
        self._weight = sum(ENTRY_BYTES + len(row[4]) for row in self._rows.values() if isinstance(row, tuple))
        for known in self._known if app_id is None else {app_id} & self._known.keys():
            self._known[known].evicted.clear()
            self._known[known].spared.clear()
        if app_id is None:
            self._lost = 0

    def restart(self, app_id: str) -> None:
        """Forget an app whole, its count of requests too; what is under way leaves no entry."""
        self.forget(app_id)
        self._rows = {turn: row for turn, row in self._rows.items() if _app_id_of(row) != app_id}
        counted = self._known.pop(app_id, None)
        if counted is not None:
            counted.is_known = False
            counted.forgotten = True

    def subscribe(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Tell `listener` of each request that begins or is over, until the returned function is called."""
        self._settle()
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, entry: Entry) -> None:
        for listener in self._listeners:
            listener(entry)

    def _newest_first(self) -> Iterator[Record | Kept]:
        self._settle()
        return reversed(self._rows.values())

    def _settle(self) -> None:
        """Take in what came, one after the other, and let go what no longer fits."""
        fresh, self._fresh = self._fresh, []
        ahead, passed, rows = self._ahead, self._passed, self._rows
        for record in fresh:
            app, fields = record.counted, record.fields()
            if app.forgotten:
                continue
            if app.is_known:
                self._known.move_to_end(app.app_id)
            app.added = nth = app.added + 1
            packed = pack(fields)
            rows[record.turn] = kept = (record.turn, app, nth, fields[2], packed)
            ahead.append(kept)
            self._weight += ENTRY_BYTES + len(packed)
            if app.spared and nth - app.spared[0][0] >= self._spared:
                heapq.heappush(self._due, app.spared.popleft()[1])
            while (left := len(ahead) + len(passed)) > self._most or (self._weight > self._most_bytes and left > 1):
                self._let_one_go()
            if self._listeners:
                self._tell(Entry._make(fields))

    def _let_one_go(self) -> None:
        """Let the oldest entry go that isn't spared, the oldest of all where all are."""
        kept = self._passed.pop(heapq.heappop(self._due)) if self._due else self._next_in_turn()
        turn, app, _, operation, packed = kept
        del self._rows[turn]
        self._weight -= ENTRY_BYTES + len(packed)
        if app.is_known:
            app.evicted[operation] = app.evicted.get(operation, 0) + 1
        else:
            self._lost += 1

    def _next_in_turn(self) -> Kept:
        """Take out the oldest whose turn it is; those that are spared meanwhile are passed over."""
        while self._ahead:
            kept = self._ahead.popleft()
            _, app, nth, _, _ = kept
            if app.added - nth >= self._spared:
                return kept
            place = next(self._passes)
            self._passed[place] = kept
            app.spared.append((nth, place))
        kept = self._passed.pop(next(iter(self._passed)))
        kept[1].spared.popleft()
        return kept
