"""Posts a webhook: the host is resolved once, every address of it is checked, and one of these is dialled.

No redirect is followed, and of the response only the status is read (docs/control.md, Webhooks). That is so little HTTP
that it is written here: httpcore bounds no interim responses, and reports no status before the whole head was read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

from sandbox.hosts import AllowedHosts
from sandbox.webhook_url import WebhookUrl

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Seconds of real time for all of it: name, connection, response.
TIMEOUT = 5.0
# How many bytes are read until the status. Then, for so many seconds, as many again: the receiver can finish.
MAX_HEAD = 64 * 1024
LINGER = 1.0

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: .*)?\r?\n")
_LOOPBACK = ("127.0.0.1", "::1")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class BlockedAddress(Exception):
    """The address is one that webhooks never go to; the text says why."""


class NoResponse(Exception):
    """Nothing came that has a status; the text says what happened."""


class WebhookClient:
    """Sends webhooks to where they may go.

    Args:
        allowed: hosts off loopback that are allowed, by name or address.
        resolve: turns a name into addresses; by default as the system does.
        timeout: seconds for one whole call.
        own_ports: where this server listens; may still grow.
    """

    def __init__(
        self,
        allowed: Collection[str] = (),
        resolve: Resolve | None = None,
        timeout: float = TIMEOUT,
        own_ports: Collection[int] = (),
    ) -> None:
        self._allowed = AllowedHosts(allowed)
        self._resolve = resolve or resolve_host
        self._timeout = timeout
        self._own_ports = own_ports

    async def post(self, url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body and return the status of the response.

        Raises:
            BlockedAddress: it may not go there; nothing was sent.
            NoResponse: it was sent, or tried to be, and no response came in time.
        """
        try:
            async with asyncio.timeout(self._timeout):
                addresses = await self._checked_addresses(url)
                # Each has its share of the time: one that never answers leaves some for the next.
                reader, writer = await _connect(addresses, url, self._timeout / len(addresses))
                try:
                    writer.write(_request(url, headers, body))
                    await writer.drain()
                    status = await _read_status(reader)
                    with suppress(OSError, EOFError, TimeoutError):
                        async with asyncio.timeout(LINGER):
                            await reader.readexactly(MAX_HEAD)
                    return status
                finally:
                    writer.close()
        except TimeoutError:
            raise NoResponse(f"no answer within {self._timeout:g} s") from None
        except OSError as error:
            raise NoResponse(f"no connection: {error.strerror or error}") from None

    async def _checked_addresses(self, url: WebhookUrl) -> Sequence[Address]:
        """Resolve a host; every address of it may be dialled."""
        addresses = [ipaddress.ip_address(text) for text in await self._resolve_url(url)]
        if not addresses:
            raise NoResponse("no such host")
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
            return f"{url.host} is {address}: webhooks never go to link-local, multicast or unspecified addresses"
        if not real.is_loopback and url.host not in self._allowed:
            return f"{url.host} is {address}, which isn't on loopback: --webhook-allow {url.host} allows it"
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
                    str(address), url.port, limit=MAX_HEAD, ssl=url.tls or None, server_hostname=name
                )
        except OSError as error:  # a TimeoutError is one
            errors.append(error)
    raise errors[0]


def _request(url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = {"Host": url.authority, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {url.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


async def _read_status(reader: asyncio.StreamReader) -> int:
    """Read the status of the response; interim ones (1xx) are skipped."""
    left = MAX_HEAD
    try:
        while left > 0:
            line = await reader.readline()
            match = _STATUS.fullmatch(line)
            if not match:
                raise NoResponse("what came is no HTTP/1.1" if line else "the connection was closed without an answer")
            if match[1] >= b"200":
                return int(match[1])
            while line.strip():
                line = await reader.readline()
                left -= len(line)
    except ValueError:  # a line without an end
        raise NoResponse("what came is no HTTP/1.1") from None
    raise NoResponse("no status came")


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
