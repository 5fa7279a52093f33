"""The request journal: what was really asked and answered, bounded by count and bytes (docs/control.md, Requests).

Records are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
records go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sandbox.apps.request_record import RequestRecord, pack, unpack
from sandbox.apps.store import JournalView
from sandbox.apps.watchers import Watchers

# What a record costs beside its packed form.
RECORD_BYTES = 300
# So many requests end before they are packed and counted, all at once: what is done again right away is done fast.
# Large ones don't wait.
BATCH, LARGE = 16, 64 * 1024


class OpenRequest(Protocol):
    """A request that the journal shows from when it begins, and packs when it is over."""

    operation_id: str | None
    id: bytes
    seq: int
    journal: AppJournal

    def fields(self) -> tuple[Any, ...]:
        """Return the fields of its record, as far as it has come."""
        ...


# A record as the journal keeps it: its id, its operation; all of it, packed. Measured beside a deque of the records'
# own tuples, 200,000 requests: 72 MB against 82, and 7 to 9 % more small requests a second of the processor's time, as
# thousands of small objects are strewn over memory that no cache holds.
Packed = tuple[str, str | None, bytes]
Row = OpenRequest | Packed


class AppJournal:
    """The journal of one app: its rows, and how many requests it had.

    `is_reset` is True when it no longer belongs to its app: what is under way leaves no record.
    """

    __slots__ = (
        "added",
        "app_id",
        "evicted",
        "is_known",
        "is_reset",
        "prefix",
        "protected",
        "requests",
        "rows",
        "shared",
        "stem",
        "under_way",
    )

    def __init__(self, app_id: str | None, shared: Journal, prefix: str) -> None:
        self.app_id = app_id
        self.shared = shared
        # How the ids of its requests begin: all of them, and those of the next.
        self.prefix = prefix.encode()
        self.stem = self.prefix + b"000000"
        # All of it that can be read, by seq: a request under way (or not yet packed), a record when it is over.
        self.rows: dict[int, Row] = {}
        # How many requests the app has had since it began, evicted ones too, and how many are under way.
        self.requests = 0
        self.under_way = 0
        self.added = 0
        # Whether somebody can still ask for it: not after its app made room, nor after it was reset.
        self.is_known = True
        self.is_reset = False
        self.evicted: dict[str | None, int] = {}
        # Records whose turn to go has come while they were among the app's newest: which of the app's they are, and
        # their places among all that are protected.
        self.protected: deque[tuple[int, int]] | None = None

    def newest_first(self, *, after: str | None = None, operation_id: str | None = None) -> Iterator[RequestRecord]:
        return self.shared.select(self.rows, after, operation_id)

    def count_evicted(self, operation_id: str | None = None) -> int:
        self.shared.settle()
        if not self.requests:
            # It may have been another's, that made room.
            return self.shared.evicted_elsewhere
        return sum(count for name, count in self.evicted.items() if operation_id in (None, name))

    def reset(self) -> AppJournal:
        """Drop all of it, and return a new one in its place: the app is as before its first use."""
        return self.shared.reset_app(self)


# A record's seq, its app, and which of the app's records it is.
Place = tuple[int, AppJournal, int]


# The last two digits of an id. To put them to its stem, which changes with every 256th request, takes a fraction of the
# time that writing the number takes.
_ENDS = [b"%02x" % number for number in range(256)]


def _id_of(row: Row) -> str:
    return row[0] if isinstance(row, tuple) else row.id.decode()


def _operation_of(row: Row) -> str | None:
    return row[1] if isinstance(row, tuple) else row.operation_id


def _record_of(row: Row) -> RequestRecord:
    return unpack(row[2]) if isinstance(row, tuple) else RequestRecord._make(row.fields())


class Journal:
    """Keeps the records of all apps within bounds, and tells listeners of each.

    Where it is full, the oldest record is evicted, unless it is among the newest of its app (`protected`): such a one
    is passed over, and evicted once it is no longer among them. What is due among the passed ones goes first, then the
    oldest in the queue, and where all are protected, the oldest of all.

    Args:
        prefix: says how the ids of an app's requests begin.
        max_records: how many are kept.
        max_bytes: how many bytes they may have.
        protected: how many of each app's newest go last.
    """

    def __init__(
        self,
        prefix: Callable[[str | None], str],
        *,
        max_records: int = 10_000,
        max_bytes: int = 64 * 1024**2,
        protected: int = 200,
    ) -> None:
        # Sequence numbers of requests and of control calls.
        self.sequence = itertools.count(1)
        # How many records were evicted of apps that are no longer in the registry.
        self.evicted_elsewhere = 0
        self._prefix = prefix
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._protected = protected
        # The journals of apps that have rows.
        self._apps: set[AppJournal] = set()
        # How many records there are, and how many bytes they take.
        self._count = 0
        self._bytes = 0
        # Oldest first: those whose turn to go will come, and those whose turn has come while they were protected. Some
        # may be gone with their app.
        self._queue: deque[Place] = deque()
        self._passed: dict[int, Place] = {}
        self._passes = itertools.count()
        # Places of the passed ones that are no longer protected.
        self._due: list[int] = []
        # What ended last.
        self._batch: list[OpenRequest] = []
        self._evicted: dict[str | None, int] = {}
        self._listeners: list[Callable[[RequestRecord], None]] = []
        self.watchers = Watchers()
        # Is told how many records were evicted.
        self.on_evicted: Callable[[int], None] = lambda _: None
        # The requests that name no app in the right place.
        self.no_app = self.new_app(None)

    def new_app(self, app_id: str | None) -> AppJournal:
        """Return an empty journal for an app."""
        return AppJournal(app_id, self, self._prefix(app_id))

    async def view(self, app: AppJournal | None = None) -> JournalView:
        """Return what there is of an app, or of all (None)."""
        return app or self

    async def find(self, record_id: str) -> RequestRecord | None:
        """Return the record with this id."""
        return self.get(record_id)

    async def drop(self, app: AppJournal) -> None:
        """Drop an app's records; what was evicted is forgotten too. What is under way is not over: its record comes."""
        self.clear_app(app)

    async def drop_all(self, apps: Iterable[AppJournal]) -> None:
        """Do the same with all, also with those of `apps` that have no records."""
        self.clear(apps)

    def watched_by(self, watcher: Callable[[str | None], None]) -> AbstractAsyncContextManager[None]:
        """Call `watcher` as `Watchers.joined_by` does."""
        return self.watchers.joined_by(watcher)

    async def flush(self) -> None:
        """Wait until what is over is where whoever reads the journal finds it."""

    async def identify(self, request: OpenRequest) -> None:
        """Begin a request that names no app, or that none was found for."""
        self.begin(request)

    def begin(self, request: OpenRequest) -> None:
        """Count one more request of its app, and give it its id and seq: the n-th of an app has always the same id.

        From now on it can be read.
        """
        app = request.journal
        app.requests = nth = app.requests + 1
        app.under_way += 1
        if not nth & 0xFF:
            app.stem = b"%b%06x" % (app.prefix, nth >> 8)
        request.id = app.stem + _ENDS[nth & 0xFF]
        request.seq = seq = next(self.sequence)
        if not app.rows:
            self._apps.add(app)
        app.rows[seq] = request
        if self.watchers.callbacks:
            self.watchers.tell(app.app_id)
        if self._listeners:
            self._tell(RequestRecord._make(request.fields()))

    def add(self, request: OpenRequest, size: int) -> None:
        """Keep the record of a request that is over, with so many bytes of bodies; what no longer fits goes.

        That of an app that was reset meanwhile is not kept.
        """
        request.journal.under_way -= 1
        self._batch.append(request)
        if self.watchers.callbacks:
            self.watchers.tell(request.journal.app_id)
        if len(self._batch) >= BATCH or size > LARGE or self._listeners:
            self.settle()

    def get(self, record_id: str) -> RequestRecord | None:
        """Return the record with this id."""
        self.settle()
        seq = self._seq_of(record_id)
        return next((_record_of(app.rows[seq]) for app in self._apps if seq in app.rows), None)

    def newest_first(self, *, after: str | None = None, operation_id: str | None = None) -> Iterator[RequestRecord]:
        self.settle()
        rows = dict(sorted(itertools.chain.from_iterable(app.rows.items() for app in self._apps)))
        return self.select(rows, after, operation_id)

    def select(self, rows: dict[int, Row], after: str | None, operation_id: str | None) -> Iterator[RequestRecord]:
        """Return the records of rows, as `newest_first` does."""
        self.settle()
        before = None if after is None else self._seq_of(after)
        if after is not None and before is None:
            raise LookupError(after)
        selected = [
            row
            for seq, row in reversed(rows.items())
            if (before is None or seq < before) and operation_id in (None, _operation_of(row))
        ]
        return map(_record_of, selected)

    def count_evicted(self, operation_id: str | None = None) -> int:
        self.settle()
        return self.evicted_elsewhere + sum(
            count for name, count in self._evicted.items() if operation_id in (None, name)
        )

    def clear(self, apps: Iterable[AppJournal] = ()) -> None:
        """Drop all records that are over; what was evicted is forgotten too, also of those of `apps` that have none."""
        for app in apps:
            self.clear_app(app)
        for app in tuple(self._apps):
            self.clear_app(app)
        self._queue.clear()
        self._passed.clear()
        self._due.clear()
        self._evicted.clear()
        self.evicted_elsewhere = 0

    def clear_app(self, app: AppJournal) -> None:
        """Drop the records of an app that are over."""
        self.settle()
        for row in app.rows.values():
            if isinstance(row, tuple):
                self._count -= 1
                self._bytes -= RECORD_BYTES + len(row[2])
        app.rows = {seq: row for seq, row in app.rows.items() if not isinstance(row, tuple)}
        if not app.rows:
            self._apps.discard(app)
        for _, place in app.protected or ():
            self._passed.pop(place, None)
        app.protected = None
        for operation_id, count in app.evicted.items():
            self._evicted[operation_id] = self._evicted.get(operation_id, 0) - count
        app.evicted.clear()
        if len(self._queue) > 2 * (self._count + BATCH):
            self._queue = deque(place for place in self._queue if place[0] in place[1].rows)

    def reset(self) -> None:
        """Drop everything; of an app that requests are under way for, the journal was reset before."""
        self.settle()
        self.no_app = self.no_app.reset()
        self._apps, self._passed, self._evicted = set(), {}, {}
        self._queue.clear()
        self._due.clear()
        self._count = self._bytes = self.evicted_elsewhere = 0

    def forget_app(self, app: AppJournal) -> None:
        """Drop the records of an app that leaves the registry; from now on they count as evicted elsewhere."""
        self.settle()
        before = self._count
        gone = sum(app.evicted.values())
        self.clear_app(app)
        app.is_known = False
        self.evicted_elsewhere += gone + before - self._count

    def reset_app(self, app: AppJournal) -> AppJournal:
        """Drop an app's journal whole, its count of requests too, and return a new one."""
        self.clear_app(app)
        app.rows = {}
        self._apps.discard(app)
        app.is_known, app.is_reset = False, True
        return self.new_app(app.app_id)

    def subscribe(self, listener: Callable[[RequestRecord], None]) -> Callable[[], None]:
        """Tell `listener` of each request that begins or is over, until the returned function is called."""
        self.settle()
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def settle(self) -> None:
        """Take in what ended, one after the other, and evict what no longer fits."""
        batch, self._batch = self._batch, []
        for request in batch:
            app = request.journal
            if app.is_reset:
                continue
            seq, fields = request.seq, request.fields()
            packed = pack(fields)
            app.rows[seq] = fields[0], fields[2], packed
            app.added = nth = app.added + 1
            self._queue.append((seq, app, nth))
            self._count += 1
            self._bytes += RECORD_BYTES + len(packed)
            if app.protected and nth - app.protected[0][0] >= self._protected:
                heapq.heappush(self._due, app.protected.popleft()[1])
            while self._count > self._max_records or (self._bytes > self._max_bytes and self._count > 1):
                self._evict()
            if self._listeners:
                self._tell(RequestRecord._make(fields))

    def _seq_of(self, record_id: str) -> int | None:
        """Return the seq of the newest record with this id, None where there is none."""
        rows = itertools.chain.from_iterable(app.rows.items() for app in self._apps)
        return max((seq for seq, row in rows if _id_of(row) == record_id), default=None)

    def _tell(self, record: RequestRecord) -> None:
        for listener in self._listeners:
            listener(record)

    def _evict(self) -> None:
        """Drop the oldest record that isn't protected, the oldest of all where all are."""
        self.on_evicted(1)
        seq, app = self._next_due() or self._next_queued() if self._due else self._next_queued()
        _, operation_id, packed = app.rows.pop(seq)  # type: ignore[misc] # what is queued is packed
        self._count -= 1
        self._bytes -= RECORD_BYTES + len(packed)
        if app.is_known:
            app.evicted[operation_id] = app.evicted.get(operation_id, 0) + 1
            self._evicted[operation_id] = self._evicted.get(operation_id, 0) + 1
        else:
            self.evicted_elsewhere += 1

    def _next_due(self) -> tuple[int, AppJournal] | None:
        """Take out the first of those that were passed over and are no longer protected, if one is left."""
        while self._due:
            place = self._passed.pop(heapq.heappop(self._due), None)
            if place and place[0] in place[1].rows:
                return place[:2]
        return None

    def _next_queued(self) -> tuple[int, AppJournal]:
        """Take out the oldest whose turn it is; those that are protected meanwhile are passed over."""
        while self._queue:
            seq, app, nth = place = self._queue.popleft()
            if seq not in app.rows:
                continue
            if app.added - nth >= self._protected:
                return seq, app
            number = next(self._passes)
            self._passed[number] = place
            if app.protected is None:
                app.protected = deque()
            app.protected.append((nth, number))
        seq, app, _ = self._passed.pop(next(iter(self._passed)))
        if app.protected:
            app.protected.popleft()
        return seq, app
