"""The records that are kept. All are values: a change makes a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Order = Literal["asc", "desc"]
Role = Literal["user", "assistant"]


class Conversation(NamedTuple):
    """One conversation of an app.

    `number` counts the app's conversations from 1. `generated_title` is the pair (English, French). `metadata` is
    compact JSON, exactly as it was sent. A deleted one stays: as a cursor, and in the metrics. `provisional`: the pair
    is made anew once the first exchange is answered (docs/contract.md 5.1). `ledger` is what the agent keeps of the
    conversation, as JSON.
    """

    id: str
    number: int
    created_at: int
    external_user_id: str | None = None
    title: str | None = None
    generated_title: tuple[str, str] | None = None
    metadata: bytes | None = None
    deleted: bool = False
    provisional: bool = False
    ledger: bytes | None = None

    @property
    def position(self) -> Position:
        """Where it stands among the others of its app."""
        return Position(self.created_at, self.number)


class Item(NamedTuple):
    """One item of a conversation: its role, and the item as JSON (docs/contract.md 3.4)."""

    role: Role
    json: bytes


class Position(NamedTuple):
    """Where a conversation stands among the others: by creation time, then by number (docs/contract.md 5.4)."""

    created_at: int
    number: int


class PageRequest(NamedTuple):
    """Which page of a list is wanted; `after` and `before` are ids of conversations, at most one of them given."""

    limit: int
    order: Order = "desc"
    after: str | None = None
    before: str | None = None


class Page(NamedTuple):
    """One page of a list; `has_more`: more rows lie beyond it in the direction of travel."""

    rows: Sequence[Conversation] = ()
    has_more: bool = False


class Totals(NamedTuple):
    """What an app has ever had (docs/contract.md 5.6); deleted conversations count."""

    conversations: int = 0
    messages: int = 0
    users: int = 0
