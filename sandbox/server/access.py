"""Who may call at all (docs/control.md, Who may call it): the Host header, then origin and token of `/_sandbox`."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.errors import AccessDenied, ApiError, InvalidApiKey, NotFound, UnsupportedMediaType
from sandbox.origins import AllowedHosts, AllowedOrigins, host_name, is_ip, read_origin
from sandbox.server.checks import is_secret
from sandbox.server.http import ADDED, Headers, headers_of, is_preflight, raw_path, send_error
from sandbox.server.preflight import NOT_READABLE, answer_preflight, readable
from sandbox.webhooks.lab import DELIVERY, SIGNATURE

CONTROL = "/_sandbox"
# In the scope: what `is_control` found.
_IS_CONTROL = "sandbox.is_control"

_UNDER = CONTROL + "/"
_CONTROL_RAW, _UNDER_RAW = CONTROL.encode(), _UNDER.encode()
_METHODS = b"GET, POST, PUT, PATCH, DELETE"
# What a webhook bears: no sandbox lets one of its own, or of another's, drive it.
_OF_DELIVERIES = tuple(name.lower().encode() for name in (DELIVERY, SIGNATURE))


class HostGuard:
    """Refuses requests that name a host which isn't this server: the mark of DNS rebinding."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = AllowedHosts(allowed)
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
            if len(self._seen) < 1_000 and len(host) < 300:
                self._seen.add(host)
        return await self._app(scope, receive, send)

    def trusts(self, header: str) -> bool:
        """Say whether a Host header names a place that no stranger's DNS can point at us."""
        host = host_name(header)
        if not host or host in self._allowed or ("." not in host.strip("[]") and ":" not in host):
            return True
        return host.endswith((".localhost", ".internal")) or is_ip(host)


class ControlAccess(NamedTuple):
    """Who may use the control API.

    `token` None asks for none, `enabled` False takes the API away, pages of `origins` may call it. With `names`, a host
    that is neither an IP address nor a name of this machine must be one of them; None: any that the server answers to.
    """

    enabled: bool = True
    token: str | None = None
    origins: Collection[str] = ()
    names: Collection[str] | None = None


class ControlGuard:
    """Keeps other people's pages, forms and webhooks away from the control API, and lets allowed pages in."""

    def __init__(self, app: ASGIApp, access: ControlAccess, public: Collection[str]) -> None:
        self._app = app
        self._access = access
        self._origins = AllowedOrigins(access.origins)
        self._names = None if access.names is None else AllowedHosts(access.names)
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_control(scope):
            return await self._app(scope, receive, send)
        headers = headers_of(scope)
        origin = headers.get(b"origin")
        is_allowed = origin is not None and origin.decode("latin-1") in self._origins
        scope[ADDED] = readable(origin) if origin is not None and is_allowed else NOT_READABLE
        try:
            self._refuse_caller(scope, headers, is_allowed=is_allowed)
            if is_allowed and is_preflight(scope):
                return await answer_preflight(send, headers, _METHODS)
            self._refuse_request(scope, headers)
        except ApiError as error:
            return await send_error(send, error)
        return await self._app(scope, receive, send)

    def _refuse_caller(self, scope: Scope, headers: Headers, *, is_allowed: bool) -> None:
        """Refuse what comes from a stranger: another name, another page, a webhook."""
        path = _raw(scope)
        if not self._access.enabled and path not in self._public:
            raise NotFound("The control API is switched off (--control off).")
        host = headers.get(b"host", b"").decode("latin-1")
        if path not in self._public and not self._is_name(host_name(host)):
            raise AccessDenied(
                f"Host: without a token the control API answers to IP addresses and localhost alone, not to "
                f"{host[:200]!r}; `--allow-host` allows it."
            )
        origin = headers.get(b"origin")
        if (
            origin is not None
            and not is_allowed
            and not _is_own(origin.decode("latin-1"), f"{scope['scheme']}://{host}")
        ):
            raise AccessDenied(
                "Origin: the control API is not for pages of other origins; --control-origin allows one."
            )
        # A link on another page may lead to what anybody may see: the other page sees nothing of it.
        linked = path in self._public and scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == b"navigate"
        from_elsewhere = headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none")
        if from_elsewhere and not is_allowed and not linked:
            raise AccessDenied("Sec-Fetch-Site: the control API is not for pages of other sites.")
        if any(name in headers for name in _OF_DELIVERIES):
            raise AccessDenied("A webhook delivery can't call the control API.")

    def _refuse_request(self, scope: Scope, headers: Headers) -> None:
        """Refuse what a page's form could send, and whoever has no token where one is asked for."""
        if scope["method"] not in ("GET", "HEAD") and b"content-type" in headers and not _is_json(scope, headers):
            raise UnsupportedMediaType("Content-Type: the control API takes application/json alone, never a form.")
        token = self._access.token
        if token is not None and _raw(scope) not in self._public and not _bears(headers, token):
            raise InvalidApiKey("The control API needs its token: `Authorization: Bearer <control token>`.")

    def _is_name(self, host: str) -> bool:
        """Say whether the control API may be called by this name of the server."""
        if self._names is None or not host or host in self._names:
            return True
        return host == "localhost" or host.endswith(".localhost") or is_ip(host)


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


def _is_own(origin: str, own: str) -> bool:
    """Say whether a page came from this server, under the name by which it calls it."""
    read = read_origin(own)
    return origin == own or (read is not None and read == read_origin(origin))


def _is_json(scope: Scope, headers: Headers) -> bool:
    essence = headers[b"content-type"].split(b";")[0].strip().lower()
    return essence == b"application/json" or (scope["method"] == "PATCH" and essence == b"application/merge-patch+json")


def _bears(headers: Headers, expected: str) -> bool:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return scheme.lower() == b"bearer" and is_secret(token.strip(), expected)
