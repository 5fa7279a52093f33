"""The sockets that a server listens on: one for each address, all on the same port."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from sandbox.hosts import is_local_name, is_loopback
from sandbox.redaction import escape
from sandbox.settings import Settings

EVERY_IPV4, EVERY_ADDRESS = "0.0.0.0", "::"  # noqa: S104 - the user chose it with --host
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

_BACKLOG = 2_048
# Tries to find a port that is free on every address.
_TRIES = 50
# The errors for an address, or a family of addresses, that the machine doesn't have.
_MISSING = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class ServerSockets:
    """Sockets that listen on one port."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self.sockets = sockets
        self.port: int = sockets[0].getsockname()[1]
        self.hosts: list[str] = [each.getsockname()[0] for each in sockets]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more."""
        for each in self.sockets:
            each.close()

    def describe(self) -> str:
        """Name each address and the port."""
        meaning = {EVERY_IPV4: " (every IPv4 address)", EVERY_ADDRESS: " (every IPv6 address)"}
        if self._has(socket.AF_INET) and EVERY_IPV4 not in self.hosts:
            meaning[EVERY_ADDRESS] = " (every address, IPv4 and IPv6)"
        return ", ".join(f"{_bracketed(host)}:{self.port}{meaning.get(host, '')}" for host in self.hosts)

    def foreign_loopback(self) -> str | None:
        """Return the loopback address on which another server has this port: `localhost` may lead there."""
        missing = [family for family in LOOPBACK if not self._has(family)]
        if len(missing) != 1 or not _is_in_use(missing[0], LOOPBACK[missing[0]], self.port):
            return None
        return f"{_bracketed(LOOPBACK[missing[0]])}:{self.port}"

    def _has(self, family: socket.AddressFamily) -> bool:
        """Say whether a client that connects to this loopback address reaches one of these sockets."""
        everywhere = [each for each in self.sockets if each.getsockname()[0] == EVERY_ADDRESS]
        both = any(not each.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) for each in everywhere)
        every = EVERY_IPV4 if family == socket.AF_INET else EVERY_ADDRESS
        return both or LOOPBACK[family] in self.hosts or every in self.hosts


def listen(settings: Settings) -> ServerSockets | None:
    """Return sockets that listen; None, with a message on standard error, where there can't be any."""
    try:
        return ServerSockets(_listen(settings.host, settings.port))
    except (OSError, UnicodeError) as error:
        where = escape(f"{settings.host}:{settings.port}")
        hint = "; --port 0 picks a free one" if getattr(error, "errno", None) == errno.EADDRINUSE else ""
        reason = getattr(error, "strerror", None) or "not a host name"
        print(f"dimedove-sandbox: can't listen on {where}: {reason}{hint}", file=sys.stderr)
        return None


def _listen(host: str, port: int) -> Sequence[socket.socket]:
    addresses = _addresses(host)
    for _ in range(_TRIES if port == 0 else 0):
        try:
            return _bind_all(addresses, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _bind_all(addresses, port)


def _addresses(host: str) -> Sequence[tuple[socket.AddressFamily, str]]:
    """Return where to listen for a host: on both families, where it means both."""
    if host == EVERY_ADDRESS:
        ipv4 = [] if socket.has_dualstack_ipv6() else [(socket.AF_INET, EVERY_IPV4)]
        return [(socket.AF_INET6, EVERY_ADDRESS), *ipv4]
    addresses = [(info[0], str(info[4][0])) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    if is_local_name(host.lower()):
        # Whatever the machine's files say: a server that asks for no token is not to be reached from elsewhere.
        return [address for address in dict.fromkeys(addresses) if is_loopback(address[1])] or [
            (socket.AF_INET, LOOPBACK[socket.AF_INET])
        ]
    return addresses[:1]


def _bind_all(addresses: Sequence[tuple[socket.AddressFamily, str]], port: int) -> Sequence[socket.socket]:
    """Listen on each address that the machine has, all on the port that the first one gets."""
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    with ExitStack() as opened:
        for family, host in addresses:
            both = host == EVERY_ADDRESS and len(addresses) == 1
            try:
                one = socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
            except OSError as error:
                if error.errno not in _MISSING:
                    raise
                missing = error
                continue
            # Named as TCP's: else connections of asyncio's own loop (Windows) wait for more to send, 40 ms an answer.
            one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=one.detach())
            sockets.append(opened.enter_context(one))
            port = one.getsockname()[1]
        if missing and not sockets:
            raise missing
        opened.pop_all()
    return sockets


def _is_in_use(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(0.2)
            probe.connect((host, port))
            # A port that nobody has may be given to the probe, which then reaches itself.
            return bool(probe.getsockname() != probe.getpeername())
    except OSError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
