"""Counts the answers that faults hold on purpose: an app's load is its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.errors import StoreFull

MOST_OF_AN_APP = 1_000
MOST_HELD = 10_000


class Holds:
    """The answers that are held now, by app."""

    def __init__(self, most_of_an_app: int = MOST_OF_AN_APP, most: int = MOST_HELD) -> None:
        self._held: Counter[str] = Counter()
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
