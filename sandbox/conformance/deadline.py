"""The time that a run has: when it is over, whoever waits is woken and the connection under way is broken off."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import TracebackType


class Deadline:
    """Passes once, so many seconds after the block was entered; without seconds it never does."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._over = threading.Event()
        self._ends: set[Callable[[], None]] = set()
        self._timer = threading.Timer(seconds or 0, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        if self.seconds is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self._over.is_set()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than there is time."""
        self._over.wait(seconds)

    @contextlib.contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Have something ended when the time is over, until the block ends."""
        self._ends.add(end)
        try:
            if self.passed:
                end()
            yield
        finally:
            self._ends.discard(end)

    def _pass(self) -> None:
        self._over.set()
        for end in tuple(self._ends):
            end()
