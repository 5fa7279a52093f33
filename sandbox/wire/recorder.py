"""Hears what really came and went, outermost of all; hands each request to the journal and to the log.

An entry is in the journal before the last byte of its answer leaves: a client that has its answer finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.sources import Clock, Entropy, monotonic
from sandbox.state.journal import Counted, Ended, Entry, Journal
from sandbox.wire.exchange import ENTRY
from sandbox.wire.guard import is_control
from sandbox.wire.http import raw_path

REQUEST_ID = b"sandbox-request-id"
# A body beyond the API's own limit is refused; the journal keeps its beginning.
MOST_KEPT = 1024 * 1024
# Seconds of real time in which a body that was sent with its headers has come.
SOON = 1.0

Listener = Callable[[Entry], None]


class Recorder:
    """Records every request outside `/_sandbox` that isn't a preflight; tells `log` of the others too."""

    def __init__(self, app: ASGIApp, journal: Journal, clock: Clock, entropy: Entropy, log: Listener | None) -> None:
        self._app = app
        self._journal = journal
        self._clock = clock
        self._entropy = entropy
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        recording = Recording(self, scope, receive, send, self._clock.now(), self._journal.turn())
        scope[ENTRY] = recording
        try:
            await self._app(scope, recording.receive, recording.send)
        except BaseException:
            recording.end("cut")
            raise
        recording.end("client_gone")
        return None

    def name(self, recording: Recording) -> None:
        """Give a request its id: the n-th of its app has always the same, and says which it is."""
        recording.app = app = self._journal.begin(recording.app_id)
        if not app.prefix:
            app.prefix = "req_" + self._entropy.hex(16, app.app_id or "", "request")
        recording.id = f"{app.prefix}{app.requests:08x}"

    def close(self, recording: Recording) -> None:
        """Hand a request that ended on."""
        entry = recording.entry()
        if recording.id:
            self._journal.add(recording.app, entry)
        if self._log:
            self._log(entry)


class Recording:
    """One request while it is under way."""

    # What the pipeline notes while it works.
    app_id: str | None = None
    operation: str | None = None
    fault: str | None = None
    violation: str | None = None
    stood_at: int | None = None

    app: Counted
    id = ""
    _ended: Ended | None = None
    _took = 0.0
    _whole = False
    _size = 0
    _start: Message | None = None

    def __init__(self, recorder: Recorder, scope: Scope, receive: Receive, send: Send, at: int, turn: int) -> None:
        self._recorder = recorder
        self._scope = scope
        self._receive = receive
        self._send = send
        self._at = at
        self._turn = turn
        self._began = monotonic()
        self._journalled = not (is_control(scope) or is_preflight(scope))
        self._body: list[bytes] = []
        self._chunks: list[tuple[float, bytes]] = []

    async def receive(self) -> Message:
        """Pass a piece of the request on, and keep it."""
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        if self._journalled and self._size < MOST_KEPT and (chunk := message.get("body")):
            self._body.append(chunk)
            self._size += len(chunk)
        return message

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, and keep it."""
        if message["type"] == "http.response.body":
            if self._journalled and (chunk := message.get("body")):
                self._chunks.append(((monotonic() - self._began) * 1000, chunk))
            if not message.get("more_body"):
                self.end("complete")
        elif message["type"] == "http.response.start":
            self._start = message
            if self._journalled:
                if not self._whole and _has_body(self._scope):
                    await self._hear_rest()
                self._recorder.name(self)
                message["headers"] = [*message["headers"], (REQUEST_ID, self.id.encode())]
        await self._send(message)

    async def _hear_rest(self) -> None:
        """Hear a body out that nobody read: an answer that came early is no reason to lose what was sent.

        A client that waits to be asked for its body, or is slow to send it, is not waited for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while not self._whole and self._size < MOST_KEPT:
                    await self.receive()

    def end(self, ended: Ended) -> None:
        """Close the request, once."""
        if self._ended is not None:
            return
        self._ended = ended
        self._took = (monotonic() - self._began) * 1000
        if self._journalled and not self.id:
            self._recorder.name(self)
        self._recorder.close(self)

    def entry(self) -> Entry:
        """Return what the journal keeps of the request, once it has ended."""
        scope, start = self._scope, self._start
        return Entry(
            self._at,
            scope["method"],
            raw_path(scope),
            scope["query_string"],
            scope["headers"],
            scope["scheme"],
            self.id,
            self.app_id,
            self.operation,
            b"".join(self._body),
            start["status"] if start else None,
            start["headers"] if start else [],
            self._chunks,
            self._took,
            self.fault,
            self.violation,
            self._ended or "cut",
            self._turn,
            self._began,
            self.stood_at,
        )


def _has_body(scope: Scope) -> bool:
    """Say whether a request has a body that its client sends without being asked to."""
    names = dict(scope["headers"])
    return (b"content-length" in names or b"transfer-encoding" in names) and b"expect" not in names


def is_preflight(scope: Scope) -> bool:
    """Say whether a request only asks whether a browser may send another one."""
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names
