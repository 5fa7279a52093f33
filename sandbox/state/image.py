"""What is kept of one app, at one moment: made of values, so that it stays as it is whatever happens to the app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.sources import Origin
from sandbox.state.records import Conversation, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldImage:
    """One app's settings (only what was changed), time, counters, rate windows and conversations.

    `windows` are the starts and counts of the rate windows by their length in seconds; `conversations` stand in the
    order of their numbers, deleted ones too; `items` are what was said in each, by its number.
    """

    origin: Origin
    overrides: Mapping[str, Any] = field(default_factory=dict)
    clock: float | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    windows: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    conversations: Sequence[Conversation] = ()
    items: Mapping[int, Sequence[Item]] = field(default_factory=dict)
