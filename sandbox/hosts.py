"""Allowed origins and host names: one of each, or `*.` for every name below another."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

EXPECTED_ORIGIN = "an origin without a path, such as https://app.example.com or https://*.example.com"
EXPECTED_HOST = "a host name such as app.example.com or *.example.com"

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(:(?P<port>[0-9]{1,5}))?")
_PORT = re.compile(r"(?<=[^:]):[0-9]*$")
# Characters of an origin: a scheme, a name of 253, a port. What is longer is not kept either.
_MAX_LENGTH = 300
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where a page comes from; `port` is None where its scheme has no default one and none is named."""

    scheme: str
    host: str
    port: int | None


class AllowedOrigins:
    """The origins of a setting; with `*` among them, any."""

    def __init__(self, allowed: Collection[str]) -> None:
        """Read the setting.

        Raises:
            ValueError: a text is neither an origin nor `*`.
        """
        self._any = "*" in allowed
        origins = [parse_origin_setting(text) for text in allowed if text != "*"]
        self._whole = frozenset(origin for origin in origins if origin.host[0] != ".")
        self._below = frozenset(origins) - self._whole

    def __contains__(self, header: str) -> bool:
        """Say whether the value of an Origin header is allowed."""
        if self._any:
            return True
        origin = parse_origin(header)
        if origin is None:
            return False
        return origin in self._whole or any(
            origin.host.endswith(below.host) and origin._replace(host="") == below._replace(host="")
            for below in self._below
        )


class AllowedHosts:
    """The host names and IP addresses of a setting."""

    def __init__(self, allowed: Collection[str]) -> None:
        """Read the setting.

        Raises:
            ValueError: a text is no host name.
        """
        names = [parse_host_setting(text) for text in allowed]
        self._whole = frozenset(name for name in names if name[0] != ".")
        self._below = tuple(name for name in names if name[0] == ".")

    def __contains__(self, name: str) -> bool:
        """Say whether a host is allowed: a name as `parse_host` returns it, or an IP address without brackets."""
        return name in self._whole or (name.endswith(self._below) and HOST_NAME.fullmatch(name) is not None)


def parse_origin(text: str) -> Origin | None:
    """Read the value of an Origin header; None where it is no origin. Case and a default port make no difference."""
    return _parse_origin(text) if len(text) <= _MAX_LENGTH else None


@lru_cache(maxsize=1_024)
def _parse_origin(text: str) -> Origin | None:
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or int(match["port"] or 0) > 65_535:
        return None
    host = _host(match["host"])
    if host is None:
        return None
    return Origin(match["scheme"], host, int(match["port"]) if match["port"] else _DEFAULT_PORTS.get(match["scheme"]))


def parse_host(header: str) -> str:
    """Return the host of a Host header: in lower case, without its port and last dot."""
    host = header.lower()
    bare_ipv6 = host.count(":") > 1 and not host.startswith("[")
    return (host if bare_ipv6 or host.endswith("]") else _PORT.sub("", host)).rstrip(".")


def is_ip(host: str) -> bool:
    """Say whether a host is an IP address, in brackets or not."""
    return _ip(host) is not None


def is_local_name(host: str) -> bool:
    """Say whether a name, in lower case, always means this machine (RFC 6761)."""
    return host == "localhost" or host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine: a local name, or a loopback address, in brackets or not."""
    address = _ip(host)
    return is_local_name(host.lower()) if address is None else address.is_loopback


def parse_origin_setting(text: str) -> Origin:
    """Return an origin that a setting names; the host of one that begins with `*.` begins with the dot.

    Raises:
        ValueError: it is none; the text says what was expected.
    """
    # Copied from a browser's address bar, an origin ends in a slash.
    origin = parse_origin(text.removesuffix("/").replace("://*.", "://", 1))
    if origin is None:
        raise ValueError(EXPECTED_ORIGIN)
    return origin._replace(host=f".{origin.host}") if "://*." in text else origin


def parse_host_setting(text: str) -> str:
    """Return a host name that a setting names, as `parse_host` does; one that begins with `*.` begins with the dot.

    Raises:
        ValueError: it is none; the text says what was expected.
    """
    below, host = text.startswith("*."), parse_host(text.removeprefix("*."))
    address = None if below else _ip(host)
    if address is not None:
        return str(address)
    if not HOST_NAME.fullmatch(host):
        raise ValueError(EXPECTED_HOST)
    return f".{host}" if below else host


def _host(text: str) -> str | None:
    """Return a host in its one spelling; None where it is none."""
    if text.startswith("["):
        address = _ip(text)
        return f"[{address}]" if address else None
    return text if HOST_NAME.fullmatch(text) else None


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(host[1:-1]) if host[:1] == "[" and host[-1:] == "]" else ipaddress.ip_address(host)
    except ValueError:
        return None
