"""One HTTP request on its way through the server: what came, what is known of it, and the one way to answer it.

What really came and went is noted on the way, for the journal and for the log. A request is in the journal as soon as
it is known what it is for. Its whole record is there before the last byte of its answer leaves: a client that has its
answer finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from sandbox.apps.app import App
from sandbox.apps.journal import AppJournal, Ended, Headers, Journal, ReplyStatus, RequestRecord
from sandbox.clock import Clock, monotonic
from sandbox.contract import Document, Operation
from sandbox.contract.operations import MAX_BYTES
from sandbox.errors import ApiError, InvalidRequest, PayloadTooLarge, StoreFull
from sandbox.server.response_timer import ClientDisconnected, Turns

# In the scope: the server's connection, and when the request was whole, on the clock of durations.
CONNECTION = "sandbox.connection"
CAME = "sandbox.came"

REQUEST_ID = b"sandbox-request-id"
# A body beyond the API's own limit is refused; the journal keeps its beginning.
MAX_KEPT_BODY = 1024 * 1024
# Of a longer answer in pieces the beginning and the end are kept.
KEPT_BEGINNING = 32 * 1024
KEPT_END = 4 * 1024
# Seconds of real time in which a body that was sent with its headers has come.
DRAIN_TIMEOUT = 1.0
# So many bytes of bodies are held for all requests that are under way, without those that are small.
MAX_BODIES = 256 * 1024**2
SMALL_BODY = 64 * 1024

BODILESS = frozenset({204, 205, 304})
NO_BODY = Document(b"", None)

RequestListener = Callable[[RequestRecord], None]

# Replaced, never changed.
_NO_HEADERS: Headers = []
_NO_PIECES: list[tuple[float, bytes]] = []


class RequestRecorder:
    """What the requests of one server share; `log` is told of each when it is over, `turns` are those of long answers.

    Args:
        journal: has them all, but for those of the control API and preflights.
        clock: the server's.
        log: a listener, or None.
    """

    def __init__(self, journal: Journal, clock: Clock, log: RequestListener | None) -> None:
        self.journal = journal
        self.clock = clock
        self.log = log
        self.turns = Turns()
        # How many bytes of bodies are held now.
        self.body_bytes = 0


class RequestContext:
    """A request while it is under way.

    `headers` are its own by lower-case name (one that came twice has both values, joined by a comma), `path` its path
    as it was sent, `parameters` those of the path. What is found out is noted: `operation`, `app`, `key`, the `fault`
    that acts on it, the valid `query` and `body`, the handler's `result` and the `payload` it is answered with.
    `added_headers` go on every answer. `held_until` is when a fault that held the request let it go.
    """

    # All at hand: to look a default up in the class takes longer than to set it.
    __slots__ = (
        "_at",
        "_body",
        "_is_heard",
        "_last_piece",
        "_omitted",
        "_pieces",
        "_raw",
        "_receive",
        "_received",
        "_recorder",
        "_response",
        "_response_headers",
        "_response_size",
        "_send",
        "_size",
        "_took",
        "added_headers",
        "app",
        "body",
        "ended",
        "fault",
        "fault_kind",
        "frozen_at",
        "headers",
        "held_by",
        "held_until",
        "id",
        "journal",
        "key",
        "operation",
        "operation_id",
        "parameters",
        "path",
        "payload",
        "query",
        "reply_status",
        "result",
        "scope",
        "sender",
        "seq",
        "started",
        "status",
        "violation",
    )

    seq: int
    # Known from when the request has found its operation.
    app: App
    operation: Operation

    def __init__(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send, recorder: RequestRecorder
    ) -> None:
        self.scope = scope
        self.headers = headers
        self.path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.added_headers: Headers = _NO_HEADERS
        self.parameters: dict[str, str] = {}
        self.operation_id: str | None = None
        self.key = ""
        self.fault: Mapping[str, Any] | None = None
        self.body = NO_BODY
        self.query: Mapping[str, Any] = {}
        self.result: Any = None
        self.payload = b""
        self.held_until: float | None = None
        # What spoils the answer on its way, if anything does.
        self.sender: Send | None = None
        self._receive = receive
        self._send = send
        self._raw: bytes | None = None
        # What is recorded.
        self._recorder = recorder
        self._at = recorder.clock.exact()
        self.started = monotonic()
        self.id = b""
        self.journal: AppJournal = recorder.journal.no_app
        self.ended: Ended | None = None
        self.fault_kind: str | None = None
        self.held_by: str | None = None
        self.violation: str | None = None
        self.frozen_at: float | None = None
        self.status: int | None = None
        self.reply_status: ReplyStatus | None = None
        self._is_heard = False
        self._received: list[bytes] = []
        self._size = 0
        self._took = 0.0
        self._response_headers: Headers = _NO_HEADERS
        self._response = b""
        self._pieces: list[tuple[float, bytes]] = _NO_PIECES
        self._response_size = 0
        # How much of the answer came after what is kept of it, and the end of that.
        self._omitted = 0
        self._last_piece = (0.0, b"")

    @property
    def turns(self) -> Turns:
        """The turns of those who have long answers to send."""
        return self._recorder.turns

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

    def begin(self, journal: AppJournal) -> None:
        """Note which app's journal the request belongs to; from now on that shows it."""
        self.journal = journal
        self._recorder.journal.begin(self)

    async def receive(self) -> Message:
        """Return a piece of the request, and keep it."""
        message = await self._receive()
        self._is_heard = not message.get("more_body", False)
        if (chunk := message.get("body")) and self._size < MAX_KEPT_BODY and not self.ended:
            self._received.append(chunk)
            self._hold(len(chunk))
        return message

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
            message = await self.receive()
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
                raise StoreFull("Too many large bodies are on their way to the sandbox; send this one again later.")

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
        described: Headers = []
        if status in BODILESS:
            body = b""
        else:
            described = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        described = [*described, (b"x-content-type-options", b"nosniff"), *headers]
        if self.sender is not None:
            await self.sender({"type": "http.response.start", "status": status, "headers": described})
            return await self.sender({"type": "http.response.body", "body": body})
        # What two messages would do, in fewer steps.
        if not self._is_heard:
            await self._drain()
        described = self._start(status, described)
        self._keep_response(body)
        self.end("complete")
        await self._send({"type": "http.response.start", "status": status, "headers": described})
        return await self._send({"type": "http.response.body", "body": body})

    async def respond_error(self, error: ApiError, validation_status: int = 422) -> None:
        """Send an error in the API's envelope."""
        if isinstance(error, InvalidRequest):
            self.violation = error.message
        status = validation_status if isinstance(error, InvalidRequest) else error.status
        own = {name.encode(): value.encode() for name, value in error.headers.items()}
        content_type = own.pop(b"content-type", b"application/json")
        await self.respond(status, orjson.dumps(error.envelope()), content_type=content_type, headers=own.items())

    def send(self, message: Message) -> Awaitable[None]:
        """Send a piece of the answer, by way of what spoils it."""
        return self.send_message(message) if self.sender is None else self.sender(message)

    def send_message(self, message: Message) -> Awaitable[None]:
        """Send a piece of the answer, and keep it."""
        if message["type"] == "http.response.start":
            return self._send_start(message)
        if chunk := message.get("body"):
            self._keep_piece((monotonic() - self.started) * 1000, chunk)
        if not message.get("more_body") and not self.ended:
            self.end("complete")
        return self._send(message)

    def end(self, ended: Ended) -> None:
        """Note that the request is over."""
        self.ended, self._took = ended, (monotonic() - self.started) * 1000
        self._recorder.body_bytes -= self._size
        self._record(self._recorder)

    def release(self) -> None:
        """Let go of what only a request under way needs: its record may stay for a while."""
        # Each would hold the other until the garbage collector comes; memory that is new each time is slower.
        self.sender = None
        self.body, self.result, self.payload, self._raw = NO_BODY, None, b"", None

    def fields(self) -> tuple[Any, ...]:
        """Return the fields of the record, as far as it has come."""
        scope, ended = self.scope, self.ended
        return (
            self.id.decode(),
            self.parameters.get("app_id"),
            self.operation_id,
            self._at,
            self.seq,
            self.started,
            scope["scheme"],
            scope["method"],
            self.path,
            scope["query_string"],
            scope["headers"],
            b"".join(self._received),
            self.status,
            self._response_headers,
            self._response,
            self._kept_pieces(),
            self._took if ended else (monotonic() - self.started) * 1000,
            ended,
            self.fault_kind,
            self.violation,
            self.frozen_at,
            # What did not come to its end, or another answer in its place, told the client nothing.
            self.reply_status if ended == "complete" and self.status == 200 else None,
            self._omitted - len(self._last_piece[1]),
            self.held_by,
        )

    @property
    def _is_too_much(self) -> bool:
        """Whether its body is more than the server can hold beside the others; a small one never is."""
        return self._size > SMALL_BODY and self._recorder.body_bytes > MAX_BODIES

    def _hold(self, size: int) -> None:
        self._size += size
        self._recorder.body_bytes += size

    async def _drain(self) -> None:
        """Read a body that nobody read to its end: an answer that came early is no reason to lose what was sent.

        One that is slow to come is not waited for, nor is a client that waits to be asked for its body.
        """
        headers = self.headers
        if not (b"content-length" in headers or b"transfer-encoding" in headers) or b"expect" in headers:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while not self._is_heard and self._size < MAX_KEPT_BODY and not self._is_too_much:
                    await self.receive()

    async def _send_start(self, message: Message) -> None:
        if not self._is_heard:
            await self._drain()
        self._pieces = []
        await self._send({**message, "headers": self._start(message["status"], message["headers"])})

    def _start(self, status: int, headers: Headers) -> Headers:
        """Note that the answer begins; return its headers with what goes on every answer."""
        if not self.id:
            self.begin(self.journal)
        self.status = status
        self._response_headers = headers = [*headers, *self.added_headers, (REQUEST_ID, self.id)]
        return headers

    def _keep_response(self, body: bytes) -> None:
        self._response = body

    def _keep_piece(self, at_ms: float, chunk: bytes) -> None:
        """Keep a piece of an answer; of those that are too many, the end alone."""
        if self._response_size < KEPT_BEGINNING:
            self._pieces.append((at_ms, chunk))
            self._response_size += len(chunk)
        else:
            self._omitted += len(chunk)
            self._last_piece = (at_ms, (self._last_piece[1] + chunk)[-KEPT_END:])

    def _kept_pieces(self) -> list[tuple[float, bytes]]:
        """Return what is kept of the pieces; an empty one stands for those that are not."""
        return [*self._pieces, (self._last_piece[0], b""), self._last_piece] if self._omitted else self._pieces

    def _record(self, recorder: RequestRecorder) -> None:
        if not self.id:
            self.begin(self.journal)
        recorder.journal.add(self, self._size + self._response_size + len(self._response))
        if recorder.log:
            recorder.log(RequestRecord._make(self.fields()))


class UnrecordedContext(RequestContext):
    """A request of the control API, or a preflight: the log alone is told of it, the journal has not even its count."""

    __slots__ = ()

    seq = 0

    def begin(self, journal: AppJournal) -> None:
        """Belong to no journal."""

    async def receive(self) -> Message:
        """Return a piece of the request."""
        message = await self._receive()
        if (chunk := message.get("body")) and not self.ended:
            self._hold(len(chunk))
        return message

    async def _drain(self) -> None:
        """Leave what nobody reads."""

    def _start(self, status: int, headers: Headers) -> Headers:
        self.status = status
        return [*headers, *self.added_headers]

    def _keep_response(self, body: bytes) -> None:
        """Keep an error for the log, nothing else."""
        if (self.status or 0) >= 400:
            self._response = body

    def _keep_piece(self, at_ms: float, chunk: bytes) -> None:  # noqa: ARG002 - the signature of the base
        """Keep an error for the log, nothing else: a stream may go on for days."""
        if (self.status or 0) >= 400:
            self._response += chunk

    def _record(self, recorder: RequestRecorder) -> None:
        if recorder.log:
            recorder.log(RequestRecord._make(self.fields()))


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
