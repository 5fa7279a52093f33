"""The waits of a response: they end early when the client disconnects, the server stops or the app is deleted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from starlette.types import Receive

from sandbox.apps.responses import OpenResponses
from sandbox.clock import monotonic

# How many events of a stream without pace are written before other responses get their turn.
EVENTS_PER_TURN = 16
# How many turns are given before the event loop does what else there is to do.
TURNS_AT_ONCE = 4
# How many seconds early the timers of event loops may fire.
TIMER_TOLERANCE = 0.002

Result = TypeVar("Result")


class ClientDisconnected(Exception):
    """The client closed the connection before its response was complete."""


class ServerStopping(Exception):
    """The server stops before the response was complete."""


class AbortConnection(Exception):
    """End a response in the middle, on purpose: the connection is closed.

    Where the application is called in process, the caller gets it.
    """


class Turns:
    """Shares the event loop among long responses: a few go on at a time, first come, first served."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        # How many turns are left before the loop does what else there is to do.
        self._left = TURNS_AT_ONCE
        self._is_scheduled = False

    async def first(self) -> None:
        """Take a turn at once, or wait for one where many do."""
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
        """Let turns be given soon."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # An application that is called in process may meet another loop with each request.
            self._loop, self._waiting, self._left, self._is_scheduled = loop, deque(), TURNS_AT_ONCE, False
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._give)
        return loop

    def _give(self) -> None:
        self._left, self._is_scheduled = TURNS_AT_ONCE, False
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if self._left < TURNS_AT_ONCE:
            self._schedule()


class ResponseTimer:
    """Times one response, and ends its waits when the client disconnects; an async context that leaves no task behind.

    Args:
        since: when the response began, in seconds on the clock of durations.
    """

    def __init__(self, receive: Receive, responses: OpenResponses, turns: Turns, since: float) -> None:
        self._receive = receive
        self._responses = responses
        self._turns = turns
        self._start = since
        self._yields = 0
        # What the next wait raises. A class: an exception would keep, by its traceback, the frames that keep this.
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
        """How long the response has been under way, in milliseconds."""
        return (monotonic() - self._start) * 1000

    def end(self, reason: type[Exception]) -> None:
        """Let the wait that is under way, or the next one, raise `reason`."""
        self._reason = self._reason or reason
        self.wake()

    async def sleep_until(self, ms: float) -> None:
        """Sleep until so many ms after the response began, so that delays don't add up; let others run in any case.

        Raises:
            ClientDisconnected: there is nobody left to respond to.
            ServerStopping: no time is left to respond.
            AppDeleted: the app was deleted or reset.
        """
        due = self._start + ms / 1000
        if ms and (left := due - monotonic()) > 0:
            await self._pause(left)
            while 0 < (left := due - monotonic()) < TIMER_TOLERANCE and not self._reason:
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
        """Let others run, every few calls: a turn and a write for each event would take longer than making it.

        Raises:
            ClientDisconnected, ServerStopping, AppDeleted: as `sleep_until` does.
        """
        self._yields += 1
        if self._yields % EVENTS_PER_TURN == 0:
            await self._turns.next()
            if self._reason:
                raise self._reason

    async def wait_for(self, awaitable: Coroutine[Any, Any, Result]) -> Result:
        """Wait for something else, unless the response ends first.

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
        """Wait until `wake` is called, or for so many seconds; not at all where the response is to end."""
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
