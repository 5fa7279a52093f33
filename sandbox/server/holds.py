"""The answers that faults hold on purpose: how many, as an app's load is its own, and those that are to be released."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sandbox.errors import StoreFull
from sandbox.server.context import Noting
from sandbox.server.response_timer import ResponseTimer

MOST_OF_AN_APP = 1_000
MOST_HELD = 10_000
# What nobody releases goes on after so many milliseconds.
LONGEST_MS = 600_000


class Holds:
    """The answers that are held now, by app."""

    def __init__(self, most_of_an_app: int = MOST_OF_AN_APP, most: int = MOST_HELD) -> None:
        self._held: Counter[str] = Counter()
        # Those that wait to be released: by app, then by fault.
        self._gates: defaultdict[str, defaultdict[str, set[ResponseTimer]]] = defaultdict(lambda: defaultdict(set))
        self._most_of_an_app = most_of_an_app
        self._most = most

    @contextmanager
    def hold(self, app_id: str) -> Iterator[None]:
        """Count an answer that is held as long as this lasts.

        Raises:
            StoreFull: too many are.
        """
        if self._held[app_id] >= self._most_of_an_app:
            raise StoreFull(f"At most {self._most_of_an_app:,} requests of an app are held by faults at once.")
        if self._held.total() >= self._most:
            raise StoreFull(f"The sandbox holds at most {self._most:,} requests at once.")
        self._held[app_id] += 1
        try:
            yield
        finally:
            self._held[app_id] -= 1
            if not self._held[app_id]:
                del self._held[app_id]

    async def until_released(self, app_id: str, fault_id: str, noted: Noting | None, timer: ResponseTimer) -> None:
        """Wait until the fault is released; meanwhile the journal says which one holds the request.

        Raises:
            ClientDisconnected, ServerStopping, AppDeleted: as `ResponseTimer.sleep_until` does.
        """
        gates = self._gates[app_id]
        gates[fault_id].add(timer)
        if noted:
            noted.held_by = fault_id
        try:
            await timer.wait_until_woken(LONGEST_MS)
        finally:
            if noted:
                noted.held_by = None
            gates[fault_id].discard(timer)
            if not gates[fault_id]:
                del gates[fault_id]
            if not gates:
                self._gates.pop(app_id, None)

    def release(self, app_id: str, fault_id: str | None) -> bool:
        """Let go what a fault holds, or all faults of an app (None); say whether that is anything."""
        gates: Mapping[str, set[ResponseTimer]] = self._gates.get(app_id, {})
        waiting = [each for name, held in gates.items() if fault_id in (None, name) for each in held]
        for timer in waiting:
            timer.wake()
        return bool(waiting)
