"""The sandbox itself without its request journal and its faults: what these two cost is the difference."""

from __future__ import annotations

import sys
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

import sandbox.app
from sandbox.cli import main
from sandbox.state.queues import Queue


class NoRecorder:
    """Stands where the recorder does and records nothing."""

    def __init__(self, app: ASGIApp, *_: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


if __name__ == "__main__":
    sandbox.app.Recorder = NoRecorder  # type: ignore[assignment,misc]
    Queue.waits = lambda *_: False  # type: ignore[assignment,method-assign]
    sys.exit(main(["serve", "--quiet", "--port", sys.argv[1]]))
