"""The conversations of one app in memory: plain dicts and lists on one event loop, no locks; no method waits.

What is kept is bytes, tuples and slots, so that the garbage collector has little to walk.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.paging import paginate
from sandbox.apps.records import Conversation, Item, Page, PageRequest, Position, Totals
from sandbox.apps.snapshot import AppSnapshot
from sandbox.apps.store import Gone, Transcript, UnknownCursor

# What a record costs beside its texts, measured once: enough to keep the bound on memory honest.
CONVERSATION_BYTES, ITEM_BYTES = 700, 150
# So many records are freed before others get their turn.
FREED_TOGETHER = 500


class MemoryConversations:
    """A `ConversationStore` in memory; `last_number` is the number of the newest conversation."""

    __slots__ = ("by_user", "items", "last_number", "message_count", "number_by_id", "positions", "records", "usage")

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.last_number = 0
        self.records: dict[int, Conversation] = {}
        self.number_by_id: dict[str, int] = {}
        self.positions: list[Position] = []
        self.by_user: dict[str, list[Position]] = {}
        self.items: dict[int, list[Item]] = {}
        self.message_count = 0

    @classmethod
    def from_snapshot(cls, snapshot: AppSnapshot) -> MemoryConversations:
        """Return the conversations of a snapshot, with a usage of their own: they belong to no app yet."""
        store = cls(Usage(SharedUsage()))
        for conversation in snapshot.conversations:
            store._add(conversation._replace(deleted=False))
            for item in snapshot.items_of(conversation):
                store._append(conversation.number, item)
            if conversation.deleted:
                store._delete(conversation)
        store.last_number = snapshot.counters.get("conversation", 0)
        return store

    async def create(self, make: Callable[[int], Conversation]) -> Conversation:
        self.usage.check()
        self.usage.mark_stored()
        conversation = make(self.last_number + 1)
        self.last_number += 1
        self._add(conversation)
        return conversation

    async def transcript(self, conversation_id: str) -> Transcript | None:
        conversation = self._find(conversation_id)
        return conversation and Transcript(conversation, tuple(self.items.get(conversation.number, ())))

    async def set_title(self, conversation_id: str, title: str | None) -> Conversation | None:
        conversation = self._find(conversation_id)
        if conversation is None:
            return None
        self.usage.check()
        changed = conversation._replace(title=title)
        self._put(changed)
        return changed

    async def delete(self, conversation_id: str) -> Conversation | None:
        conversation = self._find(conversation_id)
        if conversation is not None:
            self._delete(conversation)
        return conversation

    async def page(self, request: PageRequest, user: str | None = None) -> Page:
        positions, has_more = paginate(
            self.positions if user is None else self.by_user.get(user, ()),
            limit=request.limit,
            order=request.order,
            after=self._cursor("after", request.after),
            before=self._cursor("before", request.before),
        )
        return Page([self.records[position.number] for position in positions], has_more)

    async def append_message(
        self, conversation_id: str, make: Callable[[int, int], Item], metadata: bytes | None = None
    ) -> Transcript | None:
        conversation = self._find(conversation_id)
        if conversation is None:
            return None
        self.usage.check()
        earlier = tuple(self.items.get(conversation.number, ()))
        if metadata is not None:
            conversation = conversation._replace(metadata=metadata)
            self._put(conversation)
        self._append(conversation.number, make(conversation.number, len(earlier)))
        return Transcript(conversation, earlier)

    async def append_reply(
        self,
        conversation_id: str,
        make: Callable[[int], Item],
        generated_title: tuple[str, str] | None = None,
        ledger: bytes | None = None,
    ) -> None:
        number = self.number_by_id.get(conversation_id)
        if number is None:
            raise Gone
        self.usage.check()
        self._append(number, make(len(self.items.get(number, ()))))
        conversation = self.records[number]
        if generated_title and (conversation.generated_title is None or conversation.provisional):
            conversation = conversation._replace(generated_title=generated_title)
        self._put(conversation._replace(provisional=False, ledger=ledger or conversation.ledger))

    async def totals(self) -> Totals:
        return Totals(conversations=len(self.records), messages=self.message_count, users=len(self.by_user))

    def _find(self, conversation_id: str) -> Conversation | None:
        number = self.number_by_id.get(conversation_id)
        if number is None:
            return None
        conversation = self.records[number]
        return None if conversation.deleted else conversation

    def _cursor(self, name: Literal["after", "before"], conversation_id: str | None) -> Position | None:
        if conversation_id is None:
            return None
        number = self.number_by_id.get(conversation_id)
        if number is None:
            raise UnknownCursor(name)
        return self.records[number].position

    def _add(self, conversation: Conversation) -> None:
        self._put(conversation)
        self.number_by_id[conversation.id] = conversation.number
        _insert(self.positions, conversation.position)
        if conversation.external_user_id is not None:
            _insert(self.by_user.setdefault(conversation.external_user_id, []), conversation.position)

    def _put(self, conversation: Conversation) -> None:
        """Keep a conversation in place of what was kept under its number."""
        old = self.records.get(conversation.number)
        self.usage.grow(byte_size(conversation) - (byte_size(old) if old else 0))
        self.records[conversation.number] = conversation

    def _append(self, number: int, item: Item) -> None:
        self.items.setdefault(number, []).append(item)
        self.message_count += 1
        self.usage.grow(ITEM_BYTES + len(item.json))

    def _delete(self, conversation: Conversation) -> None:
        self.records[conversation.number] = conversation._replace(deleted=True)
        _remove(self.positions, conversation.position)
        if conversation.external_user_id is not None:
            _remove(self.by_user[conversation.external_user_id], conversation.position)


def byte_size(conversation: Conversation) -> int:
    """Return about how many bytes a record takes."""
    texts = (conversation.title or "", conversation.external_user_id or "")
    # A text takes up to four bytes a character; what is ASCII takes one.
    sizes = (len(text) if text.isascii() else 4 * len(text) for text in texts)
    return CONVERSATION_BYTES + sum(sizes) + len(conversation.metadata or b"")


def _insert(positions: list[Position], position: Position) -> None:
    """Keep the order; almost always the new one is the newest."""
    if not positions or positions[-1] < position:
        positions.append(position)
    else:
        insort(positions, position)


def _remove(positions: list[Position], position: Position) -> None:
    del positions[bisect_left(positions, position)]


class Disposal:
    """Frees large apps a little at a time: to free a million objects at once would stop everybody for as long."""

    def __init__(self) -> None:
        self._waiting: deque[MemoryConversations] = deque()
        self._is_scheduled = False

    def add(self, conversations: MemoryConversations) -> None:
        """Take conversations that nobody uses any more; a few go with their last reference."""
        if len(conversations.records) <= FREED_TOGETHER:
            return
        self._waiting.append(conversations)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._free_some)

    def _free_some(self) -> None:
        one = self._waiting[0]
        del one.positions[-FREED_TOGETHER:]
        parts: tuple[dict[Any, Any], ...] = (one.items, one.records, one.number_by_id, one.by_user)
        with suppress(KeyError):
            largest = max(parts, key=len)
            for _ in range(FREED_TOGETHER):
                largest.popitem()
        if not any(parts) and not one.positions:
            self._waiting.popleft()
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._free_some)
