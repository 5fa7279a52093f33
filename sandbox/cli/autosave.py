"""`serve --save-every`: saves again and again, one save at a time."""

from __future__ import annotations

import asyncio
from typing import Protocol

from sandbox.clock import monotonic


class Keeper(Protocol):
    """What keeps all apps in a file."""

    async def save_or_log(self) -> None:
        """Save; say why where it can't be done."""
        ...


class Autosave:
    """Begins a save whenever it is asked to look and it is time."""

    def __init__(self, keeper: Keeper, seconds: int) -> None:
        self._keeper = keeper
        self._seconds = seconds
        self._due = monotonic() + seconds
        self._saving: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Save, if it is time and the last save is done."""
        if monotonic() < self._due or (self._saving and not self._saving.done()):
            return
        self._due = monotonic() + self._seconds
        self._saving = asyncio.ensure_future(self._keeper.save_or_log())
