"""Runs what is ready: one thing a lane at a time, so many in all; lanes take turns, so none holds up another."""

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


class Lanes:
    """Queues of numbers; `run` does what a number stands for, and is given its lane's app too."""

    def __init__(self, run: Callable[[str, int], Coroutine[Any, Any, None]], most: int) -> None:
        self._run = run
        self._most = most
        self._waiting: dict[Lane, deque[int]] = {}
        self._busy: dict[Lane, asyncio.Task[None]] = {}

    def add(self, lane: Lane, number: int) -> None:
        """Run a number when those before it in its lane are done."""
        self._waiting.setdefault(lane, deque()).append(number)
        self._start()

    def moves(self, lane: Lane, number: int) -> bool:
        """Say whether a number waits in its lane, or may be what the lane is busy with."""
        return lane in self._busy or number in self._waiting.get(lane, ())

    def forget(self, app_id: str) -> None:
        """Empty the lanes of an app and end what runs in them."""
        self._end(lane for lane in (*self._waiting, *self._busy) if lane[0] == app_id)

    def stop(self) -> None:
        """Empty all lanes and end what runs."""
        self._end((*self._waiting, *self._busy))

    def _end(self, lanes: Iterable[Lane]) -> None:
        for lane in tuple(lanes):
            self._waiting.pop(lane, None)
            if lane in self._busy:
                self._busy[lane].cancel()

    def _start(self) -> None:
        while len(self._busy) < self._most:
            lane = next((lane for lane in self._waiting if lane not in self._busy), None)
            if lane is None:
                return
            queue = self._waiting.pop(lane)
            task = asyncio.get_running_loop().create_task(self._run(lane[0], queue.popleft()))
            if queue:
                # Behind all others: each lane has its turn.
                self._waiting[lane] = queue
            self._busy[lane] = task
            task.add_done_callback(partial(self._free, lane))

    def _free(self, lane: Lane, task: asyncio.Task[None]) -> None:
        del self._busy[lane]
        if not task.cancelled() and (error := task.exception()):
            log.error("a webhook failed", exc_info=error)
        self._start()
