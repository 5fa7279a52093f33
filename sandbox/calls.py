"""What travels between the wire and the handlers: a `Call` in; a `Body`, `Spoken` or `File` out. No HTTP in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.app_settings import AppSettings
from sandbox.contract import Document
from sandbox.reply import Reply
from sandbox.sources import Clock, Entropy, Origin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class App:
    """The app that a request is for: its settings, its time (`frozen`: where it stands still), its entropy.

    `origin` is where the entropy comes from.
    """

    id: str
    settings: AppSettings
    clock: Clock
    frozen: int | None
    origin: Origin
    entropy: Entropy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One request that keeps the contract: every value is valid, absent query parameters have their defaults."""

    app: App
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Document


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """An answer that is a JSON value."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
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


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """An answer of the control API in several forms, of which the client's `Accept` chooses: a JSON object, and texts.

    `texts` makes the text of each other media type.
    """

    document: dict[str, Any]
    texts: Mapping[str, Callable[[], str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class File:
    """An answer of the control API that is written already, and has a name to be kept under."""

    name: str
    media_type: str
    content: bytes


Answer = Body | Spoken
