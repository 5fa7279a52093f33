"""What a browser needs to hand an answer to a page of another origin, and the answer to its preflight."""

from __future__ import annotations

from starlette.types import Send

from sandbox.server.http import Headers

_VARY = (b"vary", b"Origin")
# An answer depends on the origin, also where none was named.
NOT_READABLE = [_VARY]
_EXPOSED = (b"access-control-expose-headers", b"Retry-After, Sandbox-Request-Id, WWW-Authenticate, Allow")


def readable(origin: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers with which a page of this origin may read an answer."""
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
