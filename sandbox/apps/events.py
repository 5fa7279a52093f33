"""Publishes events to subscribers; a slow one loses some, and is told how many (docs/control.md, Events)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox.apps.journal import RequestRecord
from sandbox.errors import StoreFull

MOST_LISTENERS, LONGEST_QUEUE = 100, 1_000
# About how many bytes a listener's queue may hold on to; one event is queued however large.
MOST_BYTES = 4 * 1024**2
# What an event, and each piece of an answer, costs beside its bytes.
EVENT_BYTES, PIECE_BYTES = 500, 150


class Happening:
    """Something that happened to an app: `kind` is `request`, `delivery`, `state` or `lagged`.

    All listeners share it, and what the first that takes it has written. `size` is about how many bytes it holds.
    """

    __slots__ = ("_written", "app_id", "data", "kind", "size")

    def __init__(self, kind: str, app_id: str | None, data: Any) -> None:
        self.kind = kind
        self.app_id = app_id
        self.data = data
        self.size = _size_of(data)
        self._written: bytes | None = None

    def written(self, write: Callable[[str, Any], bytes]) -> bytes:
        """Return what `write` makes of kind and data; it is asked once, and the data let go."""
        if self._written is None:
            self._written, self.data = write(self.kind, self.data), None
        return self._written


def _size_of(data: Any) -> int:
    if not isinstance(data, RequestRecord):
        return EVENT_BYTES + len(getattr(data, "body", b""))
    headers = sum(len(name) + len(value) for name, value in (*data.headers, *data.answer_headers))
    answer = sum(PIECE_BYTES + len(chunk) for _, chunk in data.chunks)
    return EVENT_BYTES + len(data.path) + len(data.query) + headers + len(data.body) + answer


class Listener:
    """One that hears what happens, from when it began to listen."""

    def __init__(self, app_id: str | None) -> None:
        self._app_id = app_id
        self._waiting: deque[Happening] = deque()
        self._size = 0
        self._dropped = 0
        self._news = asyncio.Event()

    def hear(self, happening: Happening) -> None:
        """Note what happened, if it is about the listener's app."""
        for_all = happening.kind == "state" and happening.app_id is None
        if not for_all and self._app_id not in (None, happening.app_id):
            return
        # Where a gap is, one place is kept for saying so.
        too_many = len(self._waiting) >= LONGEST_QUEUE - bool(self._dropped)
        if too_many or (self._waiting and self._size + happening.size > MOST_BYTES):
            self._dropped += 1
        else:
            if self._dropped:
                self._queue(self._gap())
            self._queue(happening)
        self._news.set()

    async def next(self) -> Happening:
        """Wait for the next thing that happens; a gap is told where it is, with how much is missing."""
        while not self._waiting and not self._dropped:
            self._news.clear()
            await self._news.wait()
        happening = self.next_at_once()
        assert happening is not None  # noqa: S101 - one was waited for
        return happening

    def next_at_once(self) -> Happening | None:
        """Return the next thing that has happened already."""
        if self._waiting:
            happening = self._waiting.popleft()
            self._size -= happening.size
            return happening
        return self._gap() if self._dropped else None

    def _queue(self, happening: Happening) -> None:
        self._waiting.append(happening)
        self._size += happening.size

    def _gap(self) -> Happening:
        dropped, self._dropped = self._dropped, 0
        return Happening("lagged", None, {"dropped": dropped})


class Bus:
    """Passes on what happens to everyone who listens.

    `subscribe` is the journal's, which is heard only while there is somebody to pass it on to.
    """

    def __init__(self, subscribe: Callable[[Callable[[RequestRecord], None]], Callable[[], None]]) -> None:
        self._subscribe = subscribe
        self._leave_journal: Callable[[], None] | None = None
        self._listeners: set[Listener] = set()

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def say(self, kind: str, app_id: str | None, data: Any) -> None:
        """Tell everyone who listens."""
        if self._listeners:
            happening = Happening(kind, app_id, data)
            for listener in self._listeners:
                listener.hear(happening)

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
