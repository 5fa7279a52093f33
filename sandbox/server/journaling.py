"""Hears what really came and went, outermost of all; hands each request to the journal and to the log.

A request is in the journal as soon as it is known what it is for. Its whole entry is there before the last byte of its
answer leaves: a client that has its answer finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.apps.entry import Ended, Entry, Fields, Headers, ReplyStatus
from sandbox.apps.journal import Counted, Journal
from sandbox.clock import Clock, monotonic
from sandbox.server.access import is_control
from sandbox.server.context import ENTRY
from sandbox.server.http import ADDED, headers_of, is_preflight, raw_path

REQUEST_ID = b"sandbox-request-id"
# A body beyond the API's own limit is refused; the journal keeps its beginning.
MOST_KEPT = 1024 * 1024
# Of a longer answer in pieces the beginning and the end are kept.
MOST_OF_A_STREAM = 32 * 1024
END_OF_A_STREAM = 4 * 1024
# Seconds of real time in which a body that was sent with its headers has come.
SOON = 1.0
# So many bytes of bodies are held for all requests that are under way, without those that are small.
MOST_UNDER_WAY = 256 * 1024**2
SMALL = 64 * 1024

Listener = Callable[[Entry], None]

# Replaced, never changed.
_NO_HEADERS: Headers = []
_NO_PIECES: list[tuple[float, bytes]] = []


class Recorder:
    """Records every request outside `/_sandbox` that isn't a preflight; tells `log` of the others too."""

    def __init__(self, app: ASGIApp, journal: Journal, clock: Clock, log: Listener | None) -> None:
        self._app = app
        self.journal = journal
        self.clock = clock
        self.log = log
        # How many bytes of bodies are held now.
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        kind = Overheard if is_control(scope) or is_preflight(scope) else Recording
        scope[ENTRY] = recording = kind(self, scope, receive, send)
        try:
            await self._app(scope, recording.receive, recording)
        except BaseException:
            if not recording.ended:
                recording.end("cut")
            raise
        finally:
            # Each would hold the other until the garbage collector comes; memory that is new each time is slower.
            del scope[ENTRY]
        if not recording.ended:
            recording.end("client_gone")
        return None


class Recording:
    """A request while it is under way, with what is noted of it; to the application it is what takes the answer."""

    # All at hand: to look a default up in the class takes longer than to set it.
    __slots__ = (
        "_answer",
        "_at",
        "_began",
        "_body",
        "_headers",
        "_heard",
        "_last",
        "_passed",
        "_pieces",
        "_receive",
        "_recorder",
        "_scope",
        "_send",
        "_sent",
        "_size",
        "_took",
        "app_id",
        "counted",
        "ended",
        "fault",
        "held_by",
        "id",
        "operation",
        "reply_status",
        "status",
        "stood_at",
        "turn",
        "violation",
    )

    counted: Counted
    turn: int

    def __init__(self, recorder: Recorder, scope: Scope, receive: Receive, send: Send) -> None:
        self._recorder = recorder
        self._scope = scope
        self._receive = receive
        self._send = send
        self._at = recorder.clock.exact()
        self._began = monotonic()
        self._heard = False
        self._body: list[bytes] = []
        self._size = 0
        self._headers: Headers = _NO_HEADERS
        self._answer = b""
        self._pieces: list[tuple[float, bytes]] = _NO_PIECES
        self._sent = 0
        # How much of the answer came after what is kept of it, and the end of that.
        self._passed = 0
        self._last = (0.0, b"")
        self.ended: Ended | None = None
        self.id = b""
        # What those who answer note (`Noting`).
        self.app_id: str | None = None
        self.operation: str | None = None
        self.fault: str | None = None
        self.held_by: str | None = None
        self.violation: str | None = None
        self.stood_at: float | None = None
        self.status: int | None = None
        self.reply_status: ReplyStatus | None = None

    def belongs(self, app_id: str | None, operation: str | None) -> None:
        """Note which app and operation the request is for; from now on the journal shows it."""
        self.app_id, self.operation = app_id, operation
        self._recorder.journal.begin(self)

    async def receive(self) -> Message:
        """Pass a piece of the request on, and keep it."""
        message = await self._receive()
        self._heard = not message.get("more_body", False)
        if (chunk := message.get("body")) and self._size < MOST_KEPT and not self.ended:
            self._body.append(chunk)
            self._hold(len(chunk))
        return message

    def _hold(self, more: int) -> None:
        self._size += more
        self._recorder.under_way += more

    @property
    def is_too_much(self) -> bool:
        """Whether its body is more than the server can hold beside the others; a small one never is."""
        return self._size > SMALL and self._recorder.under_way > MOST_UNDER_WAY

    def __call__(self, message: Message) -> Awaitable[None]:
        """Pass a piece of the answer on, and keep it."""
        if message["type"] == "http.response.start":
            return self._start(message)
        if chunk := message.get("body"):
            self._keep((monotonic() - self._began) * 1000, chunk)
        if not message.get("more_body") and not self.ended:
            self.end("complete")
        return self._send(message)

    def _keep(self, at_ms: float, chunk: bytes) -> None:
        """Keep a piece of an answer; of those that are too many, the end alone."""
        if self._sent < MOST_OF_A_STREAM:
            self._pieces.append((at_ms, chunk))
            self._sent += len(chunk)
        else:
            self._passed += len(chunk)
            self._last = (at_ms, (self._last[1] + chunk)[-END_OF_A_STREAM:])

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer that is all there: what two messages would do, in fewer steps."""
        if not self._heard:
            await self._hear_out()
        headers = self._begin(status, headers)
        self._answer = body
        self.end("complete")
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _start(self, message: Message) -> None:
        if not self._heard:
            await self._hear_out()
        self._pieces = []
        await self._send({**message, "headers": self._begin(message["status"], message["headers"])})

    def _begin(self, status: int, headers: Headers) -> Headers:
        """Note that the answer begins; return its headers with what goes on every answer."""
        if not self.id:
            self._recorder.journal.begin(self)
        self.status = status
        self._headers = headers = [*headers, *self._scope.get(ADDED, ()), (REQUEST_ID, self.id)]
        return headers

    async def _hear_out(self) -> None:
        """Hear a body that nobody read to its end: an answer that came early is no reason to lose what was sent.

        One that is slow to come is not waited for, nor is a client that waits to be asked for its body.
        """
        headers = headers_of(self._scope)
        if not (b"content-length" in headers or b"transfer-encoding" in headers) or b"expect" in headers:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while not self._heard and self._size < MOST_KEPT and not self.is_too_much:
                    await self.receive()

    def end(self, ended: Ended) -> None:
        """Close the request."""
        self.ended, self._took = ended, (monotonic() - self._began) * 1000
        self._recorder.under_way -= self._size
        journal, log = self._recorder.journal, self._recorder.log
        if not self.id:
            journal.begin(self)
        journal.add(self, self._size + self._sent + len(self._answer))
        if log:
            log(Entry._make(self.fields()))

    def fields(self) -> Fields:
        """Return the fields of the entry, as far as it has come."""
        scope, ended = self._scope, self.ended
        return (
            self.id.decode(),
            self.app_id,
            self.operation,
            self._at,
            self.turn,
            self._began,
            scope["scheme"],
            scope["method"],
            raw_path(scope),
            scope["query_string"],
            scope["headers"],
            b"".join(self._body),
            self.status,
            self._headers,
            self._answer,
            self._kept_pieces(),
            self._took if ended else (monotonic() - self._began) * 1000,
            ended,
            self.fault,
            self.violation,
            self.stood_at,
            # What did not come to its end, or another answer in its place, told the client nothing.
            self.reply_status if ended == "complete" and self.status == 200 else None,
            self._passed - len(self._last[1]),
            self.held_by,
        )

    def _kept_pieces(self) -> list[tuple[float, bytes]]:
        """Return what is kept of the pieces; an empty one stands for those that are not."""
        return [*self._pieces, (self._last[0], b""), self._last] if self._passed else self._pieces


class Overheard(Recording):
    """A request that the log alone is told of: the journal has neither it nor its count."""

    __slots__ = ()

    turn = 0

    def belongs(self, app_id: str | None, operation: str | None) -> None:
        """Note which app and operation the request is for."""
        self.app_id, self.operation = app_id, operation

    async def receive(self) -> Message:
        """Pass a piece of the request on."""
        message = await self._receive()
        if (chunk := message.get("body")) and not self.ended:
            self._hold(len(chunk))
        return message

    def __call__(self, message: Message) -> Awaitable[None]:
        """Pass a piece of the answer on; an error is kept for the log, nothing else: a stream may go on for days."""
        if message["type"] == "http.response.start":
            return self._start(message)
        if (self.status or 0) >= 400:
            self._answer += message.get("body", b"")
        if not message.get("more_body") and not self.ended:
            self.end("complete")
        return self._send(message)

    def _begin(self, status: int, headers: Headers) -> Headers:
        """Note that the answer begins; return its headers with what goes on every answer."""
        self.status = status
        return [*headers, *self._scope.get(ADDED, ())]

    async def _hear_out(self) -> None:
        """Leave what nobody reads."""

    def end(self, ended: Ended) -> None:
        """Close the request."""
        self.ended, self._took = ended, (monotonic() - self._began) * 1000
        self._recorder.under_way -= self._size
        if self._recorder.log:
            self._recorder.log(Entry._make(self.fields()))
