"""What the handlers work with, handed in by whoever puts the server together."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.state.queues import Queue
from sandbox.state.store import Conversations, Worlds


@dataclass(frozen=True, slots=True)
class Services:
    """The stores of one server; `replies` are those that were scripted."""

    worlds: Worlds
    conversations: Conversations
    replies: Queue
