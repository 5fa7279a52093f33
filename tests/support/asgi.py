"""Speaks ASGI to a server in this thread: shows each message as it comes, lets clients leave, runs requests together.

By default its loop never waits: a timer fires at once, and `waits` tells how long it would have been.
"""

from __future__ import annotations

import asyncio
import json as json_module
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp, Message, Scope

from sandbox import Settings, create_app
from tests.conftest import KEY, NOW
from tests.support.answer import Answer
from tests.support.in_process import scope_of

T = TypeVar("T")
Hook = Callable[[Message], Awaitable[None]]


class HastyLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers fire at once; it notes how long they were meant to take."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def call_later(  # type: ignore[override] # typeshed ties the callback to its arguments
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.waits.append(delay)
        return super().call_later(0, callback, *args, context=context)


class AsgiClient:
    """A client that calls an ASGI application; use it through `in_process`."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop, key: str) -> None:
        self._app = app
        self._loop = loop
        self._key = key

    @property
    def waits(self) -> list[float]:
        """The seconds that the server meant to wait, one after the other."""
        assert isinstance(self._loop, HastyLoop)
        return self._loop.waits

    @property
    def open_tasks(self) -> int:
        """How many tasks are left between two requests."""
        return len(asyncio.all_tasks(self._loop))

    def request(self, method: str, url: str, **more: Any) -> Answer:
        """Send one request and return the whole answer."""
        return self.run(self.exchange(method, url, **more))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run requests that are put together by the caller."""
        return self._loop.run_until_complete(work)

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
        on_message: Hook | None = None,
        leave_after: int | None = None,
    ) -> Answer:
        """Send one request on the running loop.

        Args:
            method: the HTTP method.
            url: the raw path, percent-encoded by the caller.
            json: the body.
            params: the query.
            on_message: called with each message of the server, while the server waits.
            leave_after: after so many messages of the server the client closes the connection.
        """
        body = b"" if json is None else json_module.dumps(json, ensure_ascii=False).encode()
        answer, left, asked = Answer(), asyncio.Event(), False
        if leave_after == 0:
            left.set()

        async def receive() -> Message:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": body, "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        received = 0

        async def send(message: Message) -> None:
            nonlocal received
            received += 1
            _note(answer, message)
            if on_message:
                await on_message(message)
            if received == leave_after:
                left.set()

        try:
            await self._app(self._scope(method, url, params or {}), receive, send)
        except Exception:
            # What breaks off once the answer has begun is a closed connection for the client.
            if not answer.status_code:
                raise
        return answer

    def _scope(self, method: str, url: str, params: dict[str, Any]) -> Scope:
        query = urlencode(params, quote_via=quote).encode()
        headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {self._key}".encode()),
            (b"content-type", b"application/json"),
        ]
        return scope_of(method, url, url.encode(), query, headers)


def _note(answer: Answer, message: Message) -> None:
    if message["type"] == "http.response.start":
        answer.status_code = message["status"]
        answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
    else:
        if message.get("body"):
            answer.chunks.append(message["body"])
        answer.is_complete = not message.get("more_body", False)


@contextmanager
def in_process(*, hasty: bool = True, key: str = KEY, **settings: Any) -> Iterator[AsgiClient]:
    """Give a client of a server of its own, its time frozen unless `now` says otherwise."""
    loop = HastyLoop() if hasty else asyncio.SelectorEventLoop()
    try:
        yield AsgiClient(create_app(Settings(**{"now": NOW, **settings})), loop, key)
    finally:
        loop.close()
