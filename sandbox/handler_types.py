"""What travels between the wire and the handlers: a `Call` in; a `Body`, `Spoken` or `File` out. No HTTP in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sandbox.app_settings import AppSettings
from sandbox.contract import Document
from sandbox.reply import Reply
from sandbox.sources import Clock, Entropy, Origin


class App(NamedTuple):
    """The app that a request is for: its settings, its time (`frozen`: the second, with its fraction, at which it
    stands still; None: it runs), its entropy.

    `origin` is where the entropy comes from.
    """

    id: str
    settings: AppSettings
    clock: Clock
    frozen: float | None
    origin: Origin
    entropy: Entropy

    @property
    def moment(self) -> float:
        """The app's time in Unix seconds, with its fraction where it stands still at one."""
        return self.clock.now() if self.frozen is None else self.frozen


class Call(NamedTuple):
    """One request that keeps the contract: every value is valid, absent query parameters have their defaults."""

    app: App
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Document


class Body(NamedTuple):
    """An answer that is a JSON value."""

    value: Any


class Spoken(NamedTuple):
    """An answer that the agent speaks: as a JSON body, or streamed as events.

    `id` is the response's (`conversation_id` given) or the completion's. `settle` keeps what was said; it runs just
    before the answer or its last event goes out, and never when the reply failed, broke off or was abandoned.
    """

    id: str
    created_at: int
    conversation_id: str | None
    reply: Reply
    streamed: bool
    settle: Callable[[], Awaitable[None]]


class Forms(NamedTuple):
    """An answer of the control API in several forms, of which the client's `Accept` chooses: a JSON object, and texts.

    `texts` makes the text of each other media type.
    """

    document: dict[str, Any]
    texts: Mapping[str, Callable[[], str]]


class File(NamedTuple):
    """An answer of the control API that is written and masked already; its name, if any, is what it is kept under."""

    name: str | None
    media_type: str
    content: bytes


Answer = Body | Spoken
