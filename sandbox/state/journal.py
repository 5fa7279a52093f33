"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept packed, one piece of bytes each: the many small objects of a request would cost more to hold on to than
to pack. Whoever reads one unpacks it, and turns it into JSON. Oldest out first, but an app's newest entries go last, so
that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
import marshal
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import chain
from operator import attrgetter
from typing import Literal, NamedTuple

Headers = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]

# What an entry costs beside its packed bytes.
ENTRY_BYTES = 700
# So many entries, or bytes in them, wait at most until they are packed; a piece of an answer costs some of its own.
TOGETHER, MOST_WAITING_BYTES, CHUNK_BYTES = 64, 4 * 1024**2, 125
# For so many apps at least it is known how many requests they had.
FEWEST_APPS = 100


@dataclass(slots=True, eq=False)
class Counted:
    """What is counted of one app: its requests, its entries ever added, and those that are gone, by operation."""

    app_id: str | None
    requests: int = 0
    added: int = 0
    forgotten: bool = False
    evicted: Counter[str | None] = field(default_factory=Counter)
    # Entries whose turn to go has come while they were among the app's newest.
    spared: list[_Kept] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """One request and its answer.

    `chunks` are the pieces of the answer's body, each with the milliseconds since the request began; `status` is None
    where no answer was begun. `number` is the entry's place in the journal.
    """

    at: int
    method: str
    path: bytes
    query: bytes
    headers: Headers
    scheme: str = "http"
    id: str = ""
    number: int = 0
    app_id: str | None = None
    operation: str | None = None
    body: bytes = b""
    status: int | None = None
    answer_headers: Headers = field(default_factory=list)
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    duration_ms: float = 0.0
    fault: str | None = None
    violation: str | None = None
    ended: Ended = "complete"
    counted: Counted | None = None


class _Kept(NamedTuple):
    """An entry as it is kept: what entries are looked for by, its place among those of its app, and the rest."""

    number: int
    id: str
    app: Counted
    nth: int
    operation: str | None
    packed: bytes


class Journal:
    """Keeps entries, newest last, and tells listeners of each new one."""

    def __init__(self, *, most: int = 10_000, most_bytes: int = 64 * 1024**2, spared: int = 200) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._spared = spared
        # Oldest first: those whose turn to go will come, and those whose turn has come while they were spared.
        self._ahead: deque[_Kept] = deque()
        self._passed: dict[int, _Kept] = {}
        # Numbers of the passed ones that are no longer spared.
        self._due: list[int] = []
        self._known: OrderedDict[str | None, Counted] = OrderedDict()
        self._waiting: list[Entry] = []
        self._waiting_bytes = 0
        self._lost = 0
        self._size = 0
        self._last = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def begin(self, entry: Entry) -> int:
        """Count one more request of the entry's app and return its number."""
        app = self._app(entry.app_id)
        app.requests += 1
        entry.counted = app
        return app.requests

    def add(self, entry: Entry) -> None:
        """Keep an entry; what no longer fits goes. One whose app was forgotten meanwhile is not kept."""
        if entry.counted is not None and entry.counted.forgotten:
            return
        self._last = entry.number = self._last + 1
        self._waiting.append(entry)
        self._waiting_bytes += len(entry.body) + CHUNK_BYTES * len(entry.chunks)
        for _, chunk in entry.chunks:
            self._waiting_bytes += len(chunk)
        if len(self._waiting) >= TOGETHER or self._waiting_bytes > MOST_WAITING_BYTES:
            self._put_away()
        for listener in self._listeners:
            listener(entry)

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with this id."""
        return next((_unpacked(kept) for kept in self._newest_first() if kept.id == entry_id), None)

    def newest_first(self, app_id: str | None = None, operation: str | None = None) -> Iterator[Entry]:
        """Yield the entries of an app or operation, None: of all, newest first."""
        for kept in self._newest_first():
            if app_id in (None, kept.app.app_id) and operation in (None, kept.operation):
                yield _unpacked(kept)

    def count(self, app_id: str) -> int:
        """Return how many requests an app has had since it began, evicted ones too."""
        return self._known[app_id].requests if app_id in self._known else 0

    def apps(self) -> set[str]:
        """Return the ids of the apps that requests were counted for."""
        return {app_id for app_id in self._known if app_id is not None}

    def evicted(self, app_id: str | None, operation: str | None) -> int:
        """Return how many entries that a question is about are gone; None asks about any."""
        self._put_away()
        if app_id is not None and app_id not in self._known:
            return self._lost
        asked = self._known.values() if app_id is None else [self._known[app_id]]
        counts = (count for app in asked for op, count in app.evicted.items() if operation in (None, op))
        return sum(counts) + (self._lost if app_id is None else 0)

    def forget(self, app_id: str | None) -> None:
        """Drop the entries of an app, of all apps for None; what was evicted of it is forgotten too."""
        self._put_away()
        stay = [kept for kept in reversed(list(self._newest_first())) if app_id not in (None, kept.app.app_id)]
        self._passed = {kept.number: kept for kept in stay if kept.number in self._passed}
        self._ahead = deque(kept for kept in stay if kept.number not in self._passed)
        self._due = [number for number in self._due if number in self._passed]
        heapq.heapify(self._due)
        self._size = sum(len(kept.packed) + ENTRY_BYTES for kept in stay)
        for known in self._known if app_id is None else {app_id} & self._known.keys():
            self._known[known].evicted.clear()
            self._known[known].spared.clear()
        if app_id is None:
            self._lost = 0

    def restart(self, app_id: str) -> None:
        """Forget an app whole, its count of requests too."""
        self.forget(app_id)
        counted = self._known.pop(app_id, None)
        if counted is not None:
            counted.forgotten = True

    def subscribe(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Tell `listener` of each new entry until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _newest_first(self) -> Iterator[_Kept]:
        self._put_away()
        return chain(reversed(self._ahead), reversed(self._passed.values()))

    def _put_away(self) -> None:
        """Pack the entries that wait: many at once cost much less than each in the middle of its request."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for entry in waiting:
            app = entry.counted or self._app(entry.app_id)
            app.added += 1
            kept = _Kept(entry.number, entry.id, app, app.added, entry.operation, packed(entry))
            self._ahead.append(kept)
            self._size += len(kept.packed) + ENTRY_BYTES
            while app.spared and not self._is_spared(app.spared[0]):
                heapq.heappush(self._due, app.spared.pop(0).number)
            while self._is_too_much():
                self._evict()

    def _is_too_much(self) -> bool:
        count = len(self._ahead) + len(self._passed)
        return count > self._most or (self._size > self._most_bytes and count > 1)

    def _is_spared(self, kept: _Kept) -> bool:
        """Say whether an entry is among the newest of its app."""
        return kept.app.added - kept.nth < self._spared

    def _evict(self) -> None:
        kept = self._next_to_go()
        self._size -= len(kept.packed) + ENTRY_BYTES
        if self._known.get(kept.app.app_id) is kept.app:
            kept.app.evicted[kept.operation] += 1
        else:
            self._lost += 1

    def _next_to_go(self) -> _Kept:
        """Take out the oldest that isn't spared, the oldest of all where all are."""
        if self._due:
            return self._passed.pop(heapq.heappop(self._due))
        while self._ahead:
            kept = self._ahead.popleft()
            if not self._is_spared(kept):
                return kept
            self._passed[kept.number] = kept
            kept.app.spared.append(kept)
        kept = self._passed.pop(next(iter(self._passed)))
        kept.app.spared.pop(0)
        return kept

    def _app(self, app_id: str | None) -> Counted:
        """Return what is counted of an app; the one that was quiet longest makes room when there are too many."""
        app = self._known.get(app_id)
        if app is None:
            app = self._known[app_id] = Counted(app_id)
            if len(self._known) > max(self._most, FEWEST_APPS):
                _, quiet = self._known.popitem(last=False)
                self._lost += sum(quiet.evicted.values())
        self._known.move_to_end(app_id)
        return app


# All of an entry but what is counted, in the order of its fields.
_values = attrgetter(*(each.name for each in fields(Entry) if each.name != "counted"))

# The fastest writer there is; a version of it without references, which take longer to find than to write.
_MARSHAL = 2


def packed(entry: Entry) -> bytes:
    """Return all of an entry in one piece; it never leaves this process."""
    return marshal.dumps(_values(entry), _MARSHAL)


def _unpacked(kept: _Kept) -> Entry:
    return Entry(*marshal.loads(kept.packed))  # noqa: S302 - packed above
