"""Lets go of large apps a little at a time: to free a million objects at once would stop everybody for as long."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from sandbox.apps.world import World

# So many records are freed before others get their turn.
TOGETHER = 500


class Leftovers:
    """Empties worlds that nobody uses any more."""

    def __init__(self) -> None:
        self._worlds: deque[World] = deque()
        self._goes_on = False

    def add(self, world: World) -> None:
        """Take a world that was forgotten; a small one goes with its last reference."""
        if len(world.records) <= TOGETHER:
            return
        self._worlds.append(world)
        if not self._goes_on:
            self._goes_on = True
            asyncio.get_running_loop().call_soon(self._free_some)

    def _free_some(self) -> None:
        world = self._worlds[0]
        del world.live[-TOGETHER:]
        kept: tuple[dict[Any, Any], ...] = (world.items, world.records, world.numbers, world.by_user)
        with suppress(KeyError):
            largest = max(kept, key=len)
            for _ in range(TOGETHER):
                largest.popitem()
        if not any(kept) and not world.live:
            self._worlds.popleft()
        self._goes_on = bool(self._worlds)
        if self._goes_on:
            asyncio.get_running_loop().call_soon(self._free_some)
