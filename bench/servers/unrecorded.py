"""The sandbox itself without its request journal and its faults: what these two cost is the difference."""

from __future__ import annotations

import sys
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

import sandbox.app
from sandbox.cli import main


class NoRecorder:
    """Stands where the recorder does and records nothing."""

    def __init__(self, app: ASGIApp, *_: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class NoFaults:
    """Stands where faults are chosen and has none."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def concern(self, *_: Any) -> bool:
        return False


if __name__ == "__main__":
    sandbox.app.Recorder = NoRecorder  # type: ignore[assignment,misc]
    sandbox.app.Faults = NoFaults  # type: ignore[assignment,misc]
    sys.exit(main(["serve", "--quiet", "--port", sys.argv[1]]))
