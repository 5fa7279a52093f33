"""Lets browser pages of allowed origins call the API (docs/contract.md 4.9), and tells how to allow another."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.contract.explain import shorten
from sandbox.origins import AllowedOrigins, read_origin
from sandbox.redaction import escape
from sandbox.server.access import is_control
from sandbox.server.http import ADDED, headers_of, is_preflight
from sandbox.server.preflight import NOT_READABLE, answer_preflight, readable

log = logging.getLogger("sandbox")

_METHODS = b"GET, POST, PATCH, DELETE"
_LOOPBACK = re.compile(
    r"https?://(localhost|[a-z0-9-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)


class Cors:
    """Answers preflights, and adds to every answer what a browser needs to hand it to an allowed page."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = AllowedOrigins(origins)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_control(scope):
            return await self._app(scope, receive, send)
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        scope[ADDED] = NOT_READABLE
        if origin is None:
            return await self._app(scope, receive, send)
        allowed = self._allows(origin.decode("latin-1"))
        if allowed:
            scope[ADDED] = readable(origin)
        if is_preflight(scope):
            return await answer_preflight(send, headers, _METHODS if allowed else b"")
        return await self._app(scope, receive, send)

    def _allows(self, origin: str) -> bool:
        if origin in self._origins or _LOOPBACK.fullmatch(origin):
            return True
        origin = shorten(origin, 200)
        if origin not in self._logged and len(self._logged) < 100:
            self._logged.add(origin)
            shown = escape(origin)
            # What has no origin of its own, as a page of a file, can't be allowed alone.
            log.warning(
                "refused the browser origin %s; --cors-origin %s allows it",
                shown,
                shown if read_origin(origin) else "'*'",
            )
        return False
