"""What the control API's handlers work with, and what they are asked and answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.apps.events import Bus
from sandbox.apps.journal import Journal
from sandbox.apps.rule_queue import Queue
from sandbox.apps.store import Conversations, Worlds
from sandbox.contract import Contract, Document, Validator
from sandbox.control.history import History
from sandbox.handler_types import App, File, Forms
from sandbox.persistence.data_file import Keeper
from sandbox.redaction import Masker
from sandbox.sources import Clock
from sandbox.webhooks.dispatcher import WebhookDispatcher


class LiveEvents(Protocol):
    """Events as they happen."""

    async def next(self) -> bytes:
        """Wait for the next event; return what has happened by then, as server-sent events."""
        ...

    def leave(self) -> None:
        """Listen no more."""
        ...


class Apps(Protocol):
    """How the control API reaches the apps' lives."""

    async def app(self, app_id: str) -> App | None:
        """Return an app, or None when there is none of this id."""
        ...

    def replant(self) -> None:
        """Give the demo app its conversations again on its next use."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlServices:
    """The parts of one server that the control API drives; `server` are the settings on which its answers depend."""

    apps: Apps
    worlds: Worlds
    conversations: Conversations
    faults: Queue
    replies: Queue
    journal: Journal
    history: History
    clock: Clock
    webhooks: WebhookDispatcher
    bus: Bus
    masker: Masker
    contract: Contract
    settings_law: Validator
    keeper: Keeper | None
    version: str
    server: Mapping[str, Any]
    end_answers: Callable[[str | None], None]
    release: Callable[[str, str | None], bool]
    populate: Callable[..., Awaitable[None]]
    look: Callable[[App], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCall:
    """One request of the control API that keeps its contract."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    document: Document

    @property
    def body(self) -> Any:
        """What the request's body says, its numbers as they were sent."""
        return self.document.exact


# A JSON object, the same in several forms, a plain text, a file, an answer that goes on, or None: no body.
ControlAnswer = dict[str, Any] | Forms | str | File | LiveEvents | None
