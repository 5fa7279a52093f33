"""Clients of an application of this process, without a socket.

`client_of` is a plain httpx client. `AsgiClient` shows each message as it comes, lets clients leave and runs requests
together, on a loop that by default never waits: a timer fires at once, and `waits` tells how long it would have been.
`Visitor` keeps nothing of what it is told.
"""

from __future__ import annotations

import asyncio
import json as json_module
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx2
import orjson
from starlette.types import ASGIApp, Message, Scope

from sandbox import Settings
from sandbox.sandbox import Sandbox
from tests.support.answer import Answer
from tests.support.constants import KEY, NOW
from tests.support.stores import STORE, open_app, own_place

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

    def __init__(self, app: Sandbox, loop: asyncio.AbstractEventLoop, key: str) -> None:
        self.app = app
        self._loop = loop
        self._key = key

    @property
    def waits(self) -> list[float]:
        """The seconds that the server meant to wait, one after the other."""
        assert isinstance(self._loop, HastyLoop)
        return self._loop.waits

    @property
    def open_tasks(self) -> int:
        """How many tasks are left between two requests, beside those of a store."""
        ending = [task for task in asyncio.all_tasks(self._loop) if task.cancelling()]
        if ending:
            # With a store they have a connection to let go of.
            self._loop.run_until_complete(asyncio.wait(ending))
        return sum(task.get_name() != "store" for task in asyncio.all_tasks(self._loop))

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
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        answer, left, received = Answer(), asyncio.Event(), 0
        if leave_after == 0:
            left.set()

        async def receive() -> Message:
            if unread:
                return unread.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal received
            received += 1
            _note(answer, message)
            if on_message:
                await on_message(message)
            if received == leave_after:
                left.set()

        try:
            await self.app(self._scope(method, url, params or {}), receive, send)
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
        yield AsgiClient(open_app(Settings(**{"now": NOW, **own_place(), **settings})), loop, key)
    finally:
        loop.close()


ORIGIN = "http://127.0.0.1"


def client_of(app: ASGIApp, headers: Mapping[str, str] | None = None) -> httpx2.Client:
    """Return a client of the application, which it takes to be served at ORIGIN."""
    return httpx2.Client(transport=Calls(app), base_url=ORIGIN, headers=headers, follow_redirects=True)


class Calls(httpx2.BaseTransport):
    """Hands each request to the application whole, and brings its answer back whole.

    A request has an event loop of its own: what it leaves running ends with it. With a store, whose connections belong
    to a loop, it is one for all. An application that raises before it has answered is a 500 without a body; one that
    raises in its answer has broken off there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._run = asyncio.Runner().run if STORE else asyncio.run

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._run(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        unread: list[Message] = [{"type": "http.request", "body": request.read(), "more_body": False}]
        told: list[Message] = []
        complete = asyncio.Event()

        async def receive() -> Message:
            if unread:
                return unread.pop()
            await complete.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            told.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                complete.set()

        try:
            await self._app(_scope(request), receive, send)
        except Exception:
            told = told or [{"type": "http.response.start", "status": 500, "headers": []}]
        body = b"" if request.method == "HEAD" else b"".join(message.get("body", b"") for message in told[1:])
        return httpx2.Response(told[0]["status"], headers=told[0]["headers"], stream=httpx2.ByteStream(body))


class Visitor:
    """Calls an application within an event loop of the test's own; leaves after so many messages, if it is told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def ask(
        self, method: str, path: str, body: Any = None, *, fault: str = "", leave: int | None = None
    ) -> bytes:
        """Return the beginning of what was answered: all of it where it is JSON."""
        content = b"" if body is None else orjson.dumps(body)
        headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer sk_test_demo")]
        headers += [(b"content-length", b"%d" % len(content))] if content else []
        headers += [(b"sandbox-fault", fault.encode())] if fault else []
        unread: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]
        beginning, messages, gone = b"", 0, asyncio.Event()

        async def receive() -> Message:
            if not unread:
                await gone.wait()
            return unread.pop() if unread else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal beginning, messages
            messages += 1
            beginning = beginning or message.get("body", b"")
            is_over = message["type"] == "http.response.body" and not message.get("more_body", False)
            if is_over or messages == leave:
                gone.set()

        try:
            path, _, query = path.partition("?")
            await self._app(scope_of(method, path, path.encode(), query.encode(), headers), receive, send)
        except Exception:
            return b""
        return beginning


def scope_of(
    method: str, path: str, raw_path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], scheme: str = "http"
) -> Scope:
    """Return what a server would hand to an application with a request for ORIGIN."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": raw_path,
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }


def _scope(request: httpx2.Request) -> Scope:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    return scope_of(request.method, request.url.path, raw_path, query, headers, request.url.scheme)
