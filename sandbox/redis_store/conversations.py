"""The conversations of one app in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sandbox.apps.records import Conversation, Item, Page, PageRequest, Totals
from sandbox.apps.store import Gone, Transcript, UnknownCursor
from sandbox.redis_store.values import (
    Row,
    pack,
    pack_item,
    pack_pair,
    pack_position,
    pack_row,
    pack_user,
    unpack_item,
    unpack_row,
)

# Of so many conversations it is remembered how many items they have, to add the next in one call.
MAX_KNOWN = 1_000
# What the script says of a reply, where it says no number of items.
_ADDED, _GONE = -1, -2


class CallScript(Protocol):
    """Runs a script of the app; one that `begins` counts it as stored."""

    async def __call__(self, name: str, *arguments: bytes | str | int, begins: bool = False) -> Any:
        """Return what it returns."""
        ...


class RedisConversations:
    """A `ConversationStore` in Redis; `last_number` is the number of the newest conversation, as last seen.

    A number, or a place in a conversation, is guessed from what was last seen. Where another was faster, the script
    reserves a number, or says which place it is.
    """

    def __init__(self, call: CallScript) -> None:
        self._call = call
        self.last_number = 0
        # By id: the number of a conversation, and how many items it has.
        self._known: OrderedDict[str, tuple[int, int]] = OrderedDict()

    async def create(self, make: Callable[[int], Conversation]) -> Conversation:
        number, how = self.last_number + 1, "guessed"
        while True:
            # Noted before it is sure, so that the next request of this server guesses the one after it.
            self.last_number = max(self.last_number, number)
            conversation = make(number)
            place, user = pack_position(conversation.position), pack_user(conversation.external_user_id)
            row = pack_row(conversation)[:5]
            reserved = await self._call("create", number, how, conversation.id, place, user, *row, begins=True)
            if reserved < 0:
                self._know(conversation.id, number, 0)
                return conversation
            number, how = reserved, "reserved"
            # A guess that was too high is not to stay so.
            self.last_number = reserved

    async def transcript(self, conversation_id: str) -> Transcript | None:
        found = await self._call("transcript", conversation_id)
        return self._transcript(conversation_id, *found) if found else None

    async def set_title(self, conversation_id: str, title: str | None) -> Conversation | None:
        row = await self._call("set_title", conversation_id, pack(title))
        return unpack_row(conversation_id, row) if row else None

    async def delete(self, conversation_id: str) -> Conversation | None:
        row = await self._call("delete", conversation_id)
        return unpack_row(conversation_id, row) if row else None

    async def page(self, request: PageRequest, user: str | None = None) -> Page:
        cursor = request.before if request.after is None else request.after
        is_upwards = (request.order == "asc") == (request.after is not None)
        # The page hangs on the end of the range that the traveller comes from.
        from_low = (request.order == "asc") == (request.before is None)
        ends = ("low" if from_low else "high", pack_user(user), cursor or "", "up" if is_upwards else "down")
        # An empty cursor is one that no conversation has; to the script it would be none.
        found: Any = b"unknown" if cursor == "" else await self._call("page", request.limit, *ends)
        if found == b"unknown":
            raise UnknownCursor("after" if request.after is not None else "before")
        has_more, *rows = found
        if from_low != (request.order == "asc"):
            rows.reverse()
        return Page([unpack_row(conversation_id.decode(), row) for conversation_id, row in rows], bool(has_more))

    async def append_message(
        self, conversation_id: str, make: Callable[[int, int], Item], metadata: bytes | None = None
    ) -> Transcript | None:
        known = self._known.get(conversation_id)
        while True:
            item = pack_item(make(*known)) if known else b""
            count = known[1] if known else -1
            found = await self._call("append_message", conversation_id, count, item, metadata or b"")
            if not found:
                return None
            is_added, *rest = found
            before = self._transcript(conversation_id, *rest)
            known = self._know(conversation_id, before.conversation.number, len(before.items) + is_added)
            if is_added:
                return before

    async def append_reply(
        self,
        conversation_id: str,
        make: Callable[[int], Item],
        generated_title: tuple[str, str] | None = None,
        ledger: bytes | None = None,
    ) -> None:
        number, count = self._known.get(conversation_id, (0, 0))
        while True:
            more = (pack_pair(generated_title), ledger or b"")
            found = await self._call("append_reply", conversation_id, count, pack_item(make(count)), *more)
            if found == _GONE:
                raise Gone
            if found == _ADDED:
                if number:
                    self._know(conversation_id, number, count + 1)
                return
            count = found

    async def totals(self) -> Totals:
        return Totals(*await self._call("totals"))

    def _transcript(self, conversation_id: str, row: Row, items: Sequence[bytes]) -> Transcript:
        transcript = Transcript(unpack_row(conversation_id, row), tuple(map(unpack_item, items)))
        self._know(conversation_id, transcript.conversation.number, len(items))
        return transcript

    def _know(self, conversation_id: str, number: int, count: int) -> tuple[int, int]:
        self._known[conversation_id] = known = (number, count)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return known
