"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Headers = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]

# What an entry costs beside the bytes that it keeps.
ENTRY_BYTES = 1_500
CHUNK_BYTES = 125
# For so many apps at least it is known how many requests they had.
FEWEST_APPS = 100


@dataclass(slots=True)
class Counted:
    """What is counted of one app: its requests, and the entries that are gone, by operation."""

    requests: int = 0
    forgotten: bool = False
    evicted: Counter[str | None] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request and its answer.

    `chunks` are the pieces of the answer's body, each with the milliseconds since the request began; `status` is None
    where no answer was begun. `number` is the entry's place in the journal, `turn` its place among all that was asked.
    `began` is when it came, in seconds of real time on a clock that never goes back; `stood_at` where the app's time
    stood still then, None where it ran.
    """

    id: str = ""
    number: int = 0
    turn: int = 0
    at: int
    began: float = 0.0
    stood_at: int | None = None
    app_id: str | None = None
    operation: str | None = None
    method: str
    scheme: str = "http"
    path: bytes
    query: bytes
    headers: Headers
    body: bytes = b""
    status: int | None = None
    answer_headers: Headers = field(default_factory=list)
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    duration_ms: float = 0.0
    fault: str | None = None
    violation: str | None = None
    ended: Ended = "complete"
    size: int = 0
    counted: Counted | None = None

    def weigh(self) -> int:
        """Note and return about how many bytes the entry holds on to, once it is whole."""
        held = len(self.body) + len(self.path) + len(self.query)
        held += sum(len(chunk) + CHUNK_BYTES for _, chunk in self.chunks)
        for name, value in (*self.headers, *self.answer_headers):
            held += len(name) + len(value)
        self.size = held + ENTRY_BYTES
        return self.size


class Journal:
    """Keeps entries, newest last, and tells listeners of each new one."""

    def __init__(self, *, most: int = 10_000, most_bytes: int = 64 * 1024**2, spared: int = 200) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._spared = spared
        self._entries: dict[int, Entry] = {}
        self._numbers: dict[str, int] = {}
        self._newest: defaultdict[str | None, deque[int]] = defaultdict(deque)
        self._spare: list[int] = []
        self._known: OrderedDict[str | None, Counted] = OrderedDict()
        self._lost = 0
        self._size = 0
        self._last = 0
        self._turns = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def turn(self) -> int:
        """Return the place of something that is asked now, among all that is ever asked."""
        self._turns += 1
        return self._turns

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
        self._last += 1
        entry.number = self._last
        self._entries[entry.number] = entry
        self._numbers[entry.id] = entry.number
        self._size += entry.weigh()
        newest = self._newest[entry.app_id]
        newest.append(entry.number)
        if len(newest) > self._spared:
            heapq.heappush(self._spare, newest.popleft())
        while len(self._entries) > self._most or (self._size > self._most_bytes and len(self._entries) > 1):
            self._evict()
        for listener in self._listeners:
            listener(entry)

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with this id."""
        number = self._numbers.get(entry_id)
        return self._entries.get(number) if number else None

    def newest_first(self) -> Iterator[Entry]:
        """Yield every entry, newest first."""
        return reversed(self._entries.values())

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
        gone = [entry for entry in self._entries.values() if app_id in (None, entry.app_id)]
        for entry in gone:
            self._drop(entry)
        for known in self._known if app_id is None else {app_id} & self._known.keys():
            self._known[known].evicted.clear()
        if app_id is None:
            self._lost = 0
        for app in [app for app in self._newest if app_id in (None, app)]:
            del self._newest[app]
        self._spare = [number for number in self._spare if number in self._entries]
        heapq.heapify(self._spare)

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

    def _evict(self) -> None:
        number = heapq.heappop(self._spare) if self._spare else next(iter(self._entries))
        entry = self._entries[number]
        newest = self._newest[entry.app_id]
        if newest and newest[0] == number:
            newest.popleft()
        if not newest:
            del self._newest[entry.app_id]
        self._drop(entry)
        self._app(entry.app_id).evicted[entry.operation] += 1

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.number]
        # A forgotten app counts from 1 again, and a late answer of it may have the same id.
        if self._numbers.get(entry.id) == entry.number:
            del self._numbers[entry.id]
        self._size -= entry.size

    def _app(self, app_id: str | None) -> Counted:
        """Return what is counted of an app; the one that was quiet longest makes room when there are too many."""
        app = self._known.get(app_id)
        if app is None:
            app = self._known[app_id] = Counted()
            if len(self._known) > max(self._most, FEWEST_APPS):
                _, quiet = self._known.popitem(last=False)
                self._lost += sum(quiet.evicted.values())
        self._known.move_to_end(app_id)
        return app
