"""The sandbox itself without its request journal and its faults: what these two cost is the difference."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

import sandbox.app
from sandbox.apps.rule_queue import Queue
from sandbox.cli import main
from sandbox.server.http import ADDED


class NoRecorder:
    """Stands where the recorder does and records nothing; only the headers that go on every answer are still added."""

    def __init__(self, app: ASGIApp, *_: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, Adding(scope, send))


class Adding:
    """What takes an answer, as the recorder's does."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *self._scope.get(ADDED, ())]
        return self._send(message)

    async def whole(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Send an answer that is all there."""
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    sandbox.app.Recorder = NoRecorder  # type: ignore[assignment,misc]
    Queue.waits = lambda *_: False  # type: ignore[assignment,method-assign]
    sys.exit(main(["serve", "--quiet", "--port", sys.argv[1]]))
