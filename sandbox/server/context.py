"""One HTTP request on its way through the server: what came, what is known of it, and the one way to answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App
from sandbox.apps.journal import AppJournal, Journal
from sandbox.apps.request_record import RawHeaders
from sandbox.clock import Clock, monotonic
from sandbox.contract import Document, Operation
from sandbox.contract.operations import MAX_BYTES
from sandbox.errors import ApiError, BrokenContract, InvalidRequest, PayloadTooLarge, StoreFull
from sandbox.server.recording import RequestRecorder, RequestRecording
from sandbox.server.response_timer import ClientDisconnected

# In the scope: the server's connection, and when the request was whole, on the clock of durations.
CONNECTION = "sandbox.connection"
CAME = "sandbox.came"

BODILESS = frozenset({204, 205, 304})
NO_BODY = Document(b"", None)


class RequestContext(RequestRecording):
    """A request on its way through the stages: what they found out, and the one way to answer.

    They note the `operation`, the `app`, its `settings` and `clock`, the `key`, the `fault` that acts on it, the valid
    `query` and `body`, the handler's `result` and the `payload` it is answered with. `held_until` is when a fault that
    held the request let it go.
    """

    __slots__ = (
        "_raw",
        "app",
        "body",
        "clock",
        "fault",
        "fault_sender",
        "held_until",
        "key",
        "operation",
        "payload",
        "query",
        "result",
        "settings",
    )

    # Known from when the request has found its operation.
    app: App
    operation: Operation
    # Known from when its app was loaded.
    settings: AppSettings
    clock: Clock

    def __init__(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send, recorder: RequestRecorder
    ) -> None:
        super().__init__(scope, headers, receive, send, recorder)
        self.key = ""
        self.fault: Mapping[str, Any] | None = None
        self.body = NO_BODY
        self.query: Mapping[str, Any] = {}
        self.result: Any = None
        self.payload = b""
        self.held_until: float | None = None
        # What spoils the answer on its way, if anything does.
        self.fault_sender: Send | None = None
        self._raw: bytes | None = None

    @property
    def connection(self) -> Any:
        """The server's connection, or None when there is none (an application called in process)."""
        return self.scope.get("extensions", {}).get(CONNECTION)

    @property
    def since(self) -> float:
        """From when the schedule of the answer counts, on the clock of durations."""
        came: float | None = self.scope.get(CAME)
        return self.held_until or came or monotonic()

    # What came

    async def read_body(self, max_bytes: int = MAX_BYTES) -> bytes:
        """Return the body, read once; what lies beyond is read off by the server after the answer.

        Raises:
            PayloadTooLarge: it has more bytes.
            StoreFull: the server holds too many bodies already.
            ClientDisconnected: the connection was closed before its end.
        """
        if self._raw is not None:
            return self._raw
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > max_bytes:
            raise _too_large(max_bytes)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = self._keep_received(await self._receive())
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > max_bytes:
                raise _too_large(max_bytes)
            chunks.append(chunk)
            if not message.get("more_body", False):
                self._raw = b"".join(chunks)
                return self._raw
            if self._is_too_much:
                raise StoreFull("The sandbox is receiving too many large bodies; send this one again later.")

    # The answer

    async def respond(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """Send a whole answer; a status that has no body is sent without."""
        body = b"" if status in BODILESS else body
        described = describe_response(status, body, content_type, headers)
        if self.fault_sender is not None:
            await self.fault_sender({"type": "http.response.start", "status": status, "headers": described})
            return await self.fault_sender({"type": "http.response.body", "body": body})
        # What two messages would do, in fewer steps.
        if self._has_unread_body:
            await self._drain()
        if not self.id:
            await self._identify()
        described = self._start(status, described, body)
        self.end("complete")
        await self._asgi_send({"type": "http.response.start", "status": status, "headers": described})
        return await self._asgi_send({"type": "http.response.body", "body": body})

    async def respond_error(self, error: ApiError, validation_status: int = 422) -> None:
        """Send an error in the API's envelope."""
        if isinstance(error, InvalidRequest):
            self.violation = error.message
        self.count_error(error)
        status = validation_status if isinstance(error, InvalidRequest) else error.status
        own = {name.encode(): value.encode() for name, value in error.headers.items()}
        content_type = own.pop(b"content-type", b"application/json")
        await self.respond(status, orjson.dumps(error.envelope()), content_type=content_type, headers=own.items())

    def count_error(self, error: ApiError) -> None:
        """Count an error of the sandbox's own."""
        if self.metrics and isinstance(error, BrokenContract):
            self.metrics.count_broken_contract()

    def send(self, message: Message) -> Awaitable[None]:
        """Send a piece of the answer, by way of what spoils it."""
        return self.send_unfaulted(message) if self.fault_sender is None else self.fault_sender(message)

    def close(self) -> None:
        """Let go of what only a request under way needs: its record may stay for a while."""
        # Each would hold the other until the garbage collector comes; memory that is new each time is slower.
        self.fault_sender = None
        self.body, self.result, self.payload, self._raw = NO_BODY, None, b"", None


class UnrecordedContext(RequestContext):
    """A request of the control API, or a preflight: the log alone is told of it, the journal has not even its count."""

    __slots__ = ()

    seq = 0

    def begin(self, journal: AppJournal) -> None:
        """Belong to no journal."""

    async def _identify(self) -> None:
        """Have no id."""

    @property
    def _has_unread_body(self) -> bool:
        """False: what nobody reads is left."""
        return False

    def _keep_received(self, message: Message) -> Message:
        """Count the bytes, and keep none."""
        if (chunk := message.get("body")) and not self.ended:
            self._size += len(chunk)
            self._recorder.body_bytes += len(chunk)
        return message

    def _start(self, status: int, headers: RawHeaders, body: bytes = b"") -> RawHeaders:
        """Note the status; keep an error for the log, nothing else."""
        self.status = status
        if status >= 400:
            self._response = body
        return [*headers, *self.added_headers]

    def _keep_piece(self, at_ms: float, chunk: bytes) -> None:  # noqa: ARG002 - the signature of the base
        """Keep an error for the log, nothing else: a stream may go on for days."""
        if (self.status or 0) >= 400:
            self._response += chunk

    def _record(self, journal: Journal) -> None:
        """Leave nothing in the journal."""


def describe_response(
    status: int, body: bytes, content_type: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> RawHeaders:
    """Return the headers of a whole answer; one whose status has no body has none that describe it."""
    described = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    return [*([] if status in BODILESS else described), (b"x-content-type-options", b"nosniff"), *headers]


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """Return the request's headers by lower-case name; one that came twice has both values, joined by a comma."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def is_preflight(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Say whether a request only asks whether a browser may send another one."""
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= headers.keys()


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {max_bytes:,} bytes.")
