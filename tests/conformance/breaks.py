"""Servers with one thing broken each: a wrapper around our own, so that nothing inside knows of it.

A break gets the request and a way to ask the healthy server, and answers in its place.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.conftest import KEY

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Request:
    """One request, whole."""

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
Break = Callable[[Request, Ask], Awaitable[Answer]]


def broken(app: ASGIApp, by: Break) -> ASGIApp:
    """Return the application with a break between it and the world."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def ask(request: Request) -> Answer:
            return await _asked(app, scope, request)

        answer = await by(await _read(scope, receive), ask)
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    return wrapped


async def nothing(request: Request, ask: Ask) -> Answer:
    """Break nothing."""
    return await ask(request)


async def created_is_201(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer, status=201) if request.creates and answer.status == 200 else answer


async def a_field_is_missing(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    if not request.creates or answer.status != 200:
        return answer
    conversation: dict[str, Any] = json.loads(answer.body)
    del conversation["generated_title"]
    return answer.saying(json.dumps(conversation).encode())


async def not_found_is_text(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return answer.saying(b"Not Found", b"text/plain") if answer.status == 404 else answer


async def not_found_has_another_envelope(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return answer.saying(b'{"detail": "Not Found"}') if answer.status == 404 else answer


async def any_key_will_do(request: Request, ask: Ask) -> Answer:
    others = tuple(each for each in request.headers if each[0] != b"authorization")
    return await ask(replace(request, headers=(*others, (b"authorization", f"Bearer {KEY}".encode()))))


async def the_key_is_echoed(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer.saying(dict(request.headers).get(b"authorization", b"none")), status=418)


async def unauthorized_names_no_scheme(request: Request, ask: Ask) -> Answer:
    return (await ask(request)).without(b"www-authenticate")


async def not_allowed_names_no_method(request: Request, ask: Ask) -> Answer:
    return (await ask(request)).without(b"allow")


async def a_limit_is_clamped(request: Request, ask: Ask) -> Answer:
    def clamped(limit: re.Match[str]) -> str:
        return f"limit={min(max(int(limit[1]), 1), 100)}"

    return await ask(replace(request, query=re.sub(r"limit=(-?[0-9]+)", clamped, request.query)))


async def an_event_has_another_name(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer, body=answer.body.replace(b"event: response.completed", b"event: response.done"))


async def deleted_lives_on(request: Request, ask: Ask) -> Answer:
    if request.method != "DELETE":
        return await ask(request)
    answer = await ask(replace(request, method="GET"))
    if answer.status != 200:
        return answer
    deleted = {"id": json.loads(answer.body)["id"], "object": "conversation", "deleted": True}
    return answer.saying(json.dumps(deleted).encode())


async def created_is_forgotten(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    if not request.creates or answer.status != 200:
        return answer
    conversation: dict[str, Any] = json.loads(answer.body)
    other = conversation["id"][:24] + conversation["id"][24:][::-1]
    return answer.saying(json.dumps({**conversation, "id": other}).encode())


def moved_to(origin: str) -> Break:
    """Return the break that sends every request to another place."""

    async def moved(request: Request, ask: Ask) -> Answer:
        return Answer(307, ((b"location", f"{origin}{request.path}".encode()), (b"content-length", b"0")), b"")

    return moved


async def _read(scope: Scope, receive: Receive) -> Request:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = tuple((name, value) for name, value in scope["headers"])
    return Request(scope["method"], scope["raw_path"].decode(), scope["query_string"].decode(), headers, body)


async def _asked(app: ASGIApp, scope: Scope, request: Request) -> Answer:
    told: list[Message] = []
    unsent: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Message:
        if not unsent:
            await asyncio.Event().wait()  # the client says no more, and waits
        return unsent.pop()

    async def send(message: Message) -> None:
        told.append(message)

    changed = {"method": request.method, "query_string": request.query.encode(), "headers": list(request.headers)}
    await app({**scope, **changed}, receive, send)
    body = b"".join(message.get("body", b"") for message in told[1:])
    return Answer(told[0]["status"], tuple(told[0]["headers"]), body)
