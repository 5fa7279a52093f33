"""What stands between a client and an application of this process: requests and answers as values, whole.

Whoever stands there gets the request and a way to ask the application, and answers in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Request:
    """One request, whole; the path is as it was sent, percent signs and all."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes

    @property
    def creates(self) -> bool:
        return self.method == "POST" and self.path.endswith("/conversations")


@dataclass(frozen=True)
class Answer:
    """One answer, whole; a stream has come to its end."""

    status: int
    headers: Headers
    body: bytes

    def without(self, header: bytes) -> Answer:
        """Return the same answer without a header."""
        return replace(self, headers=tuple(each for each in self.headers if each[0] != header))

    def saying(self, body: bytes, content_type: bytes = b"application/json") -> Answer:
        """Return the same answer with another body."""
        rest = self.without(b"content-type").without(b"content-length").headers
        sized = ((b"content-type", content_type), (b"content-length", b"%d" % len(body)))
        return replace(self, headers=(*rest, *sized), body=body)


Ask = Callable[[Request], Awaitable[Answer]]


async def read(scope: Scope, receive: Receive) -> Request:
    """Take in a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return Request(scope["method"], path, query, tuple((name, value) for name, value in scope["headers"]), body)


async def pass_on(app: ASGIApp, scope: Scope, request: Request, send: Send) -> None:
    """Have an application answer a request, which came with this scope and may have been changed since."""
    unsent: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Message:
        if not unsent:
            await asyncio.Event().wait()  # the client says no more, and waits
        return unsent.pop()

    path = request.path.encode("latin-1")
    changed = {"method": request.method, "raw_path": path, "query_string": request.query.encode("latin-1")}
    await app({**scope, **changed, "path": request.path, "headers": list(request.headers)}, receive, send)


async def asked(app: ASGIApp, scope: Scope, request: Request) -> Answer:
    """Return what an application answers to a request."""
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    await pass_on(app, scope, request, send)
    body = b"".join(message.get("body", b"") for message in told[1:])
    return Answer(told[0]["status"], tuple(told[0]["headers"]), body)


async def answer(send: Send, given: Answer) -> None:
    """Give an answer."""
    await send({"type": "http.response.start", "status": given.status, "headers": list(given.headers)})
    await send({"type": "http.response.body", "body": given.body})
