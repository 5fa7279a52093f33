"""Servers with one thing broken each: a wrapper around our own, so that nothing inside knows of it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.conformance import wire
from tests.conformance.wire import Answer, Ask, Request
from tests.support.constants import KEY

Break = Callable[[Request, Ask], Awaitable[Answer]]


def broken(app: ASGIApp, by: Break) -> ASGIApp:
    """Return the application with a break between it and the world."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def ask(request: Request) -> Answer:
            return await wire.asked(app, scope, request)

        await wire.answer(send, await by(await wire.read(scope, receive), ask))

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


async def an_event_has_a_number_for_a_text(request: Request, ask: Ask) -> Answer:
    answer = await ask(request)
    return replace(answer, body=answer.body.replace(b'"delta":"', b'"delta":5,"was":"'))


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
