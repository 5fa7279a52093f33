"""Notes what really came and went with one HTTP request, for the journal and for the log.

A request is in the journal as soon as it is known what it is for. Its whole record is there before the last byte of its
answer leaves: a client that has its answer finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from sandbox.apps.journal import AppJournal, Journal
from sandbox.apps.request_record import Ended, RawHeaders, ReplyStatus, RequestRecord
from sandbox.clock import Clock, monotonic
from sandbox.server.metrics import Metrics
from sandbox.server.response_timer import Turns

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

RequestListener = Callable[[RequestRecord], None]

# Replaced, never changed.
_NO_HEADERS: RawHeaders = []
_NO_PIECES: list[tuple[float, bytes]] = []


class RequestRecorder:
    """What the requests of one server share; `log` is told of each when it is over, `turns` are those of long answers.

    Args:
        journal: has them all, but for those of the control API and preflights.
        clock: the server's.
        log: a listener, or None.
        metrics: what counts them, or None.
    """

    def __init__(
        self, journal: Journal, clock: Clock, log: RequestListener | None, metrics: Metrics | None = None
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.log = _both(log, metrics.count_request) if metrics else log
        self.metrics = metrics
        self.turns = Turns()
        # How many bytes of bodies are held now.
        self.body_bytes = 0


def _both(first: RequestListener | None, second: RequestListener) -> RequestListener:
    def tell(record: RequestRecord) -> None:
        if first:
            first(record)
        second(record)

    return tell


class RequestRecording:
    """A request while it is under way, with what its record will have.

    `headers` are its own by lower-case name (one that came twice has both values, joined by a comma), `path` its path
    as it was sent, `parameters` those of the path. `added_headers` go on every answer.
    """

    # All at hand: to look a default up in the class takes longer than to set it.
    __slots__ = (
        "_asgi_send",
        "_duration_ms",
        "_is_body_complete",
        "_last_piece",
        "_omitted",
        "_pieces",
        "_receive",
        "_received",
        "_received_at",
        "_recorder",
        "_response",
        "_response_headers",
        "_response_size",
        "_size",
        "added_headers",
        "ended",
        "fault_kind",
        "framing",
        "frozen_at",
        "headers",
        "held_by",
        "id",
        "journal",
        "operation_id",
        "path",
        "path_parameters",
        "reply_status",
        "scope",
        "seq",
        "started",
        "status",
        "violation",
        "warning",
    )

    seq: int

    def __init__(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send, recorder: RequestRecorder
    ) -> None:
        self.scope = scope
        self.headers = headers
        self.path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.added_headers: RawHeaders = _NO_HEADERS
        self.path_parameters: dict[str, str] = {}
        self.operation_id: str | None = None
        self._receive = receive
        self._asgi_send = send
        self._recorder = recorder
        self._received_at = recorder.clock.exact()
        self.started = monotonic()
        self.id = b""
        self.journal: AppJournal = recorder.journal.no_app
        self.ended: Ended | None = None
        self.fault_kind: str | None = None
        self.held_by: str | None = None
        self.framing = ""
        self.violation: str | None = None
        self.warning: str | None = None
        self.frozen_at: float | None = None
        self.status: int | None = None
        self.reply_status: ReplyStatus | None = None
        self._is_body_complete = False
        self._received: list[bytes] = []
        self._size = 0
        self._duration_ms = 0.0
        self._response_headers: RawHeaders = _NO_HEADERS
        self._response = b""
        self._pieces: list[tuple[float, bytes]] = _NO_PIECES
        self._response_size = 0
        # How much of the answer came after what is kept of it, and the end of that.
        self._omitted = 0
        self._last_piece = (0.0, b"")

    @property
    def metrics(self) -> Metrics | None:
        """What counts, if anything does."""
        return self._recorder.metrics

    @property
    def turns(self) -> Turns:
        """The turns of those who have long answers to send."""
        return self._recorder.turns

    def begin(self, journal: AppJournal) -> None:
        """Note which app's journal the request belongs to; from now on that shows it."""
        self.journal = journal
        self._recorder.journal.begin(self)

    async def receive(self) -> Message:
        """Return a piece of the request, and keep it."""
        return self._keep_received(await self._receive())

    def send_unfaulted(self, message: Message) -> Awaitable[None]:
        """Send a piece of the answer, and keep it."""
        if message["type"] == "http.response.start":
            return self._send_start(message)
        if chunk := message.get("body"):
            self._keep_piece((monotonic() - self.started) * 1000, chunk)
        if not message.get("more_body") and not self.ended:
            self.end("complete")
        return self._asgi_send(message)

    def end(self, ended: Ended) -> None:
        """Note that the request is over."""
        self.ended, self._duration_ms = ended, (monotonic() - self.started) * 1000
        recorder = self._recorder
        recorder.body_bytes -= self._size
        self._record(recorder.journal)
        if recorder.log:
            recorder.log(RequestRecord._make(self.fields()))

    def fields(self) -> tuple[Any, ...]:
        """Return the fields of the record, in the order of `RequestRecord`, as far as it has come."""
        scope, ended = self.scope, self.ended
        return (
            self.id.decode(),
            self.path_parameters.get("app_id"),
            self.operation_id,
            self._received_at,
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
            self._kept_pieces() if self._omitted else self._pieces,
            self._duration_ms if ended else (monotonic() - self.started) * 1000,
            ended,
            self.fault_kind,
            self.violation,
            self.frozen_at,
            # What did not come to its end, or another answer in its place, told the client nothing.
            self.reply_status if ended == "complete" and self.status == 200 else None,
            self._omitted and self._omitted - len(self._last_piece[1]),
            self.held_by,
            self.framing,
            self.warning,
        )

    @property
    def _is_too_much(self) -> bool:
        """Whether its body is more than the server can hold beside the others; a small one never is."""
        return self._size > SMALL_BODY and self._recorder.body_bytes > MAX_BODIES

    @property
    def _has_unread_body(self) -> bool:
        """Whether a body was announced, has not come to its end and was not asked for by itself."""
        if self._is_body_complete or b"expect" in self.headers:
            return False
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def _keep_received(self, message: Message) -> Message:
        """Keep a piece of the request; return it."""
        self._is_body_complete = not message.get("more_body")
        chunk = message.get("body")
        if chunk and self._size < MAX_KEPT_BODY and not self.ended:
            self._received.append(chunk)
            self._size += len(chunk)
            self._recorder.body_bytes += len(chunk)
        if self._is_body_complete:
            self._tell_watchers()
        return message

    async def _drain(self) -> None:
        """Read a body that nobody read to its end: an answer that came early is no reason to lose what was sent.

        One that is slow to come is not waited for, nor is a client that waits to be asked for its body.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while not self._is_body_complete and self._size < MAX_KEPT_BODY and not self._is_too_much:
                    await self.receive()

    async def _send_start(self, message: Message) -> None:
        if self._has_unread_body:
            await self._drain()
        self._pieces = []
        if not self.id:
            await self._identify()
        headers = self._start(message["status"], message["headers"])
        self._tell_watchers()
        await self._asgi_send({**message, "headers": headers})

    def _tell_watchers(self) -> None:
        """Say that it has gone on, between its beginning and its end."""
        watchers = self._recorder.journal.watchers
        if watchers.callbacks:
            watchers.tell(self.journal.app_id)

    def _start(self, status: int, headers: RawHeaders, body: bytes = b"") -> RawHeaders:
        """Note that the answer begins, or all of it; return its headers with what goes on every answer."""
        self.status = status
        self._response, self._response_size = body, len(body)
        self._response_headers = headers = [*headers, *self.added_headers, (REQUEST_ID, self.id)]
        return headers

    def _keep_piece(self, at_ms: float, chunk: bytes) -> None:
        """Keep a piece of an answer; of those that are too many, the end alone."""
        if self._response_size < KEPT_BEGINNING:
            self._pieces.append((at_ms, chunk))
            self._response_size += len(chunk)
        else:
            self._omitted += len(chunk)
            self._last_piece = (at_ms, (self._last_piece[1] + chunk)[-KEPT_END:])

    def _kept_pieces(self) -> list[tuple[float, bytes]]:
        """Return what is kept of too many pieces; an empty one stands for those that are not."""
        return [*self._pieces, (self._last_piece[0], b""), self._last_piece]

    async def _identify(self) -> None:
        """Get the id that goes on the answer, where the request hasn't got it yet."""
        await self._recorder.journal.identify(self)

    def _record(self, journal: Journal) -> None:
        if not self.id:
            self.begin(self.journal)
        journal.add(self, self._size + self._response_size)
