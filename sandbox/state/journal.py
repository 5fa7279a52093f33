"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Headers = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]

# What an entry costs beside the bytes that it keeps.
ENTRY_BYTES = 1_500


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request and its answer.

    `chunks` are the pieces of the answer's body, each with the milliseconds since the request began; `status` is None
    where no answer was begun. `number` is the entry's place in the journal.
    """

    id: str = ""
    number: int = 0
    at: int
    app_id: str | None = None
    operation: str | None = None
    method: str
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

    @property
    def size(self) -> int:
        """How many bytes the entry holds on to."""
        kept = len(self.body) + len(self.path) + len(self.query) + sum(len(chunk) for _, chunk in self.chunks)
        return kept + ENTRY_BYTES


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
        self._counts: Counter[str | None] = Counter()
        self._evicted: Counter[tuple[str | None, str | None]] = Counter()
        self._size = 0
        self._last = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def begin(self, app_id: str | None) -> int:
        """Count one more request of an app and return its number."""
        self._counts[app_id] += 1
        return self._counts[app_id]

    def add(self, entry: Entry) -> None:
        """Keep an entry; what no longer fits goes."""
        self._last += 1
        entry.number = self._last
        self._entries[entry.number] = entry
        self._numbers[entry.id] = entry.number
        self._size += entry.size
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
        return self._counts[app_id]

    def apps(self) -> set[str]:
        """Return the ids of the apps that requests were counted for."""
        return {app_id for app_id in self._counts if app_id is not None}

    def evicted(self, app_id: str | None, operation: str | None) -> int:
        """Return how many entries that a question is about are gone; None asks about any."""
        return sum(
            count for (app, op), count in self._evicted.items() if app_id in (None, app) and operation in (None, op)
        )

    def forget(self, app_id: str | None) -> None:
        """Drop the entries of an app, of all apps for None; what was evicted of it is forgotten too."""
        gone = [entry for entry in self._entries.values() if app_id in (None, entry.app_id)]
        for entry in gone:
            self._drop(entry)
        for key in [key for key in self._evicted if app_id in (None, key[0])]:
            del self._evicted[key]
        for app in [app for app in self._newest if app_id in (None, app)]:
            del self._newest[app]
        self._spare = [number for number in self._spare if number in self._entries]
        heapq.heapify(self._spare)

    def restart(self, app_id: str) -> None:
        """Forget an app whole, its count of requests too."""
        self.forget(app_id)
        self._counts.pop(app_id, None)

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
        self._evicted[entry.app_id, entry.operation] += 1

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.number]
        del self._numbers[entry.id]
        self._size -= entry.size
