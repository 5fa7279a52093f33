"""Lets browser pages of the right origins call the API (CONTRACT.md 4.9), and says how to allow one that it refused."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.masking import escape
from sandbox.wire.guard import is_control
from sandbox.wire.http import ADDED, Headers, headers_of, is_preflight

log = logging.getLogger("sandbox")

_ALWAYS = [(b"vary", b"Origin")]
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, Sandbox-Request-Id, WWW-Authenticate, Allow")

_LOOPBACK = re.compile(r"https?://(localhost|[a-z0-9-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?")


class Cors:
    """Answers preflights, and adds to every answer what a browser needs to hand it to an allowed page."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_control(scope):
            return await self._app(scope, receive, send)
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        scope[ADDED] = _ALWAYS
        if origin is None:
            return await self._app(scope, receive, send)
        allowed = self._allows(origin.decode("latin-1"))
        if allowed:
            scope[ADDED] = [*_ALWAYS, (b"access-control-allow-origin", origin), _EXPOSED]
        if is_preflight(scope):
            return await _preflight(send, headers, allowed=allowed)
        return await self._app(scope, receive, send)

    def _allows(self, origin: str) -> bool:
        if self._any or origin in self._origins or _LOOPBACK.fullmatch(origin):
            return True
        if origin not in self._logged and len(self._logged) < 100:
            self._logged.add(origin)
            shown = escape(origin)
            log.warning("refused the browser origin %s; --cors-origin %s allows it", shown, shown)
        return False


async def _preflight(send: Send, headers: Headers, *, allowed: bool) -> None:
    own = []
    if allowed:
        asked = headers.get(b"access-control-request-headers", b"*")
        own = [
            (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
            (b"access-control-allow-headers", asked),
            (b"access-control-max-age", b"600"),
        ]
    await send({"type": "http.response.start", "status": 204, "headers": own})
    await send({"type": "http.response.body", "body": b""})
