"""What the handlers work with, handed in by whoever puts the server together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sandbox.apps.rule_queue import Queue
from sandbox.apps.store import Conversations, Worlds
from sandbox.handler_types import App

# Tells whoever wants to know that something of this type has happened in an app, with its data (CONTRACT.md 9).
Announce = Callable[[App, str, Mapping[str, Any]], Awaitable[object]]


class Services(NamedTuple):
    """The stores of one server; `replies` are those that were scripted; `announce` sends webhooks in the background."""

    worlds: Worlds
    conversations: Conversations
    replies: Queue
    announce: Announce
