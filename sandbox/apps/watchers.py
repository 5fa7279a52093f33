"""Who waits for a request to go on: to begin, to have its body or its status, to be over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sandbox.errors import StoreFull

MAX_WATCHERS = 100


class Watchers:
    """Those who wait. `callbacks` is empty where nobody does: to look at a list takes less than to ask for it."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[str | None], None]] = []

    @asynccontextmanager
    async def joined_by(self, watcher: Callable[[str | None], None]) -> AsyncIterator[None]:
        """Call `watcher` with the app id of each request that goes on, as long as this lasts.

        Raises:
            StoreFull: too many wait.
        """
        if len(self.callbacks) >= MAX_WATCHERS:
            raise StoreFull(f"At most {MAX_WATCHERS} calls of verify wait at once; wait for one first.")
        self.callbacks.append(watcher)
        try:
            yield
        finally:
            self.callbacks.remove(watcher)

    def tell(self, app_id: str | None) -> None:
        """Say that a request of an app has gone on (None: of no app)."""
        for callback in self.callbacks:
            callback(app_id)
