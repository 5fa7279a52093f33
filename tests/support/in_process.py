"""A client of an application of this process: a plain httpx client whose requests are calls, in this thread.

Starlette's TestClient starts a thread for each request, which takes several times as long as the request itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
from starlette.types import ASGIApp, Message, Scope

ORIGIN = "http://127.0.0.1"


def client_of(app: ASGIApp, headers: Mapping[str, str] | None = None) -> httpx2.Client:
    """Return a client of the application, which it takes to be served at ORIGIN."""
    return httpx2.Client(transport=Calls(app), base_url=ORIGIN, headers=headers, follow_redirects=True)


class Calls(httpx2.BaseTransport):
    """Hands each request to the application whole, and brings its answer back whole.

    A request has an event loop of its own: what it leaves running ends with it. An application that raises before it
    has answered is a 500 without a body; one that raises in its answer has broken off there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run(self._answer(request))

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
