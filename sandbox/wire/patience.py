"""Waiting that ends early: when the client goes, or when the server stops."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

from sandbox.sources import monotonic


class ClientGone(Exception):
    """The client closed the connection before its answer was whole."""


class ServerStops(Exception):
    """The server stops before the answer was whole."""


class Stopping:
    """Says that the server stops; everything that waits ends at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Let every wait end; called in the server's own thread."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until the server stops."""
        await self._event.wait()


class Patience:
    """Waits for one answer, with an ear on the client; used as an async context that leaves no task behind."""

    def __init__(self, receive: Receive, stopping: Stopping) -> None:
        self._receive = receive
        self._stopping = stopping
        self._start = monotonic()

    async def __aenter__(self) -> Patience:
        self._gone = asyncio.ensure_future(self._client_gone())
        self._stop = asyncio.ensure_future(self._stopping.wait())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.cancel()
        self._stop.cancel()
        await asyncio.gather(self._gone, self._stop, return_exceptions=True)

    async def until(self, ms: float) -> None:
        """Wait until `ms` milliseconds after this began (by schedule: waits don't add up); let others run in any case.

        Raises:
            ClientGone: there is nobody left to answer.
            ServerStops: no time is left to answer.
        """
        left = self._start + ms / 1000 - monotonic()
        if left > 0:
            await asyncio.wait((self._gone, self._stop), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(0)
        if self._gone.done():
            raise ClientGone
        if self._stop.done():
            raise ServerStops

    async def _client_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
