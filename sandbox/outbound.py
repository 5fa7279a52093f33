"""Connects to other servers: a host is resolved once, every address of it is checked, and one of these is dialled.

For what the sandbox sends by itself: webhooks (docs/control.md, Webhooks) and the calls of a model (docs/model.md).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

from sandbox.hosts import AllowedHosts
from sandbox.webhook_url import WebhookUrl

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# The longest line that is read from another server, in bytes.
MAX_LINE = 64 * 1024

_LOOPBACK = ("127.0.0.1", "::1")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class BlockedAddress(Exception):
    """The address is one that nothing may be sent to; the text says why."""


class Outbound:
    """Connects to where it may.

    Args:
        sent: what goes there, for messages: "webhooks".
        flag: the flag that allows a host, for messages: "--webhook-allow".
        allowed: hosts off loopback that are allowed, by name or address.
        resolve: turns a name into addresses; by default as the system does.
        own_ports: where this server listens; may still grow.
    """

    def __init__(
        self,
        *,
        sent: str,
        flag: str,
        allowed: Collection[str] = (),
        resolve: Resolve | None = None,
        own_ports: Collection[int] = (),
    ) -> None:
        self._sent = sent
        self._flag = flag
        self._allowed = AllowedHosts(allowed)
        self._resolve = resolve or resolve_host
        self._own_ports = own_ports

    async def connect(self, url: WebhookUrl, timeout: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:  # noqa: ASYNC109 - shared out among addresses
        """Connect to a host within so many seconds; TLS names and verifies the host of the URL.

        Raises:
            BlockedAddress: it may not be dialled; nothing was sent.
            OSError: no connection came about.
        """
        addresses = await self._checked_addresses(url)
        # Each has its share of the time: one that never answers leaves some for the next.
        return await _connect(addresses, url, timeout / len(addresses))

    async def _checked_addresses(self, url: WebhookUrl) -> Sequence[Address]:
        """Resolve a host; every address of it may be dialled."""
        addresses = [ipaddress.ip_address(text) for text in await self._resolve_url(url)]
        if not addresses:
            raise OSError("no such host")
        for address in addresses:
            if reason := self._objection(url, address):
                raise BlockedAddress(reason)
        return addresses

    async def _resolve_url(self, url: WebhookUrl) -> Sequence[str]:
        with suppress(ValueError):
            return (str(ipaddress.ip_address(url.host)),)
        if not url.is_local_name:
            return await self._resolve(url.host, url.port)
        # Where the system knows one of the two alone, a receiver may still listen on the other.
        return tuple(dict.fromkeys((*await self._resolve("localhost", url.port), *_LOOPBACK)))

    def _objection(self, url: WebhookUrl, address: Address) -> str | None:
        """Say why an address may not be dialled; None: it may."""
        real = _embedded_ipv4(address) or address
        if real.is_link_local or real.is_multicast or real.is_unspecified or str(real) == "255.255.255.255":
            return f"{url.host} is {address}: {self._sent} never go to link-local, multicast or unspecified addresses"
        if not real.is_loopback and url.host not in self._allowed:
            return f"{url.host} is {address}, which isn't on loopback: {self._flag} {url.host} allows it"
        if url.port in self._own_ports and _is_of_this_machine(real):
            return f"{url.host}:{url.port} is the sandbox itself"
        return None


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Resolve a name as every program of this machine does."""
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in infos))


async def _connect(
    addresses: Sequence[Address], url: WebhookUrl, seconds: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that takes a connection in time; TLS names and verifies the host of the URL."""
    errors: list[OSError] = []
    name = url.host if url.tls else None
    for address in addresses:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.open_connection(
                    str(address), url.port, limit=MAX_LINE, ssl=url.tls or None, server_hostname=name
                )
        except OSError as error:  # a TimeoutError is one
            errors.append(error)
    raise errors[0]


def _embedded_ipv4(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_of_this_machine(address: Address) -> bool:
    """Say whether an address is one of this machine: only its own can be bound."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
