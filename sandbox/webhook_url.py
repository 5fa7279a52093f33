"""Parses the URL of a webhook: http or https, a plain host, nothing that two programs could parse differently."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sandbox.errors import InvalidRequest
from sandbox.hosts import HOST_NAME, is_local_name

MAX_LENGTH = 2_000

# What a resolver may take for an address in a spelling of its own: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMBER = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)")
_PRINTABLE = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUrl:
    """Where a webhook goes.

    `host` is a name in lower case without its last dot, or an IP address; `path` has the query with it.
    """

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    @property
    def is_local_name(self) -> bool:
        """Whether the name is one that always means this machine."""
        return is_local_name(self.host)


def parse(url: str) -> WebhookUrl:
    """Parse a URL.

    Raises:
        ValueError: it is none that a webhook may have; the text says what was expected.
    """
    if len(url) > MAX_LENGTH or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise ValueError(f"a URL of at most {MAX_LENGTH:,} printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("a URL with a port from 1 to 65535") from None
    if parts.scheme not in _PORTS:
        raise ValueError("a URL that begins with http:// or https://")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("a URL without user, password and fragment")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("a URL with a port from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookUrl(tls=parts.scheme == "https", host=_host(parts), port=port or _PORTS[parts.scheme], path=path)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if _NUMBER.fullmatch(host) or not HOST_NAME.fullmatch(host):
            expected = "a URL with a host name or an IP address in its usual form (127.0.0.1, [::1])"
            raise ValueError(expected) from None
    return host


def check_urls(webhooks: Sequence[Mapping[str, Any]]) -> None:
    """Check the URLs of webhooks beyond what their schema says.

    Raises:
        InvalidRequest: a URL can't be used.
    """
    for index, url in enumerate(hook["url"] for hook in webhooks):
        place = f"webhooks[{index}].url"
        try:
            parse(url)
        except ValueError as error:
            raise InvalidRequest(f"{place}: expected {error}.", param=place, code="not_allowed") from None
