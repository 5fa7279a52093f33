"""Hears what really came and went, outermost of all; hands each request to the journal and to the log.

An entry is in the journal before the last byte of its answer leaves: a client that has its answer finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

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
        self._entropy = entropy
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = raw_path(scope)
        entry = Entry(
            turn=self._journal.turn(),
            at=self._clock.now(),
            began=monotonic(),
            method=scope["method"],
            scheme=scope["scheme"],
            path=path,
            query=scope["query_string"],
            headers=scope["headers"],
        )
        scope[ENTRY] = entry
        recording = Recording(
            entry, receive, send, self._close, None if is_control(scope) or is_preflight(scope) else self._name
        )
        try:
            await self._app(scope, recording.receive, recording.send)
        except BaseException:
            recording.end("cut")
            raise
        recording.end("client_gone")
        return None

    def _name(self, entry: Entry) -> None:
        """Give the entry its id: the n-th request of its app has always the same."""
        number = self._journal.begin(entry)
        entry.id = "req_" + self._entropy.hex(24, entry.app_id or "", "request", number)

    def _close(self, entry: Entry) -> None:
        if entry.id:
            self._journal.add(entry)
        if self._log:
            self._log(entry)


class Recording:
    """One request while it is under way."""

    def __init__(self, entry: Entry, receive: Receive, send: Send, close: Listener, name: Listener | None) -> None:
        self._entry = entry
        self._receive = receive
        self._send = send
        self._close = close
        self._name = name
        self._body: list[bytes] = []
        self._size = 0
        self._closed = False
        self._whole = False

    async def receive(self) -> Message:
        """Pass a piece of the request on, and keep it."""
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        if self._name and self._size < MOST_KEPT and (chunk := message.get("body")):
            self._body.append(chunk)
            self._size += len(chunk)
        return message

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on, and keep it."""
        entry = self._entry
        if message["type"] == "http.response.start":
            await self._hear_rest()
            entry.status = message["status"]
            if self._name:
                self._name(entry)
                message["headers"] = [*message["headers"], (REQUEST_ID, entry.id.encode())]
            entry.answer_headers = message["headers"]
        elif message["type"] == "http.response.body":
            chunk = message.get("body", b"")
            if chunk and self._name:
                entry.chunks.append(((monotonic() - entry.began) * 1000, chunk))
            if not message.get("more_body", False):
                self.end("complete")
        await self._send(message)

    async def _hear_rest(self) -> None:
        """Hear a body out that nobody read: an answer that came early is no reason to lose what was sent.

        A client that waits to be asked for its body, or is slow to send it, is not waited for.
        """
        if self._whole or not self._name or not _has_body(self._entry.headers):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while not self._whole and self._size < MOST_KEPT:
                    await self.receive()

    def end(self, ended: Ended) -> None:
        """Close the entry, once."""
        if self._closed:
            return
        self._closed = True
        entry = self._entry
        if self._name and not entry.id:
            self._name(entry)
        entry.body = b"".join(self._body)
        entry.duration_ms = (monotonic() - entry.began) * 1000
        entry.ended = ended
        self._close(entry)


def _has_body(headers: Headers) -> bool:
    names = {name for name, _ in headers}
    return b"expect" not in names and not names.isdisjoint((b"content-length", b"transfer-encoding"))


def is_preflight(scope: Scope) -> bool:
    """Say whether a request only asks whether a browser may send another one."""
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names
