"""Hears what really came and went, outermost of all; hands each request to the journal and to the log.

An entry is in the journal before the last byte of its answer leaves: a client that has its answer finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.sources import Clock, Entropy, monotonic
from sandbox.state.journal import Ended, Entry, Headers, Journal
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
        self._prefix = lru_cache(maxsize=1_024)(lambda app_id: "req_" + entropy.hex(16, app_id or "", "request"))
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        journalled = not (is_control(scope) or is_preflight(scope))
        recording = Recording(scope, receive, send, self._clock.now(), self if journalled else None, self._log)
        scope[ENTRY] = recording
        try:
            await self._app(scope, recording.receive, recording.send)
        except BaseException:
            recording.end("cut")
            raise
        recording.end("client_gone")
        return None

    def name(self, entry: Entry) -> None:
        """Give the entry its id: the n-th request of its app has always the same, and says which it is."""
        number = self._journal.begin(entry)
        entry.id = f"{self._prefix(entry.app_id)}{number:08x}"

    def keep(self, entry: Entry) -> None:
        """Put the entry into the journal."""
        self._journal.add(entry)


class Recording(Entry):
    """One request while it is under way; `recorder` is None where only the log is told."""

    __slots__ = ("_began", "_body", "_closed", "_log", "_receive", "_recorder", "_send", "_size", "_whole")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, at: int, recorder: Recorder | None, log: Listener | None
    ) -> None:
        super().__init__(at, scope["method"], raw_path(scope), scope["query_string"], scope["headers"], scope["scheme"])
        self._receive = receive
        self._send = send
        self._recorder = recorder
        self._log = log
        self._began = monotonic()
        self._body: list[bytes] = []
        self._size = 0
        self._closed = False
        self._whole = False

    async def receive(self) -> Message:
        """Pass a piece of the request on, and keep it."""
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        if self._recorder and self._size < MOST_KEPT and (chunk := message.get("body")):
            self._body.append(chunk)
            self._size += len(chunk)
        return message

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, and keep it."""
        if message["type"] == "http.response.start":
            if not self._whole and self._recorder and _has_body(self.headers):
                await self._hear_rest()
            self.status = message["status"]
            headers = message["headers"]
            if self._recorder:
                self._recorder.name(self)
                message["headers"] = headers = [*headers, (REQUEST_ID, self.id.encode())]
            self.answer_headers = headers
        elif message["type"] == "http.response.body":
            chunk = message.get("body", b"")
            if chunk and self._recorder:
                self.chunks.append(((monotonic() - self._began) * 1000, chunk))
            if not message.get("more_body", False):
                self.end("complete")
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
        """Close the entry, once."""
        if self._closed:
            return
        self._closed = True
        self.ended = ended
        self.duration_ms = (monotonic() - self._began) * 1000
        if self._recorder:
            if not self.id:
                self._recorder.name(self)
            self.body = b"".join(self._body)
            self._recorder.keep(self)
        if self._log:
            self._log(self)


def _has_body(headers: Headers) -> bool:
    for name, _ in headers:
        if name == b"content-length" or name == b"transfer-encoding":
            return all(other != b"expect" for other, _ in headers)
    return False


def is_preflight(scope: Scope) -> bool:
    """Say whether a request only asks whether a browser may send another one."""
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names
