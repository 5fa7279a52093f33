"""Lets other requests through while long work is done: on the event loop in slices, or beside it in a thread."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sandbox.clock import monotonic

# Seconds of real time after which a slice ends.
MAX_SLICE = 0.005
# A body of more bytes is read and written in a thread.
MAX_INLINE_BYTES = 64 * 1024

Params = ParamSpec("Params")
Result = TypeVar("Result")


class Slices:
    """Knows how long the work has held the loop; the work asks for a rest wherever it can do with one."""

    def __init__(self) -> None:
        self._since = monotonic()

    async def yield_if_due(self) -> None:
        """Let others have their turn, where the slice has been long enough."""
        if monotonic() - self._since >= MAX_SLICE:
            await asyncio.sleep(0)
            self._since = monotonic()


class _Collector:
    """The process's garbage collector, which rests while threads work.

    They make hundreds of thousands of objects and no cycles; to look at all of those would stop everybody for 100 ms.
    """

    def __init__(self) -> None:
        self._resting = 0
        self._was_on = True

    def __enter__(self) -> None:
        if not self._resting:
            self._was_on = gc.isenabled()
            gc.disable()
        self._resting += 1

    def __exit__(self, *_: object) -> None:
        self._resting -= 1
        if not self._resting and self._was_on:
            gc.enable()


_COLLECTOR = _Collector()


async def in_thread(work: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """Do long work in a thread, and return what it returns."""
    with _COLLECTOR:
        return await asyncio.to_thread(work, *args, **kwargs)
