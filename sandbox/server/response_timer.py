"""Waiting that ends early: when the client goes, when the server stops, or when the app is forgotten."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from starlette.types import Receive

from sandbox.apps.responses import OpenResponses
from sandbox.clock import monotonic

# So many events of a stream without pace are written before others get their turn; so many streams have theirs between
# two looks at what else there is to do, however many there are.
TOGETHER = 16
AT_ONCE = 4
# Seconds by which the timers of event loops may be early.
EARLY = 0.002

Result = TypeVar("Result")


class ClientDisconnected(Exception):
    """The client closed the connection before its answer was whole."""


class ServerStopping(Exception):
    """The server stops before the answer was whole."""


class AbortConnection(Exception):
    """An answer ends abnormally on purpose; whoever runs the application closes the connection.

    Under an application called in process it reaches the caller.
    """


class Turns:
    """Lets a few of those that have much to do go on at a time, first come, first served."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        # How many may still go on before what else there is to do in the loop has been done.
        self._left = AT_ONCE
        self._is_scheduled = False

    async def first(self) -> None:
        """Go on at once, unless many do."""
        self._schedule()
        if self._left:
            self._left -= 1
        else:
            await self.next()

    async def next(self) -> None:
        """Wait for a turn; what else there is to do in the loop comes first."""
        turn: asyncio.Future[None] = self._schedule().create_future()
        self._waiting.append(turn)
        await turn

    def _schedule(self) -> asyncio.AbstractEventLoop:
        """Have turns given soon."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # An application that is called in process may meet another loop with each request.
            self._loop, self._waiting, self._left, self._is_scheduled = loop, deque(), AT_ONCE, False
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._give)
        return loop

    def _give(self) -> None:
        self._left, self._is_scheduled = AT_ONCE, False
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._left < AT_ONCE:
            self._schedule()


class ResponseTimer:
    """Waits for one answer, with an ear on the client; an async context that leaves no task behind.

    Its waits count from `since`, in seconds on the clock of durations.
    """

    def __init__(self, receive: Receive, responses: OpenResponses, turns: Turns, since: float) -> None:
        self._receive = receive
        self._responses = responses
        self._turns = turns
        self._start = since
        self._hurried = 0
        # What will be raised. Not an exception: one that is kept here would keep, by its traceback, what keeps it.
        self._reason: type[Exception] | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def __aenter__(self) -> ResponseTimer:
        self._listener = asyncio.ensure_future(self._listen())
        self._responses.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._responses.remove(self)
        listener = self._listener
        # A task that was cancelled keeps the frames that it was cancelled in; they know this.
        del self._listener
        listener.cancel()
        await asyncio.wait([listener])

    @property
    def elapsed_ms(self) -> float:
        """How long the answer has been under way, in milliseconds."""
        return (monotonic() - self._start) * 1000

    def end(self, reason: type[Exception]) -> None:
        """Let the wait that is under way, or the next one, raise `reason`."""
        self._reason = self._reason or reason
        self.wake()

    async def sleep_until(self, ms: float) -> None:
        """Wait until `ms` milliseconds after this began (by schedule: waits don't add up); let others run in any case.

        Raises:
            ClientDisconnected: there is nobody left to answer.
            ServerStopping: no time is left to answer.
            AppDeleted: what is being answered is no more.
        """
        due = self._start + ms / 1000
        if ms and (left := due - monotonic()) > 0:
            await self._pause(left)
            while 0 < (left := due - monotonic()) < EARLY and not self._reason:
                await self._pause(left)
        else:
            await self.yield_now()
        if self._reason:
            raise self._reason

    async def wait_until_woken(self, ms: float) -> None:
        """Wait until `wake` is called, at most `ms` milliseconds.

        Raises:
            ClientDisconnected, ServerStopping, AppDeleted: as `sleep_until` does.
        """
        await self._pause(ms / 1000)
        if self._reason:
            raise self._reason

    async def yield_now(self) -> None:
        """Let others run, every few times that it is called.

        A turn of the loop, and a write of its own, for each event would take longer than making it.

        Raises:
            ClientDisconnected, ServerStopping, AppDeleted: as `sleep_until` does.
        """
        self._hurried += 1
        if self._hurried % TOGETHER == 0:
            await self._turns.next()
            if self._reason:
                raise self._reason

    async def wait_for(self, awaitable: Coroutine[Any, Any, Result]) -> Result:
        """Wait for something else, unless the answer ends first.

        Raises:
            ClientDisconnected, ServerStopping, AppDeleted: as `sleep_until` does.
        """
        task = asyncio.ensure_future(awaitable)
        task.add_done_callback(lambda _: self.wake())
        try:
            if not task.done():
                await self._pause()
            if self._reason:
                raise self._reason
            return task.result()
        finally:
            task.cancel()

    async def _pause(self, seconds: float | None = None) -> None:
        """Wait until somebody wakes it, or for so long; not at all where the end was told already."""
        if self._reason:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self.wake) if seconds is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer:
                timer.cancel()

    def wake(self) -> None:
        """End the wait that is under way."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.end(ClientDisconnected)
