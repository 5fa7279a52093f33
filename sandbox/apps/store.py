"""The protocols of what keeps state, and their laws. A handler takes the one that it needs.

Laws of every store: each method is atomic; what is said of one app changes nothing of another; a read creates nothing;
numbers are counted from 1, each given once. A write to a conversation that is not there raises `Gone`; one that would
not fit raises `StoreFull` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from sandbox.app_settings import AppSettings, RateLimit
from sandbox.apps.image import WorldImage
from sandbox.apps.records import Conversation, Item, Page, Totals, Window
from sandbox.sources import Origin

Counter = Literal["conversation", "completion", "populate", "webhook", "told"]


class Gone(Exception):
    """What was asked for is not kept (any more): its app was forgotten meanwhile."""


class Worlds(Protocol):
    """The apps: their settings, counters and rate windows."""

    async def settings(self, app_id: str) -> AppSettings | None:
        """Return the settings of an app; None when there is no such app."""
        ...

    async def defaults(self, app_id: str) -> AppSettings | None:
        """Return the settings of an app as it began; None when there is no such app."""
        ...

    async def overrides(self, app_id: str) -> Mapping[str, Any]:
        """Return what was set for an app, as JSON: only what differs from how it began."""
        ...

    async def override(self, app_id: str, overrides: Mapping[str, Any]) -> None:
        """Set what differs from how the app began; a changed rate limit starts its windows afresh."""
        ...

    async def touch(self, app_id: str) -> None:
        """Make sure that the app exists, before something is kept for it elsewhere."""
        ...

    async def exists(self, app_id: str) -> bool:
        """Say whether the app was written to."""
        ...

    async def origin(self, app_id: str) -> Origin:
        """Return where the app's randomness comes from."""
        ...

    async def image(self, app_id: str) -> WorldImage:
        """Return all that is kept of an app, as it is at this moment."""
        ...

    async def restore(self, app_id: str, image: WorldImage) -> None:
        """Put an image in place of all that is kept of an app."""
        ...

    async def clock(self, app_id: str) -> float | None:
        """Return the Unix second at which the app's time stands still, or None."""
        ...

    async def set_clock(self, app_id: str, now: float | None) -> None:
        """Let the app's time stand still, or go on."""
        ...

    async def forget(self, app_id: str) -> None:
        """Drop everything of an app; its next use starts afresh."""
        ...

    async def forget_all(self) -> None:
        """Drop everything of every app; their next use starts afresh."""
        ...

    async def declared(self) -> Collection[str]:
        """Return the ids of the apps that were declared."""
        ...

    async def known(self) -> Sequence[str]:
        """Return the ids of the apps that were declared or written to."""
        ...

    async def number(self, app_id: str, counter: Counter) -> int:
        """Give out the next number of a counter."""
        ...

    async def spend(self, app_id: str, limit: RateLimit, now: int) -> int | None:
        """Count one call against a limit; return None, or the seconds to wait when it is used up (nothing counted)."""
        ...


class Conversations(Protocol):
    """The conversations of every app, and what was said in them."""

    async def add(self, app_id: str, conversation: Conversation) -> None:
        """Keep a new conversation."""
        ...

    async def get(self, app_id: str, conversation_id: str) -> Conversation | None:
        """Return a conversation, a deleted one too."""
        ...

    async def set_title(self, app_id: str, conversation_id: str, title: str | None) -> None:
        """Set or clear the custom title."""
        ...

    async def set_generated_title(self, app_id: str, conversation_id: str, pair: tuple[str, str]) -> None:
        """Give the generated title, unless there is one: it never changes."""
        ...

    async def set_metadata(self, app_id: str, conversation_id: str, metadata: bytes) -> None:
        """Replace the snapshot of the metadata."""
        ...

    async def delete(self, app_id: str, conversation_id: str) -> None:
        """Take a conversation out of all lists; it stays a cursor and counts on."""
        ...

    async def page(self, app_id: str, window: Window, user: str | None = None) -> Page:
        """Return one page of the app's conversations, or of one user's; deleted ones are left out."""
        ...

    async def append(self, app_id: str, conversation_id: str, make: Callable[[int], Item]) -> None:
        """Add one item at the end of a conversation; `make` is told how many stand before it."""
        ...

    async def items(self, app_id: str, conversation_id: str) -> Sequence[Item]:
        """Return the items of a conversation, oldest first."""
        ...

    async def totals(self, app_id: str) -> Totals:
        """Return what the app has ever had."""
        ...
