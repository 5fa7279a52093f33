"""What the handlers work with, handed in by whoever puts the server together."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.state.store import Conversations, Worlds


@dataclass(frozen=True, slots=True)
class Services:
    """The stores of one server."""

    worlds: Worlds
    conversations: Conversations
