"""Tells listeners what happens as it happens; a slow one loses events, and is told how many (CONTROL.md, Events)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from sandbox.errors import StoreFull
from sandbox.state.entry import Entry

MOST_LISTENERS, LONGEST_QUEUE = 100, 1_000


class Happening(NamedTuple):
    """Something that happened to an app: `kind` is `request`, `delivery`, `state` or `lagged`."""

    kind: str
    app_id: str | None
    data: Any


class Listener:
    """One that hears what happens, from when it began to listen."""

    def __init__(self, app_id: str | None) -> None:
        self._app_id = app_id
        self._waiting: deque[Happening] = deque()
        self._dropped = 0
        self._news = asyncio.Event()

    def hear(self, happening: Happening) -> None:
        """Note what happened, if it is about the listener's app."""
        for_all = happening.kind == "state" and happening.app_id is None
        if not for_all and self._app_id not in (None, happening.app_id):
            return
        # Where a gap is, one place is kept for saying so.
        if len(self._waiting) >= LONGEST_QUEUE - bool(self._dropped):
            self._dropped += 1
        else:
            if self._dropped:
                self._waiting.append(self._gap())
            self._waiting.append(happening)
        self._news.set()

    async def next(self) -> Happening:
        """Wait for the next thing that happens; a gap is told where it is, with how much is missing."""
        while not self._waiting and not self._dropped:
            self._news.clear()
            await self._news.wait()
        if self._waiting:
            return self._waiting.popleft()
        return self._gap()

    def _gap(self) -> Happening:
        dropped, self._dropped = self._dropped, 0
        return Happening("lagged", None, {"dropped": dropped})


class Bus:
    """Passes on what happens to everyone who listens.

    `subscribe` is the journal's, which is heard only while there is somebody to pass it on to.
    """

    def __init__(self, subscribe: Callable[[Callable[[Entry], None]], Callable[[], None]]) -> None:
        self._subscribe = subscribe
        self._leave_journal: Callable[[], None] | None = None
        self._listeners: set[Listener] = set()

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def say(self, kind: str, app_id: str | None, data: Any) -> None:
        """Tell everyone who listens."""
        for listener in self._listeners:
            listener.hear(Happening(kind, app_id, data))

    def listen(self, app_id: str | None) -> Listener:
        """Begin to listen, to one app or to all.

        Raises:
            StoreFull: too many listen already.
        """
        if len(self._listeners) >= MOST_LISTENERS:
            raise StoreFull(f"At most {MOST_LISTENERS} listeners at once; close one first.")
        if self._leave_journal is None:
            self._leave_journal = self._subscribe(lambda entry: self.say("request", entry.app_id, entry))
        listener = Listener(app_id)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)
        if not self._listeners and self._leave_journal:
            self._leave_journal()
            self._leave_journal = None
