"""One request of the API on its way through the pipeline: what came, and where the answer goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from sandbox.apps.entry import ReplyStatus
from sandbox.clock import monotonic
from sandbox.contract.operations import MAX_BYTES
from sandbox.server.checks import whole_body
from sandbox.server.http import Headers, headers_of

ENTRY = "sandbox.entry"
CONNECTION = "sandbox.connection"
# When the request was whole, on the clock of durations.
CAME = "sandbox.came"
# With it a request asks for a fault of its own.
FAULT_HEADER = b"sandbox-fault"


class Noting(Protocol):
    """Where it is noted what became of a request, for the journal."""

    app_id: str | None
    operation: str | None
    fault: str | None
    held_by: str | None
    violation: str | None
    stood_at: float | None
    status: int | None
    reply_status: ReplyStatus | None

    @property
    def is_too_much(self) -> bool:
        """Whether its body is more than the server can hold beside the others; a small one never is."""
        ...

    def belongs(self, app_id: str | None, operation: str | None) -> None:
        """Note which app and operation the request is for; from now on the journal shows it."""
        ...


class Exchange:
    """A request that found its operation.

    `path` are its path parameters, `entry` its place in the journal (None where nobody records).
    `send` may be replaced by what spoils the answer on its way; `held_until` is when a fault that held the request let
    it go.
    """

    __slots__ = ("_body", "entry", "headers", "held_until", "path", "receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send, path: Mapping[str, str]) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path = path
        self.headers: Headers = headers_of(scope)
        self.entry: Noting | None = scope.get(ENTRY)
        self.held_until: float | None = None
        self._body: bytes | None = None

    @property
    def connection(self) -> Any:
        """The server's connection, or None when there is none (an application called in process)."""
        return self.scope.get("extensions", {}).get(CONNECTION)

    @property
    def since(self) -> float:
        """From when the schedule of the answer counts, on the clock of durations."""
        came: float | None = self.scope.get(CAME)
        return self.held_until or came or monotonic()

    async def body(self, most: int = MAX_BYTES) -> bytes:
        """Return the body, read once, of at most so many bytes.

        Raises:
            PayloadTooLarge: it is larger than the server takes.
            StoreFull: the server holds too many bodies already.
            ClientDisconnected: the connection was closed before its end.
        """
        if self._body is None:
            entry = self.entry
            too_much = (lambda: False) if entry is None else (lambda: entry.is_too_much)
            self._body = await whole_body(self.headers, self.receive, most, too_much)
        return self._body
