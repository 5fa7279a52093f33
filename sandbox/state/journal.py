"""The request journal: what was really asked and answered, bounded by count and bytes (CONTROL.md, Requests).

Entries are kept as they came, in bytes; whoever reads one turns it into JSON. Oldest out first, but an app's newest
entries go last, so that one noisy app does not wipe out what a quiet one asked.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Literal

Headers = list[tuple[bytes, bytes]]
Ended = Literal["complete", "client_gone", "cut"]

# What an entry costs beside the bytes that it keeps, and each piece of its answer.
ENTRY_BYTES, CHUNK_BYTES = 1_700, 125
# For so many apps at least it is known how many requests they had.
FEWEST_APPS = 100


class Counted:
    """What is counted of one app: its requests, its entries ever added, and those that are gone, by operation."""

    __slots__ = ("added", "evicted", "forgotten", "is_known", "prefix", "requests", "spared")

    def __init__(self, prefix: str) -> None:
        # How the ids of its requests begin.
        self.prefix = prefix
        self.requests = 0
        self.added = 0
        # Whether somebody can still ask for it: not after it made room, nor after it was forgotten.
        self.is_known = True
        self.forgotten = False
        self.evicted: Counter[str | None] = Counter()
        # Entries whose turn to go has come while they were among the app's newest.
        self.spared: list[Entry] = []


class Entry:
    """One request and its answer: filled in while it is under way, never changed once the journal has it.

    `chunks` are the pieces of the answer's body, each with the milliseconds since the request began; `status` is None
    where no answer was begun. `turn` is the entry's place among all that was asked, `began` when it came, in seconds of
    real time on a clock that never goes back; `stood_at` is where the app's time stood still then, None where it ran.
    `head` is how many bytes the target and the headers had, None where nobody has counted.
    """

    # Set for few requests, or late: most entries need no place of their own for them.
    id = ""
    app_id: str | None = None
    operation: str | None = None
    body = b""
    head: int | None = None
    status: int | None = None
    answer_headers: Headers = []  # noqa: RUF012 - replaced, never changed
    duration_ms = 0.0
    fault: str | None = None
    violation: str | None = None
    ended: Ended = "complete"
    stood_at: int | None = None

    # The journal's own: the counts of its app, its place among the app's entries and, once spared, among the spared.
    counted: Counted
    nth: int
    spared_as: int
    held: int

    def __init__(
        self,
        at: int,
        method: str,
        path: bytes,
        query: bytes,
        headers: Headers,
        scheme: str = "http",
        turn: int = 0,
        began: float = 0.0,
    ) -> None:
        self.at = at
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.scheme = scheme
        self.turn = turn
        self.began = began
        self.chunks: list[tuple[float, bytes]] = []

    def weight(self) -> int:
        """Return about how many bytes the entry holds on to."""
        head = self.head
        if head is None:
            head = len(self.path) + len(self.query) + _size(self.headers)
        held = ENTRY_BYTES + head + len(self.body)
        for _, chunk in self.chunks:
            held += CHUNK_BYTES + len(chunk)
        # The headers of an answer are few and short, unless a fault brings its own.
        return held if self.fault is None else held + _size(self.answer_headers)


def _size(headers: Headers) -> int:
    return sum(map(len, itertools.chain.from_iterable(headers)))


class Journal:
    """Keeps entries, newest last, and tells listeners of each new one.

    `prefix` says how the ids of an app's requests begin; `turn` is the place of something that is asked now, among all
    that is ever asked.
    """

    def __init__(
        self,
        prefix: Callable[[str | None], str],
        *,
        most: int = 10_000,
        most_bytes: int = 64 * 1024**2,
        spared: int = 200,
    ) -> None:
        self.turn: Callable[[], int] = itertools.count(1).__next__
        self._prefix = prefix
        self._most = most
        self._most_bytes = most_bytes
        self._spared = spared
        # Oldest first: those whose turn to go will come, and those whose turn has come while they were spared.
        self._ahead: deque[Entry] = deque()
        self._passed: dict[int, Entry] = {}
        self._passes = itertools.count()
        # Places of the passed ones that are no longer spared.
        self._due: list[int] = []
        self._known: OrderedDict[str | None, Counted] = OrderedDict()
        self._lost = 0
        self._weight = 0
        self._listeners: list[Callable[[Entry], None]] = []

    def begin(self, entry: Entry) -> None:
        """Count one more request of its app, and give it its id: the n-th of an app has always the same."""
        app_id = entry.app_id
        entry.counted = app = self._known.get(app_id) or self._new(app_id)
        self._known.move_to_end(app_id)
        app.requests = nth = app.requests + 1
        entry.id = f"{app.prefix}{nth:08x}"

    def _new(self, app_id: str | None) -> Counted:
        """Begin to count for an app; the one that was quiet longest makes room when there are too many."""
        app = self._known[app_id] = Counted(self._prefix(app_id))
        if len(self._known) > max(self._most, FEWEST_APPS):
            _, quiet = self._known.popitem(last=False)
            quiet.is_known = False
            self._lost += sum(quiet.evicted.values())
        return app

    def add(self, entry: Entry) -> None:
        """Keep an entry; what no longer fits goes. One whose app was forgotten since it began is not kept."""
        app = entry.counted
        if app.forgotten:
            return
        app.added = entry.nth = app.added + 1
        entry.held = held = entry.weight()
        self._ahead.append(entry)
        self._weight += held
        while app.spared and app.added - app.spared[0].nth >= self._spared:
            heapq.heappush(self._due, app.spared.pop(0).spared_as)
        if len(self._ahead) + len(self._passed) > self._most or self._weight > self._most_bytes:
            self._make_room()
        for listener in self._listeners:
            listener(entry)

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with this id."""
        return next((entry for entry in self.newest_first() if entry.id == entry_id), None)

    def newest_first(self, after: str | None = None) -> Iterator[Entry]:
        """Yield every entry, or those behind the one with the id `after`, newest first."""
        entries = itertools.chain(reversed(self._ahead), reversed(self._passed.values()))
        if after is None:
            return entries
        return itertools.islice(itertools.dropwhile(lambda entry: entry.id != after, entries), 1, None)

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
        self._ahead = deque(entry for entry in self._ahead if app_id not in (None, entry.app_id))
        self._passed = {place: entry for place, entry in self._passed.items() if app_id not in (None, entry.app_id)}
        self._due = [place for place in self._due if place in self._passed]
        heapq.heapify(self._due)
        self._weight = sum(entry.held for entry in self.newest_first())
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
            counted.is_known = False
            counted.forgotten = True

    def subscribe(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Tell `listener` of each new entry until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _make_room(self) -> None:
        """Let entries go until the rest fits, or is one alone."""
        left = len(self._ahead) + len(self._passed)
        while left > self._most or (self._weight > self._most_bytes and left > 1):
            entry = self._next_to_go()
            left -= 1
            self._weight -= entry.held
            app = entry.counted
            if app.is_known:
                app.evicted[entry.operation] += 1
            else:
                self._lost += 1

    def _next_to_go(self) -> Entry:
        """Take out the oldest that isn't spared, the oldest of all where all are."""
        if self._due:
            return self._passed.pop(heapq.heappop(self._due))
        while self._ahead:
            entry = self._ahead.popleft()
            app = entry.counted
            if app.added - entry.nth >= self._spared:
                return entry
            entry.spared_as = next(self._passes)
            self._passed[entry.spared_as] = entry
            app.spared.append(entry)
        entry = self._passed.pop(next(iter(self._passed)))
        entry.counted.spared.pop(0)
        return entry
