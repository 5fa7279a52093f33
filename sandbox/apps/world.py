"""Everything of one app, in memory: its settings and time, its counters and windows, its conversations."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter as Tally
from collections.abc import Mapping
from typing import Any

from orjson import dumps

from sandbox.app_settings import RateLimit
from sandbox.apps.image import WorldImage
from sandbox.apps.records import Conversation, Item, Position
from sandbox.sources import Origin

MINUTE, DAY = 60, 86_400
# What a record costs beside its texts, measured once: enough to keep the bound on memory honest.
RECORD_BYTES, ITEM_BYTES = 700, 150


class World:
    """One app. Nothing here awaits or locks: one event loop owns it."""

    __slots__ = (
        "by_user",
        "clock",
        "counters",
        "items",
        "live",
        "message_count",
        "numbers",
        "origin",
        "overrides",
        "records",
        "size",
        "windows",
    )

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.overrides: Mapping[str, Any] = {}
        self.clock: float | None = None
        self.counters: Tally[str] = Tally()
        self.windows: dict[int, tuple[int, int]] = {}
        self.records: dict[int, Conversation] = {}
        self.numbers: dict[str, int] = {}
        self.live: list[Position] = []
        self.by_user: dict[str, list[Position]] = {}
        self.items: dict[int, list[Item]] = {}
        self.message_count = 0
        self.size = 0

    @classmethod
    def of(cls, image: WorldImage) -> World:
        """Return the app of which an image was made."""
        world = cls(image.origin)
        world.overrides, world.clock = image.overrides, image.clock
        world.counters, world.windows = Tally(image.counters), dict(image.windows)
        for conversation in image.conversations:
            world.add(conversation._replace(deleted=False))
            for item in image.items_of(conversation):
                world.append(conversation.number, item)
            if conversation.deleted:
                world.delete(conversation.number)
        world.size += json_size(image.overrides) - json_size({})
        return world

    def image(self) -> WorldImage:
        """Return all of it, as it is at this moment."""
        return WorldImage(
            origin=self.origin,
            overrides=self.overrides,
            clock=self.clock,
            counters=dict(self.counters),
            windows=dict(self.windows),
            records=dict(self.records),
            items=dict(self.items),
            lengths=dict(zip(self.items, map(len, self.items.values()), strict=True)),
        )

    def add(self, conversation: Conversation) -> None:
        """Keep a new conversation and put it into the lists it belongs to."""
        position = Position(conversation.created_at, conversation.number)
        self.put(conversation)
        self.numbers[conversation.id] = conversation.number
        insert(self.live, position)
        if conversation.external_user_id is not None:
            insert(self.by_user.setdefault(conversation.external_user_id, []), position)

    def put(self, conversation: Conversation) -> None:
        """Keep a conversation in place of what was kept under its number."""
        old = self.records.get(conversation.number)
        self.size += _weight(conversation) - (_weight(old) if old else 0)
        self.records[conversation.number] = conversation

    def delete(self, number: int) -> None:
        """Take a conversation out of the lists."""
        conversation = self.records[number]
        if conversation.deleted:
            return
        position = Position(conversation.created_at, number)
        self.records[number] = conversation._replace(deleted=True)
        _remove(self.live, position)
        if conversation.external_user_id is not None:
            _remove(self.by_user[conversation.external_user_id], position)

    def append(self, number: int, item: Item) -> None:
        """Add an item at the end of a conversation."""
        self.items.setdefault(number, []).append(item)
        self.message_count += 1
        self.size += ITEM_BYTES + len(item.json)

    def spend(self, limit: RateLimit, now: int) -> int | None:
        """Count a call against the windows of a minute and a day, unless one is used up: then say how long it lasts.

        A window starts at its first counted call.
        """
        current: list[tuple[int, int, int]] = []
        wait = 0
        for length, most in ((MINUTE, limit.per_minute), (DAY, limit.per_day)):
            if most is None:
                continue
            start, count = self.windows.get(length, (now, 0))
            if not start <= now < start + length:
                start, count = now, 0
            if count >= most:
                wait = max(wait, start + length - now, 1)
            current.append((length, start, count))
        if wait:
            return wait
        for length, start, count in current:
            self.windows[length] = (start, count + 1)
        return None


def json_size(value: Any) -> int:
    """Return about how many bytes a value takes as JSON; numbers that know how they were sent count as texts."""
    return len(dumps(value, default=str))


def _weight(conversation: Conversation) -> int:
    """Return about how many bytes a record takes."""
    texts = (conversation.title or "", conversation.external_user_id or "")
    # A text takes up to four bytes a character; what is ASCII takes one.
    sizes = (len(text) if text.isascii() else 4 * len(text) for text in texts)
    return RECORD_BYTES + sum(sizes) + len(conversation.metadata or b"")


def insert(positions: list[Position], position: Position) -> None:
    """Keep the order; almost always the new one is the newest."""
    if not positions or positions[-1] < position:
        positions.append(position)
    else:
        insort(positions, position)


def _remove(positions: list[Position], position: Position) -> None:
    del positions[bisect_left(positions, position)]
