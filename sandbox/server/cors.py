"""CORS: lets browser pages of allowed origins call the API (docs/contract.md 4.9), and logs how to allow others."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.contract.explain import shorten
from sandbox.origins import AllowedOrigins, parse_origin
from sandbox.redaction import escape
from sandbox.server.http import ADDED, Headers, headers_of, is_control, is_preflight

log = logging.getLogger("sandbox")

_METHODS = b"GET, POST, PATCH, DELETE"
_LOOPBACK = re.compile(
    r"https?://(localhost|[a-z0-9-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)
# A response depends on the origin, also where none was named.
_VARY = (b"vary", b"Origin")
_NOT_READABLE = [_VARY]
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, Sandbox-Request-Id, WWW-Authenticate, Allow")


def cors_headers(origin: bytes | None, *, is_allowed: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers that go on every response to a request of this origin: an allowed page may read it."""
    if origin is None or not is_allowed:
        return _NOT_READABLE
    return [_VARY, (b"access-control-allow-origin", origin), _EXPOSED]


async def answer_preflight(send: Send, headers: Headers, methods: bytes) -> None:
    """Allow what a preflight asks for; with methods `b""`, nothing."""
    own = []
    if methods:
        own = [
            (b"access-control-allow-methods", methods),
            (b"access-control-allow-headers", headers.get(b"access-control-request-headers", b"*")),
            (b"access-control-max-age", b"600"),
        ]
        # A page of a public site asks so before it calls a server of this machine or network.
        if headers.get(b"access-control-request-private-network") == b"true":
            own.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": own})
    await send({"type": "http.response.body", "body": b""})


class Cors:
    """Answers preflights, and adds to every response what a browser needs to hand it to an allowed page."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = AllowedOrigins(origins)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_control(scope):
            return await self._app(scope, receive, send)
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        is_allowed = origin is not None and self._allows(origin.decode("latin-1"))
        scope[ADDED] = cors_headers(origin, is_allowed=is_allowed)
        if is_preflight(scope):
            return await answer_preflight(send, headers, _METHODS if is_allowed else b"")
        return await self._app(scope, receive, send)

    def _allows(self, origin: str) -> bool:
        if origin in self._origins or _LOOPBACK.fullmatch(origin):
            return True
        origin = shorten(origin, 200)
        if origin not in self._logged and len(self._logged) < 100:
            self._logged.add(origin)
            text = escape(origin)
            # What has no origin of its own, as a page of a file, can't be allowed alone.
            wanted = text if parse_origin(origin) else "'*'"
            log.warning("refused the browser origin %s; --cors-origin %s allows it", text, wanted)
        return False
