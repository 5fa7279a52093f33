"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, dropwhile, islice
from typing import Literal, NamedTuple

Headers = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]

# What an entry costs beside the bytes that it keeps, and each piece of its answer.
ENTRY_BYTES, CHUNK_BYTES = 1_700, 125
# For so many apps at least it is known how many requests they had.
FEWEST_APPS = 100


class Entry(NamedTuple):
    """One request and its answer.

    `chunks` are the pieces of the answer's body, each with the milliseconds since the request began; `status` is None
    where no answer was begun. `turn` is the entry's place among all that was asked, `began` when it came, in seconds of
    real time on a clock that never goes back; `stood_at` is where the app's time stood still then, None where it ran.
    """

    at: int
    method: str
    path: bytes
    query: bytes
    headers: Headers
    scheme: str = "http"
    id: str = ""
    app_id: str | None = None
    operation: str | None = None
    body: bytes = b""
    status: int | None = None
    answer_headers: Headers = []  # noqa: RUF012 - nothing changes an entry
    chunks: list[tuple[float, bytes]] = []  # noqa: RUF012
    duration_ms: float = 0.0
    fault: str | None = None
    violation: str | None = None
    ended: Ended = "complete"
    turn: int = 0
    began: float = 0.0
    stood_at: int | None = None

    def weight(self) -> int:
        """Return about how many bytes the entry holds on to."""
        held = len(self.body) + len(self.path) + len(self.query) + CHUNK_BYTES * len(self.chunks) + ENTRY_BYTES
        for _, chunk in self.chunks:
            held += len(chunk)
        return held + sum(map(len, chain.from_iterable(chain(self.headers, self.answer_headers))))


@dataclass(slots=True, eq=False)
class Counted:
    """What is counted of one app: its requests, its entries ever added, and those that are gone, by operation.

    `prefix` is how the ids of its requests begin, once somebody has set it.
    """

    app_id: str | None
    prefix: str = ""
    requests: int = 0
    added: int = 0
    forgotten: bool = False
    evicted: Counter[str | None] = field(default_factory=Counter)
    # Entries whose turn to go has come while they were among the app's newest.
    spared: list[_Kept] = field(default_factory=list)


class _Kept(NamedTuple):
    """An entry with its place in the journal and among those of its app, and its weight in bytes."""

    number: int
    app: Counted
    nth: int
    weight: int
    entry: Entry


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
        self._lost = 0
        self._weight = 0
        self._last = 0
        self._turns = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def turn(self) -> int:
        """Return the place of something that is asked now, among all that is ever asked."""
        self._turns += 1
        return self._turns

    def begin(self, app_id: str | None) -> Counted:
        """Count one more request of an app; the one that was quiet longest makes room when there are too many."""
        app = self._known.get(app_id)
        if app is None:
            app = self._known[app_id] = Counted(app_id)
            if len(self._known) > max(self._most, FEWEST_APPS):
                _, quiet = self._known.popitem(last=False)
                self._lost += sum(quiet.evicted.values())
        self._known.move_to_end(app_id)
        app.requests += 1
        return app

    def add(self, app: Counted, entry: Entry) -> None:
        """Keep an entry; what no longer fits goes. One whose app was forgotten since it began is not kept."""
        if app.forgotten:
            return
        self._last += 1
        app.added += 1
        weight = entry.weight()
        self._ahead.append(_Kept(self._last, app, app.added, weight, entry))
        self._weight += weight
        while app.spared and not self._is_spared(app.spared[0]):
            heapq.heappush(self._due, app.spared.pop(0).number)
        while self._is_too_much():
            self._evict()
        for listener in self._listeners:
            listener(entry)

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with this id."""
        return next((kept.entry for kept in self._newest_first() if kept.entry.id == entry_id), None)

    def newest_first(self, after: str | None = None) -> Iterator[Entry]:
        """Yield every entry, or those behind the one with the id `after`, newest first."""
        entries = (kept.entry for kept in self._newest_first())
        return entries if after is None else islice(dropwhile(lambda entry: entry.id != after, entries), 1, None)

    def count(self, app_id: str) -> int:
        """Return how many requests an app has had since it began, evicted ones too."""
        return self._known[app_id].requests if app_id in self._known else 0

    def apps(self) -> set[str]:
        """Return the ids of the apps that requests were counted for."""
        return {app_id for app_id in self._known if app_id is not None}

    def evicted(self, app_id: str | None, operation: str | None) -> int:
        """Return how many entries that a question is about are gone; None asks about any."""
        if app_id is not None and app_id not in self._known:
            return self._lost
        asked = self._known.values() if app_id is None else [self._known[app_id]]
        counts = (count for app in asked for op, count in app.evicted.items() if operation in (None, op))
        return sum(counts) + (self._lost if app_id is None else 0)

    def forget(self, app_id: str | None) -> None:
        """Drop the entries of an app, of all apps for None; what was evicted of it is forgotten too."""
        stay = [kept for kept in reversed(list(self._newest_first())) if app_id not in (None, kept.app.app_id)]
        self._passed = {kept.number: kept for kept in stay if kept.number in self._passed}
        self._ahead = deque(kept for kept in stay if kept.number not in self._passed)
        self._due = [number for number in self._due if number in self._passed]
        heapq.heapify(self._due)
        self._weight = sum(kept.weight for kept in stay)
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
        return chain(reversed(self._ahead), reversed(self._passed.values()))

    def _is_too_much(self) -> bool:
        count = len(self._ahead) + len(self._passed)
        return count > self._most or (self._weight > self._most_bytes and count > 1)

    def _is_spared(self, kept: _Kept) -> bool:
        """Say whether an entry is among the newest of its app."""
        return kept.app.added - kept.nth < self._spared

    def _evict(self) -> None:
        kept = self._next_to_go()
        self._weight -= kept.weight
        if self._known.get(kept.app.app_id) is kept.app:
            kept.app.evicted[kept.entry.operation] += 1
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
