"""CORS: lets pages of the right origins in a browser call the API (docs/contract.md 4.9) and the control API."""

from __future__ import annotations

import logging
from collections.abc import Collection

from sandbox.contract.explain import shorten
from sandbox.hosts import AllowedOrigins, is_loopback, parse_origin
from sandbox.redaction import escape
from sandbox.server.context import RequestContext

log = logging.getLogger("sandbox")

API_METHODS = b"GET, POST, PATCH, DELETE"
CONTROL_METHODS = b"GET, POST, PUT, PATCH, DELETE"

_VARY = (b"vary", b"Origin")
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, Sandbox-Request-Id, WWW-Authenticate, Allow")


class ApiOrigins:
    """The origins whose pages may call the API: those of this machine, and those that the settings allow."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = AllowedOrigins(origins)
        self._logged: set[str] = set()

    def allows(self, origin: str) -> bool:
        """Say whether pages of an origin may call the API; say how to allow one that may not, once."""
        parsed = parse_origin(origin)
        is_own = parsed is not None and parsed.scheme in ("http", "https") and is_loopback(parsed.host)
        if is_own or origin in self._origins:
            return True
        origin = shorten(origin, 200)
        if origin not in self._logged and len(self._logged) < 100:
            self._logged.add(origin)
            text = escape(origin)
            # What has no origin of its own, as a page of a file, can't be allowed alone.
            allowed = text if parsed else "'*'"
            log.warning("refused the browser origin %s; --cors-origin %s allows it", text, allowed)
        return False


def add_headers(ctx: RequestContext, *, is_allowed: bool) -> None:
    """Let every response to a request say which origin may read it; without `is_allowed` none may."""
    # A response depends on the origin, also where none was named.
    ctx.added_headers = [_VARY]
    if is_allowed:
        ctx.added_headers = [_VARY, (b"access-control-allow-origin", ctx.headers[b"origin"]), _EXPOSED]


async def respond_to_preflight(ctx: RequestContext, methods: bytes) -> None:
    """Allow what a preflight asks for; with methods `b""`, nothing."""
    own = []
    if methods:
        own = [
            (b"access-control-allow-methods", methods),
            (b"access-control-allow-headers", ctx.headers.get(b"access-control-request-headers", b"*")),
            (b"access-control-max-age", b"600"),
        ]
        # A page of a public site asks so before it calls a server of this machine or network.
        if ctx.headers.get(b"access-control-request-private-network") == b"true":
            own.append((b"access-control-allow-private-network", b"true"))
    await ctx.send({"type": "http.response.start", "status": 204, "headers": own})
    await ctx.send({"type": "http.response.body", "body": b""})
