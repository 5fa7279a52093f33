"""Hears what really came and went, outermost of all; hands each request to the journal and to the log.

An entry is in the journal before the last byte of its answer leaves: a client that has its answer finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.sources import Clock, monotonic
from sandbox.state.journal import Ended, Entry, Headers, Journal
from sandbox.wire.exchange import ENTRY, HEAD_BYTES
from sandbox.wire.guard import is_control
from sandbox.wire.http import ADDED, headers_of, is_preflight, raw_path

REQUEST_ID = b"sandbox-request-id"
# A body beyond the API's own limit is refused; the journal keeps its beginning.
MOST_KEPT = 1024 * 1024
# Seconds of real time in which a body that was sent with its headers has come.
SOON = 1.0

Listener = Callable[[Entry], None]


class Recorder:
    """Records every request outside `/_sandbox` that isn't a preflight; tells `log` of the others too."""

    def __init__(self, app: ASGIApp, journal: Journal, clock: Clock, log: Listener | None) -> None:
        self._app = app
        self._clock = clock
        self.journal = journal
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope[ENTRY] = entry = Entry(
            self._clock.now(),
            scope["method"],
            raw_path(scope),
            scope["query_string"],
            scope["headers"],
            scope["scheme"],
            self.journal.turn(),
            monotonic(),
        )
        entry.head = scope.get(HEAD_BYTES)
        recording = Recording(self, entry, scope, receive, send)
        try:
            await self._app(scope, recording.receive, recording)
        except BaseException:
            recording.end("cut")
            raise
        recording.end("client_gone")
        return None


class Recording:
    """One request while it is under way; to the application it is what takes the answer."""

    _heard = False
    _is_open = True
    _size = 0

    def __init__(self, recorder: Recorder, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        self._recorder = recorder
        self._entry = entry
        self._scope = scope
        self._receive = receive
        self._send = send
        self._journalled = not (is_control(scope) or is_preflight(scope))
        self._body: list[bytes] = []

    async def receive(self) -> Message:
        """Pass a piece of the request on, and keep it."""
        message = await self._receive()
        self._heard = not message.get("more_body", False)
        if self._journalled and (chunk := message.get("body")) and self._size < MOST_KEPT:
            self._body.append(chunk)
            self._size += len(chunk)
        return message

    def __call__(self, message: Message) -> Awaitable[None]:
        """Pass a piece of the answer on, and keep it."""
        if message["type"] == "http.response.start":
            return self._start(message)
        if self._journalled and (chunk := message.get("body")):
            entry = self._entry
            entry.chunks.append(((monotonic() - entry.began) * 1000, chunk))
        if not message.get("more_body"):
            self.end("complete")
        return self._send(message)

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer that is all there: what two messages would do, in fewer steps."""
        if self._must_hear():
            await self._hear_out()
        entry, headers = self._entry, self._begin(status, headers)
        if self._journalled and body:
            entry.chunks.append(((monotonic() - entry.began) * 1000, body))
        self.end("complete")
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _start(self, message: Message) -> None:
        if self._must_hear():
            await self._hear_out()
        await self._send({**message, "headers": self._begin(message["status"], message["headers"])})

    def _begin(self, status: int, headers: Headers) -> Headers:
        """Note that the answer begins; return its headers with what goes on every answer."""
        entry = self._entry
        headers = [*headers, *self._scope.get(ADDED, ())]
        if self._journalled:
            self._recorder.journal.begin(entry)
            headers.append((REQUEST_ID, entry.id.encode()))
        entry.status = status
        entry.answer_headers = headers
        return headers

    def _must_hear(self) -> bool:
        """Say whether there is a body that nobody read: an answer that came early is no reason to lose what was sent.

        A client that waits to be asked for its body is not waited for.
        """
        if self._heard or not self._journalled:
            return False
        headers = headers_of(self._scope)
        return (b"content-length" in headers or b"transfer-encoding" in headers) and b"expect" not in headers

    async def _hear_out(self) -> None:
        """Hear a body to its end, unless it is slow to come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while not self._heard and self._size < MOST_KEPT:
                    await self.receive()

    def end(self, ended: Ended) -> None:
        """Close the request, once."""
        if not self._is_open:
            return
        self._is_open = False
        entry, journal = self._entry, self._recorder.journal
        entry.ended = ended
        entry.duration_ms = (monotonic() - entry.began) * 1000
        if self._journalled:
            if self._body:
                entry.body = b"".join(self._body)
            if not entry.id:
                journal.begin(entry)
            journal.add(entry)
        if self._recorder.log:
            self._recorder.log(entry)
