"""State in memory: plain dicts and lists, one event loop, no locks; no method awaits anything.

What is kept is bytes, tuples and slots, so that the garbage collector has little to walk.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.state.pages import cut
from sandbox.state.records import Conversation, Item, Page, Position, Totals, Window
from sandbox.state.store import Counter

MINUTE, DAY = 60, 86_400


class _World:
    """Everything of one app."""

    __slots__ = ("by_user", "counters", "items", "live", "message_count", "numbers", "records", "windows")

    def __init__(self) -> None:
        self.records: dict[int, Conversation] = {}
        self.numbers: dict[str, int] = {}
        self.live: list[Position] = []
        self.by_user: dict[str, list[Position]] = {}
        self.items: dict[int, list[Item]] = {}
        self.message_count = 0
        self.counters: Tally[Counter] = Tally()
        self.windows: dict[int, tuple[int, int]] = {}


class MemoryStore:
    """Keeps the worlds and the conversations of every app in this process.

    `declared` are the apps that exist from the start with settings of their own; any other id has `defaults`, or is
    no app at all when that is None.
    """

    def __init__(self, declared: Mapping[str, AppSettings], defaults: AppSettings | None) -> None:
        self._declared = declared
        self._defaults = defaults
        self._worlds: dict[str, _World] = {}

    # Worlds

    async def settings(self, app_id: str) -> AppSettings | None:
        return self._declared.get(app_id, self._defaults)

    async def known(self) -> Sequence[str]:
        return sorted({*self._declared, *self._worlds})

    async def number(self, app_id: str, counter: Counter) -> int:
        counters = self._world(app_id).counters
        counters[counter] += 1
        return counters[counter]

    async def spend(self, app_id: str, limit: RateLimit, now: int) -> int | None:
        windows = self._world(app_id).windows
        limits = [(MINUTE, limit.per_minute), (DAY, limit.per_day)]
        current: list[tuple[int, int, int]] = []
        waits: list[int] = []
        for length, most in limits:
            if most is None:
                continue
            start, count = windows.get(length, (now, 0))
            if not start <= now < start + length:
                start, count = now, 0
            if count >= most:
                waits.append(max(1, start + length - now))
            current.append((length, start, count))
        if waits:
            return max(waits)
        for length, start, count in current:
            windows[length] = (start, count + 1)
        return None

    # Conversations

    async def add(self, app_id: str, conversation: Conversation) -> None:
        world = self._world(app_id)
        position = Position(conversation.created_at, conversation.number)
        world.records[conversation.number] = conversation
        world.numbers[conversation.id] = conversation.number
        if not conversation.deleted:
            _insert(world.live, position)
        if conversation.external_user_id is not None:
            positions = world.by_user.setdefault(conversation.external_user_id, [])
            if not conversation.deleted:
                _insert(positions, position)

    async def get(self, app_id: str, conversation_id: str) -> Conversation | None:
        world = self._worlds.get(app_id)
        number = world.numbers.get(conversation_id) if world else None
        return world.records[number] if world and number else None

    async def set_title(self, app_id: str, conversation_id: str, title: str | None) -> None:
        world, number = self._find(app_id, conversation_id)
        world.records[number] = replace(world.records[number], title=title)

    async def set_generated_title(self, app_id: str, conversation_id: str, pair: tuple[str, str]) -> None:
        world, number = self._find(app_id, conversation_id)
        if world.records[number].generated_title is None:
            world.records[number] = replace(world.records[number], generated_title=pair)

    async def set_metadata(self, app_id: str, conversation_id: str, metadata: bytes) -> None:
        world, number = self._find(app_id, conversation_id)
        world.records[number] = replace(world.records[number], metadata=metadata)

    async def delete(self, app_id: str, conversation_id: str) -> None:
        world, number = self._find(app_id, conversation_id)
        conversation = world.records[number]
        if conversation.deleted:
            return
        position = Position(conversation.created_at, number)
        world.records[number] = replace(conversation, deleted=True)
        _remove(world.live, position)
        if conversation.external_user_id is not None:
            _remove(world.by_user[conversation.external_user_id], position)

    async def page(self, app_id: str, window: Window, user: str | None = None) -> Page:
        world = self._worlds.get(app_id)
        if world is None:
            return Page()
        positions, more = cut(world.live if user is None else world.by_user.get(user, ()), window)
        return Page([world.records[position.number] for position in positions], more)

    async def append(self, app_id: str, conversation_id: str, make: Callable[[int], Item]) -> None:
        world, number = self._find(app_id, conversation_id)
        items = world.items.setdefault(number, [])
        items.append(make(len(items)))
        world.message_count += 1

    async def items(self, app_id: str, conversation_id: str) -> Sequence[Item]:
        world, number = self._find(app_id, conversation_id)
        return tuple(world.items.get(number, ()))

    async def totals(self, app_id: str) -> Totals:
        world = self._worlds.get(app_id)
        if world is None:
            return Totals()
        return Totals(conversations=len(world.records), messages=world.message_count, users=len(world.by_user))

    def _world(self, app_id: str) -> _World:
        world = self._worlds.get(app_id)
        if world is None:
            world = self._worlds[app_id] = _World()
        return world

    def _find(self, app_id: str, conversation_id: str) -> tuple[_World, int]:
        world = self._worlds[app_id]
        return world, world.numbers[conversation_id]


def _insert(positions: list[Position], position: Position) -> None:
    """Keep the order; almost always the new one is the newest."""
    if not positions or positions[-1] < position:
        positions.append(position)
    else:
        insort(positions, position)


def _remove(positions: list[Position], position: Position) -> None:
    del positions[bisect_left(positions, position)]
