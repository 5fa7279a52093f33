"""What travels between the server and the handlers: an `OperationRequest` in, a result out. No HTTP in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from sandbox.app_settings import AppSettings
from sandbox.clock import Clock
from sandbox.contract import Document
from sandbox.reply import Reply


class OperationRequest(NamedTuple):
    """A request that keeps the contract: every value is valid, absent query parameters have their defaults.

    `settings` and `clock` are the app's as the request met them: what is set meanwhile applies to new requests.
    """

    path_parameters: Mapping[str, str]
    query: Mapping[str, Any]
    body: Document
    settings: AppSettings
    clock: Clock


class JsonResult(NamedTuple):
    """A result that is a JSON value."""

    value: Any


class TextWriter(Protocol):
    """Writes the text of a reply while it is sent; begun by the first call, closed in any case.

    When it is over, `warning` is what the journal is to say of it, `failure` why the reply fails.
    """

    warning: str | None
    failure: str | None

    async def next(self) -> str | None:
        """Wait for the next piece of the text; None: it is over."""
        ...

    async def close(self) -> None:
        """Stop writing."""
        ...


class ReplyResult(NamedTuple):
    """A reply of the agent: sent as a JSON body, or streamed as events.

    `id` is the response's (`conversation_id` given) or the completion's. `commit` keeps what was said; it runs just
    before the answer or its last event goes out, and never when the reply failed, broke off or was abandoned.
    What a `writer` writes, if anything, takes the place of the reply's only text.
    """

    id: str
    created_at: int
    conversation_id: str | None
    reply: Reply
    streamed: bool
    commit: Callable[[Reply], Awaitable[None]]
    writer: TextWriter | None = None


class NegotiatedResult(NamedTuple):
    """A result of the control API in several media types, of which the client's `Accept` chooses.

    `document` is the JSON object; `texts` makes the text of each other media type.
    """

    document: dict[str, Any]
    texts: Mapping[str, Callable[[], str]]


class PendingResult(NamedTuple):
    """A JSON object of the control API that may take long to come.

    `wait` waits for it; where the server stops meanwhile, `now` makes it as it is then.
    """

    wait: Callable[[], Coroutine[Any, Any, dict[str, Any]]]
    now: Callable[[], Awaitable[dict[str, Any]]]


class FileResult(NamedTuple):
    """A result of the control API that is written and redacted already; `name`, if any, is the file's."""

    name: str | None
    media_type: str
    content: bytes


class EventStream(Protocol):
    """Events as they happen."""

    async def next(self) -> bytes:
        """Wait for the next event; return what has happened by then, as server-sent events."""
        ...

    def close(self) -> None:
        """Unsubscribe."""
        ...


OperationResult = JsonResult | ReplyResult
