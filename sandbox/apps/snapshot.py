"""All that is kept of one app, at one moment: made of values, so that it stays as it is whatever happens to the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.apps.records import Conversation, Item
from sandbox.apps.rule_queue import EMPTY, QueueState
from sandbox.rng import SeedScope


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSnapshot:
    """One app's settings, time, counters, rate windows, conversations and queues.

    `settings` are all that it has, `overrides` those that differ from how it began, both as JSON; `rate_windows` are
    starts and counts by the length in seconds; `records` are the conversations, deleted ones too, and `items` what was
    said in each, both by the conversation's number. Lists of items only grow: where `lengths` is given, so many of each
    belong to the snapshot, so that to take one needs no copy of the lists.
    """

    origin: SeedScope
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    clock: float | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    rate_windows: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    records: Mapping[int, Conversation] = field(default_factory=dict)
    items: Mapping[int, Sequence[Item]] = field(default_factory=dict)
    lengths: Mapping[int, int] | None = None
    faults: QueueState = EMPTY
    replies: QueueState = EMPTY
    scenario: str | None = None

    @property
    def conversations(self) -> Iterator[Conversation]:
        """The conversations in the order of their numbers."""
        return (self.records[number] for number in sorted(self.records))

    def items_of(self, conversation: Conversation) -> Sequence[Item]:
        """Return what was said in a conversation."""
        items = self.items.get(conversation.number, ())
        return items if self.lengths is None else items[: self.lengths.get(conversation.number, 0)]
