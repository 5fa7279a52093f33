"""Who may call at all (docs/control.md, Who may call it): the Host header first; for `/_sandbox`, origin and token."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starlette.types import Scope

from sandbox.errors import AccessDenied, InvalidApiKey, NotFound, UnsupportedMediaType
from sandbox.hosts import AllowedHosts, AllowedOrigins, is_ip, is_local_name, parse_host, parse_origin
from sandbox.server.context import RequestContext
from sandbox.server.request_checks import is_secret
from sandbox.webhooks.lab import DELIVERY, SIGNATURE

CONTROL = "/_sandbox"

_UNDER = CONTROL + "/"
_CONTROL_RAW, _UNDER_RAW = CONTROL.encode(), _UNDER.encode()
# What every webhook has: no sandbox lets one of its own, or of another's, drive it.
_DELIVERY_HEADERS = tuple(name.lower().encode() for name in (DELIVERY, SIGNATURE))


class HostCheck:
    """Refuses requests that name a host which isn't this server: the mark of DNS rebinding."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = AllowedHosts(allowed)
        self._seen: set[bytes] = set()

    def check(self, ctx: RequestContext) -> None:
        """Require a host that is this server.

        Raises:
            AccessDenied: it isn't.
        """
        host = ctx.headers.get(b"host", b"")
        if host in self._seen:
            return
        if not self.trusts(host.decode("latin-1")):
            name = host.decode("latin-1")[:200]
            raise AccessDenied(f"Host: {name!r} is not a name of this server; `--allow-host` allows it.")
        if len(self._seen) < 1_000 and len(host) < 300:
            self._seen.add(host)

    def trusts(self, header: str) -> bool:
        """Say whether a Host header names a place that no stranger's DNS can point at us."""
        host = parse_host(header)
        if not host or host in self._allowed or ("." not in host.strip("[]") and ":" not in host):
            return True
        return host.endswith((".localhost", ".internal")) or is_ip(host)


class ControlCheck:
    """Keeps other people's pages, forms and webhooks away from the control API, and lets allowed pages in.

    Args:
        enabled: False takes the control API away.
        token: what callers need, None: nothing.
        origins: whose pages may call.
        names: the names that the server may be called by, beside IP addresses and those of this machine; None: any.
        public: paths that anybody may get.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        token: str | None,
        origins: Collection[str],
        names: Collection[str] | None,
        public: Collection[str],
    ) -> None:
        self._enabled = enabled
        self._token = token
        self._origins = AllowedOrigins(origins)
        self._names = None if names is None else AllowedHosts(names)
        self._public = frozenset(public)

    def allows_origin(self, ctx: RequestContext) -> bool:
        """Say whether a request comes from a page of an allowed origin."""
        origin = ctx.headers.get(b"origin")
        return origin is not None and origin.decode("latin-1") in self._origins

    def check_caller(self, ctx: RequestContext, *, is_allowed: bool) -> None:
        """Refuse a call under another name, from another page, or by a webhook.

        Raises:
            NotFound: the control API is switched off.
            AccessDenied: it may not call.
        """
        is_public = ctx.path.decode("latin-1") in self._public
        host = ctx.headers.get(b"host", b"").decode("latin-1")
        if not self._enabled and not is_public:
            raise NotFound("The control API is switched off (--control off).")
        if not is_public and not self._is_name(parse_host(host)):
            raise AccessDenied(
                f"Host: without a token the control API answers only to IP addresses and localhost, not to "
                f"{host[:200]!r}; `--allow-host` allows it."
            )
        if not is_allowed:
            _check_page(ctx, host, is_public=is_public)
        if any(name in ctx.headers for name in _DELIVERY_HEADERS):
            raise AccessDenied("A webhook delivery can't call the control API.")

    def check_request(self, ctx: RequestContext) -> None:
        """Refuse what a page's form could send, and whoever has no token where one is asked for.

        Raises:
            UnsupportedMediaType: it is no JSON.
            InvalidApiKey: the token is missing, or another.
        """
        method = ctx.scope["method"]
        if method not in ("GET", "HEAD") and b"content-type" in ctx.headers and not _is_json(method, ctx.headers):
            raise UnsupportedMediaType("Content-Type: the control API accepts only application/json, never a form.")
        token = self._token
        is_public = ctx.path.decode("latin-1") in self._public
        if token is not None and not is_public and not _has_token(ctx.headers, token):
            raise InvalidApiKey("The control API needs its token: `Authorization: Bearer <control token>`.")

    def _is_name(self, host: str) -> bool:
        """Say whether the control API may be called by this name of the server."""
        if self._names is None or not host or host in self._names:
            return True
        return is_local_name(host) or is_ip(host)


def is_control(scope: Scope) -> bool:
    """Say whether a request is for the control API, however its path is spelled."""
    path, raw = scope["path"], scope.get("raw_path") or b""
    # Most paths begin in another way.
    return (path.startswith(CONTROL) or raw.startswith(_CONTROL_RAW)) and (
        path.startswith(_UNDER) or path == CONTROL or raw.startswith(_UNDER_RAW) or raw == _CONTROL_RAW
    )


def _check_page(ctx: RequestContext, host: str, *, is_public: bool) -> None:
    """Refuse a page of another origin, or of another site."""
    origin = ctx.headers.get(b"origin")
    if origin is not None and not _is_own(origin.decode("latin-1"), f"{ctx.scope['scheme']}://{host}"):
        raise AccessDenied("Origin: the control API is not for pages of other origins; --control-origin allows one.")
    # A link on another page may lead to what anybody may see: the other page sees nothing of it.
    is_link = is_public and ctx.scope["method"] == "GET" and ctx.headers.get(b"sec-fetch-mode") == b"navigate"
    is_cross_site = ctx.headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none")
    if is_cross_site and not is_link:
        raise AccessDenied("Sec-Fetch-Site: the control API is not for pages of other sites.")


def _is_own(origin: str, own: str) -> bool:
    """Say whether a page came from this server, under the name by which it calls it."""
    parsed = parse_origin(own)
    return origin == own or (parsed is not None and parsed == parse_origin(origin))


def _is_json(method: str, headers: Mapping[bytes, bytes]) -> bool:
    essence = headers[b"content-type"].split(b";")[0].strip().lower()
    return essence == b"application/json" or (method == "PATCH" and essence == b"application/merge-patch+json")


def _has_token(headers: Mapping[bytes, bytes], expected: str) -> bool:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return scheme.lower() == b"bearer" and is_secret(token.strip(), expected)
