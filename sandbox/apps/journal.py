"""The request journal: what was really asked and answered, bounded by count and bytes (docs/control.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.apps.entry import Entry, Fields, pack, unpack

# What an entry costs beside its packed form.
ENTRY_BYTES = 300
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
    """What is known of one app: its rows, its requests, its entries ever added, those that are gone by operation."""

    __slots__ = ("added", "app_id", "evicted", "forgotten", "is_known", "prefix", "requests", "rows", "spared", "stem")

    def __init__(self, app_id: str | None, prefix: str) -> None:
        self.app_id = app_id
        # How the ids of its requests begin: all of them, and those of the next.
        self.prefix = prefix.encode()
        self.stem = self.prefix + b"000000"
        # All of it that can be read, by turn: a request under way (or not yet packed), an entry when it is over.
        self.rows: dict[int, Record | Kept] = {}
        self.requests = 0
        self.added = 0
        # Whether somebody can still ask for it: not after it made room, nor after it was forgotten.
        self.is_known = True
        self.forgotten = False
        self.evicted: dict[str | None, int] = {}
        # Entries whose turn to go has come while they were among the app's newest: which of the app's they are, and
        # their places among all that are spared.
        self.spared: deque[tuple[int, int]] = deque()


# An entry as the journal keeps it: its id, its operation; all of it, packed.
# As the many small objects that they were made of, thousands of entries would be strewn over memory that no cache of
# the processor holds, and each request would wait for what has to go. (A named tuple takes twice as long to make.)
Kept = tuple[str, str | None, bytes]

# An entry's turn, its app, and which of the app's entries it is.
Place = tuple[int, Counted, int]


# The last two digits of an id. To put them to its stem, which changes with every 256th request, takes a fraction of the
# time that writing the number takes.
_ENDS = [b"%02x" % number for number in range(256)]


def _id_of(row: Record | Kept) -> str:
    return row[0] if isinstance(row, tuple) else row.id.decode()


def _operation_of(row: Record | Kept) -> str | None:
    return row[1] if isinstance(row, tuple) else row.operation


def _entry_of(row: Record | Kept) -> Entry:
    return unpack(row[2]) if isinstance(row, tuple) else Entry._make(row.fields())


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
        # All that can be read, by turn.
        self._rows: dict[int, Record | Kept] = {}
        # How many of them are over.
        self._over = 0
        # Oldest first: those whose turn to go will come, and those whose turn has come while they were spared. Some
        # may be gone with their app.
        self._ahead: deque[Place] = deque()
        self._passed: dict[int, Place] = {}
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
        self._rows[turn] = app.rows[turn] = record
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
            before = self._over
            self._drop_entries(quiet)
            self._lost += before - self._over
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
        return next((_entry_of(row) for row in self._newest_first() if _id_of(row) == entry_id), None)

    def newest_first(
        self, *, after: str | None = None, app_id: str | None = None, operation: str | None = None
    ) -> Iterator[Entry]:
        """Return entries, what began last first; those behind the one with the id `after`, of an app, of an operation.

        What comes after the call changes nothing in them: they may be read in a thread.

        Raises:
            LookupError: there is no entry with the id `after`.
        """
        before = None if after is None else self._turn_of(after)
        found = [
            row
            for turn, row in reversed(self._rows_of(app_id).items())
            if (before is None or turn < before) and operation in (None, _operation_of(row))
        ]
        return map(_entry_of, found)

    def of_no_app(self) -> Iterator[Entry]:
        """Return the entries of requests that named no app in the right place, what began last first."""
        app = self._known.get(None)
        return map(_entry_of, list(reversed(app.rows.values())) if app else [])

    def _rows_of(self, app_id: str | None) -> dict[int, Record | Kept]:
        self._settle()
        if app_id is None:
            return self._rows
        return self._known[app_id].rows if app_id in self._known else {}

    def _turn_of(self, entry_id: str) -> int:
        for turn, row in reversed(self._rows.items()):
            if _id_of(row) == entry_id:
                return turn
        raise LookupError(entry_id)

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
        if app_id is not None:
            if app_id in self._known:
                self._drop_entries(self._known[app_id])
            return
        for app in self._known.values():
            self._drop_entries(app)
        # Those of apps that nobody can ask for any more.
        for turn in [turn for turn, row in self._rows.items() if isinstance(row, tuple)]:
            self._drop(turn)
        self._ahead.clear()
        self._passed.clear()
        self._due.clear()
        self._lost = 0

    def _drop_entries(self, app: Counted) -> None:
        for turn in [turn for turn, row in app.rows.items() if isinstance(row, tuple)]:
            self._drop(turn)
            del app.rows[turn]
        for _, place in app.spared:
            del self._passed[place]
        app.spared.clear()
        app.evicted.clear()
        if len(self._ahead) > 2 * (self._over + BATCH):
            self._ahead = deque(place for place in self._ahead if place[0] in self._rows)

    def _drop(self, turn: int) -> None:
        row = self._rows.pop(turn)
        if isinstance(row, tuple):
            self._over -= 1
            self._weight -= ENTRY_BYTES + len(row[2])

    def restart(self, app_id: str) -> None:
        """Forget an app whole, its count of requests too; what is under way leaves no entry."""
        self.forget(app_id)
        app = self._known.pop(app_id, None)
        if app is not None:
            for turn in app.rows:
                self._drop(turn)
            app.is_known, app.forgotten = False, True

    def restart_all(self) -> None:
        """Forget every app whole."""
        self._settle()
        for app in self._known.values():
            app.is_known, app.forgotten = False, True
        self._known.clear()
        self._rows, self._passed, self._ahead, self._due = {}, {}, deque(), []
        self._over = self._weight = self._lost = 0

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
        for record in fresh:
            app, fields = record.counted, record.fields()
            if app.forgotten:
                continue
            if app.is_known:
                self._known.move_to_end(app.app_id)
            app.added = nth = app.added + 1
            packed = pack(fields)
            self._rows[record.turn] = app.rows[record.turn] = (fields[0], fields[2], packed)
            self._ahead.append((record.turn, app, nth))
            self._over += 1
            self._weight += ENTRY_BYTES + len(packed)
            if app.spared and nth - app.spared[0][0] >= self._spared:
                heapq.heappush(self._due, app.spared.popleft()[1])
            while self._over > self._most or (self._weight > self._most_bytes and self._over > 1):
                self._let_one_go()
            if self._listeners:
                self._tell(Entry._make(fields))

    def _let_one_go(self) -> None:
        """Let the oldest entry go that isn't spared, the oldest of all where all are."""
        while self._due:
            place = self._passed.pop(heapq.heappop(self._due), None)
            if place and place[0] in self._rows:
                break
        else:
            place = self._next_in_turn()
        turn, app, _ = place
        operation = _operation_of(self._rows[turn])
        self._drop(turn)
        del app.rows[turn]
        if app.is_known:
            app.evicted[operation] = app.evicted.get(operation, 0) + 1
        else:
            self._lost += 1

    def _next_in_turn(self) -> Place:
        """Take out the oldest whose turn it is; those that are spared meanwhile are passed over."""
        while self._ahead:
            place = self._ahead.popleft()
            turn, app, nth = place
            if turn not in self._rows:
                continue
            if app.added - nth >= self._spared:
                return place
            number = next(self._passes)
            self._passed[number] = place
            app.spared.append((nth, number))
        place = self._passed.pop(next(iter(self._passed)))
        place[1].spared.popleft()
        return place
