"""Posts a webhook to a checked address (`sandbox/outbound.py`).

No redirect is followed, and of the response only the status is read (docs/control.md, Webhooks). That is so little HTTP
that it is written here: httpcore bounds no interim responses, and reports no status before the whole head was read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from contextlib import suppress

from sandbox.outbound import MAX_LINE, Outbound, Resolve
from sandbox.webhook_url import WebhookUrl

# Seconds of real time for all of it: name, connection, response.
TIMEOUT = 5.0
# How many bytes are read until the status. Then, for so many seconds, as many again: the receiver can finish.
MAX_HEAD = MAX_LINE
LINGER = 1.0

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: .*)?\r?\n")


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
        self._outbound = Outbound(
            sent="webhooks", flag="--webhook-allow", allowed=allowed, resolve=resolve, own_ports=own_ports
        )
        self._timeout = timeout

    async def post(self, url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body and return the status of the response.

        Raises:
            BlockedAddress: it may not go there; nothing was sent.
            NoResponse: it was sent, or tried to be, and no response came in time.
        """
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._outbound.connect(url, self._timeout)
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
