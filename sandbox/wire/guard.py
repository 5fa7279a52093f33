"""Who may call at all (CONTROL.md, Who may call it): the Host header first, then, for `/_sandbox`, origin and token."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Collection
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.errors import AccessDenied, InvalidApiKey, NotFound
from sandbox.wire.http import Headers, headers_of, raw_path, send_error

CONTROL = "/_sandbox"
# In the scope: what `is_control` found.
_IS_CONTROL = "sandbox.is_control"

_UNDER = CONTROL + "/"
_CONTROL_RAW, _UNDER_RAW = CONTROL.encode(), _UNDER.encode()

_PORT = re.compile(r"(?<=[^:]):[0-9]*$")


class HostGuard:
    """Refuses requests that name a host which isn't this server: the mark of DNS rebinding."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(_name(host) for host in allowed)
        self._seen: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        host = headers_of(scope).get(b"host", b"")
        if host not in self._seen:
            if not self.trusts(host.decode("latin-1")):
                name = host.decode("latin-1")[:200]
                refusal = AccessDenied(f"Host: {name!r} is not a name of this server; `--allow-host` allows it.")
                return await send_error(send, refusal)
            if len(self._seen) < 1_000:
                self._seen.add(host)
        return await self._app(scope, receive, send)

    def trusts(self, header: str) -> bool:
        """Say whether a Host header names a place that no stranger's DNS can point at us."""
        host = _name(header)
        if not host or host in self._allowed or ("." not in host.strip("[]") and ":" not in host):
            return True
        return host.endswith((".localhost", ".internal")) or _is_ip(host)


class ControlAccess(NamedTuple):
    """Who may use the control API; `token` None asks for none, `enabled` False takes it away."""

    enabled: bool = True
    token: str | None = None
    origins: Collection[str] = ()


class ControlGuard:
    """Keeps other people's pages, forms and webhooks away from the control API."""

    def __init__(self, app: ASGIApp, access: ControlAccess, public: Collection[str]) -> None:
        self._app = app
        self._access = access
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_control(scope):
            refusal = self._refusal(scope, headers_of(scope))
            if refusal is not None:
                return await send_error(send, refusal)
        return await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> AccessDenied | InvalidApiKey | NotFound | None:
        path = _raw(scope)
        if not self._access.enabled and path not in self._public:
            return NotFound("The control API is switched off (--control off).")
        own = {
            f"{scope['scheme']}://".encode() + headers.get(b"host", b""),
            *(o.encode() for o in self._access.origins),
        }
        origin = headers.get(b"origin")
        if origin is not None and origin not in own:
            return AccessDenied(
                "Origin: the control API is not for pages of other origins; --control-origin allows one."
            )
        trusted_origin = origin is not None and origin.decode("latin-1") in self._access.origins
        # A link on another page may lead to what anybody may see: the other page sees nothing of it.
        linked = path in self._public and scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == b"navigate"
        from_elsewhere = headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none")
        if from_elsewhere and not trusted_origin and not linked:
            return AccessDenied("Sec-Fetch-Site: the control API is not for pages of other sites.")
        if b"dimedove-signature" in headers:
            return AccessDenied("A webhook delivery can't call the control API.")
        if scope["method"] not in ("GET", "HEAD") and b"content-type" in headers and not _is_json(headers):
            return AccessDenied("Content-Type: the control API takes application/json alone, never a page's form.")
        if self._access.token is not None and path not in self._public and not self._has_token(headers):
            return InvalidApiKey("The control API needs its token: `Authorization: Bearer <control token>`.")
        return None

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        expected = (self._access.token or "").encode()
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), expected)


def _name(host: str) -> str:
    """Return a host without its port and last dot."""
    host = host.lower()
    bare_ipv6 = host.count(":") > 1 and not host.startswith("[")
    return (host if bare_ipv6 or host.endswith("]") else _PORT.sub("", host)).rstrip(".")


def is_control(scope: Scope) -> bool:
    """Say whether a request is for the control API, however its path is spelled."""
    known: bool | None = scope.get(_IS_CONTROL)
    if known is None:
        path, raw = scope["path"], scope.get("raw_path") or b""
        # Most paths begin in another way.
        known = (path.startswith(CONTROL) or raw.startswith(_CONTROL_RAW)) and (
            path.startswith(_UNDER) or path == CONTROL or raw.startswith(_UNDER_RAW) or raw == _CONTROL_RAW
        )
        scope[_IS_CONTROL] = known
    return known


def _raw(scope: Scope) -> str:
    return raw_path(scope).decode("latin-1")


def _is_json(headers: Headers) -> bool:
    return headers[b"content-type"].split(b";")[0].strip().lower() == b"application/json"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
