"""Runs what is ready: one thing a key at a time, so many in all; lanes take turns, so none holds up another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

log = logging.getLogger("sandbox")

# An app and a URL.
Lane = tuple[str, str]


class KeyedQueue:
    """Queues of numbers; `run` does what a number stands for, and is given its key's app too."""

    def __init__(self, run: Callable[[str, int], Coroutine[Any, Any, None]], most: int) -> None:
        self._run = run
        self._most = most
        self._waiting: dict[Lane, deque[int]] = {}
        self._busy: dict[Lane, asyncio.Task[None]] = {}

    def add(self, key: Lane, number: int) -> None:
        """Run a number when those before it in its key are done."""
        self._waiting.setdefault(key, deque()).append(number)
        self._start()

    def moves(self, key: Lane, number: int) -> bool:
        """Say whether a number waits in its key, or may be what the key is busy with."""
        return key in self._busy or number in self._waiting.get(key, ())

    def forget(self, app_id: str) -> None:
        """Empty the lanes of an app and end what runs in them."""
        self._end(key for key in (*self._waiting, *self._busy) if key[0] == app_id)

    def stop(self) -> None:
        """Empty all lanes and end what runs."""
        self._end((*self._waiting, *self._busy))

    def _end(self, lanes: Iterable[Lane]) -> None:
        for key in tuple(lanes):
            self._waiting.pop(key, None)
            if key in self._busy:
                self._busy[key].cancel()

    def _start(self) -> None:
        while len(self._busy) < self._most:
            key = next((key for key in self._waiting if key not in self._busy), None)
            if key is None:
                return
            queue = self._waiting.pop(key)
            task = asyncio.get_running_loop().create_task(self._run(key[0], queue.popleft()))
            if queue:
                # Behind all others: each key has its turn.
                self._waiting[key] = queue
            self._busy[key] = task
            task.add_done_callback(partial(self._free, key))

    def _free(self, key: Lane, task: asyncio.Task[None]) -> None:
        del self._busy[key]
        if not task.cancelled() and (error := task.exception()):
            log.error("a webhook failed", exc_info=error)
        self._start()
