"""The protocols of what keeps an app's state, and their laws.

Laws of every store: each method is atomic; a read creates nothing; numbers are counted from 1, each given once. A write
that would not fit raises `StoreFull` and changes nothing. An operation of the API needs one call of one method, a
message two: a store behind a network can answer each in one round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from sandbox.app_settings import RateLimit
from sandbox.apps.records import Conversation, Item, Page, PageRequest, Totals
from sandbox.apps.request_record import RequestRecord
from sandbox.apps.rule_queue import QueuedRule, QueueState

Counter = Literal["completion", "populate", "webhook", "told"]


class Gone(Exception):
    """The conversation is not kept (any more): its app was reset meanwhile."""


class UnknownCursor(Exception):
    """A page begins at a conversation that the app never had; `name` says which cursor names it."""

    def __init__(self, name: Literal["after", "before"]) -> None:
        super().__init__(name)
        self.name = name


class Transcript(NamedTuple):
    """A conversation and its items, oldest first."""

    conversation: Conversation
    items: Sequence[Item]


class ConversationStore(Protocol):
    """The conversations of one app. A method that returns None changed nothing: there is no such conversation."""

    async def create(self, make: Callable[[int], Conversation]) -> Conversation:
        """Keep a new conversation; `make` is given its number."""
        ...

    async def transcript(self, conversation_id: str) -> Transcript | None:
        """Return a conversation, not a deleted one, with all its items."""
        ...

    async def set_title(self, conversation_id: str, title: str | None) -> Conversation | None:
        """Set or clear the custom title; return the conversation as it is then."""
        ...

    async def delete(self, conversation_id: str) -> Conversation | None:
        """Take a conversation out of all lists; it stays a cursor and counts on."""
        ...

    async def page(self, request: PageRequest, user: str | None = None) -> Page:
        """Return one page of the app's conversations, or of one user's; deleted ones are left out.

        Raises:
            UnknownCursor: the app never had the conversation that a cursor names.
        """
        ...

    async def append_message(
        self, conversation_id: str, make: Callable[[int, int], Item], metadata: bytes | None = None
    ) -> Transcript | None:
        """Add a user's message, and replace the metadata where some is given; return what was there before the message.

        `make` is given the conversation's number and how many items stand before the new one.
        """
        ...

    async def append_reply(
        self,
        conversation_id: str,
        make: Callable[[int], Item],
        generated_title: tuple[str, str] | None = None,
        ledger: bytes | None = None,
    ) -> None:
        """Add the agent's reply and keep its ledger; give the generated title where there is none that is final.

        Raises:
            Gone: there is no such conversation any more.
        """
        ...

    async def totals(self) -> Totals:
        """Return what the app has ever had."""
        ...


class RuleQueue(Protocol):
    """What waits for an app's requests to act on: faults, or scripted replies; oldest first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        ...

    @property
    def rules(self) -> Sequence[QueuedRule]:
        """What waits, oldest first."""
        ...

    @property
    def state(self) -> QueueState:
        """The queue as it is at this moment."""
        ...

    async def add(self, fields: Mapping[str, Any]) -> QueuedRule:
        """Queue a rule.

        Raises:
            StoreFull: too many wait already, or it does not fit.
        """
        ...

    async def take(self, matches: Callable[[Mapping[str, Any]], bool]) -> QueuedRule | None:
        """Return the oldest that acts on a request, counted as used; None when none does."""
        ...

    async def delete(self, rule_id: str) -> bool:
        """Take one out; say whether it was there."""
        ...

    async def clear(self) -> None:
        """Take all out; the count of those ever queued goes on."""
        ...


class RateLimiter(Protocol):
    """The rate windows of one app, one of a minute and one of a day; a window starts at its first counted call."""

    async def consume(self, limit: RateLimit, now: int) -> int | None:
        """Count one call against a limit; return None, or the seconds to wait when it is used up (nothing counted).

        Raises:
            StoreFull: there are too many apps.
        """
        ...


class JournalView(Protocol):
    """Records of one app, or of all, as they are at one moment."""

    def newest_first(self, *, after: str | None = None, operation_id: str | None = None) -> Iterator[RequestRecord]:
        """Return records, what began last first; those behind the one with the id `after`, of an operation.

        What comes after the call changes nothing in them: they may be read in a thread.

        Raises:
            LookupError: there is no record with the id `after`.
        """
        ...

    def count_evicted(self, operation_id: str | None = None) -> int:
        """Return how many records are gone that may have been of an operation, or of any."""
        ...
