"""Runs jobs in the background: one at a time for each key, a limited number in all; keys take turns."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

log = logging.getLogger("sandbox")

Owner = TypeVar("Owner", bound=Hashable)


class KeyedQueue(Generic[Owner]):
    """A queue of numbers for each key: an owner, and the URL that its webhooks go to.

    Args:
        run: does the job that a number stands for; called with the key's owner and the number.
        max_running: how many jobs run at once, over all keys.
    """

    def __init__(self, run: Callable[[Owner, int], Coroutine[Any, Any, None]], max_running: int) -> None:
        self._run = run
        self._max_running = max_running
        self._waiting: dict[tuple[Owner, str], deque[int]] = {}
        self._running: dict[tuple[Owner, str], asyncio.Task[None]] = {}

    def add(self, key: tuple[Owner, str], number: int) -> None:
        """Run a job when those before it with the same key are done."""
        self._waiting.setdefault(key, deque()).append(number)
        self._start()

    def has(self, key: tuple[Owner, str], number: int) -> bool:
        """Say whether a job waits, or may be the one that runs for its key."""
        return key in self._running or number in self._waiting.get(key, ())

    def cancel(self, owner: Owner | None = None) -> None:
        """Drop what waits and cancel what runs, of one owner or of all."""
        for key in {*self._waiting, *self._running}:
            if owner in (None, key[0]):
                self._waiting.pop(key, None)
                if key in self._running:
                    self._running[key].cancel()

    def _start(self) -> None:
        while len(self._running) < self._max_running:
            key = next((key for key in self._waiting if key not in self._running), None)
            if key is None:
                return
            queue = self._waiting.pop(key)
            task = asyncio.get_running_loop().create_task(self._run(key[0], queue.popleft()))
            if queue:
                # Behind all others: each key has its turn.
                self._waiting[key] = queue
            self._running[key] = task
            task.add_done_callback(partial(self._finish, key))

    def _finish(self, key: tuple[Owner, str], task: asyncio.Task[None]) -> None:
        del self._running[key]
        if not task.cancelled() and (error := task.exception()):
            log.error("a webhook failed", exc_info=error)
        self._start()
