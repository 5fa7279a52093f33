"""Where the servers of tests keep their apps: in memory, or each under its own prefix in the Redis that is named.

`DIMEDOVE_SANDBOX_STORE=URL pytest tests/api tests/control` holds all of what these tests say against the store; with
`DIMEDOVE_SANDBOX_WORKERS=2` beside it two servers take turns, request by request.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from sandbox import Settings, create_app
from sandbox.options import ENV_PREFIX
from sandbox.sandbox import Sandbox

STORE = os.environ.get(ENV_PREFIX + "STORE")
WORKERS = int(os.environ.get(ENV_PREFIX + "WORKERS") or 1)

_numbers = itertools.count(1)


def own_prefix() -> str:
    """Return a prefix that no other server of any test has."""
    return f"test-{os.getpid()}-{next(_numbers)}"


def own_place() -> dict[str, Any]:
    """Return the settings of a server that shares its store with no other; none where apps are kept in memory."""
    return {"store": STORE, "store_prefix": own_prefix(), "workers": WORKERS} if STORE else {}


def open_app(settings: Settings) -> Sandbox:
    """Return a server with these settings, or several that look like one."""
    if settings.workers == 1:
        return create_app(settings)
    return cast("Sandbox", _Turns([create_app(settings) for _ in range(settings.workers)]))


class _Turns:
    """Servers that share a store and take turns; what is asked of a server beside requests, each does."""

    def __init__(self, apps: Sequence[Sandbox]) -> None:
        self._apps = apps
        self._next = itertools.cycle(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await next(self._next)(scope, receive, send)

    def stop(self) -> None:
        for app in self._apps:
            app.stop()

    def reload(self, settings: Settings) -> None:
        for app in self._apps:
            app.reload(settings)

    async def close(self) -> None:
        for app in self._apps:
            await app.close()
