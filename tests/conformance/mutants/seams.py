"""Where a server is broken: between it and the world, in one place, for the requests that the break is about.

A mutant is made by a decorator on a few lines that change a request, an answer, the JSON of a good answer or the events
of a stream. All other requests reach the healthy server untouched, streams and cut answers included.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import Settings, create_app
from tests.conformance import wire
from tests.conformance.breaks import Break
from tests.conformance.mutants.values import Json, dumps, is_json, is_stream, loads
from tests.conformance.wire import Answer, Ask, Request

Events = list[tuple[str, Json]]
Memory = dict[str, Any]
Whole = Callable[[Request, Ask, Memory], Awaitable[Answer]]

KEY = "sk_test_conform"
APP = "app_conform_1"

# Operations that answer with a conversation, and with a list of them.
SHOWING = ("create", "get", "update")
LISTS = ("list", "users")

_ONE = "/v1/apps/[^/]*/conversations/[^/]*"
_ALL = "/v1/apps/[^/]*/conversations"
_OPERATIONS = {
    "create": f"POST {_ALL}",
    "list": f"GET {_ALL}",
    "users": "GET /v1/apps/[^/]*/users/[^/]*/conversations",
    "get": f"GET {_ONE}",
    "update": f"PATCH {_ONE}",
    "delete": f"DELETE {_ONE}",
    "send": f"POST {_ONE}",
    "complete": "POST /v1/apps/[^/]*/completions",
    "config": "GET /v1/apps/[^/]*/config",
    "metrics": "GET /v1/apps/[^/]*/metrics",
    "any": ".*/v1/.*",
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One break: what it is called, the clauses of which a finding must name one, and how the server is made.

    `other_key` is handed to the suite, where the break needs a second account.
    """

    name: str
    clauses: tuple[str, ...]
    by: Whole
    operations: tuple[str, ...]
    settings: Settings
    other_key: str | None = None

    def serve(self) -> ASGIApp:
        """Return a fresh server with this break."""
        app, memory = create_app(self.settings), Memory()

        async def mutated(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self._is_about(scope):
                await app(scope, receive, send)
                return

            async def ask(request: Request) -> Answer:
                return await wire.asked(app, scope, request)

            request = await wire.read(scope, receive)
            if b"[[cut]]" in request.body and "cut" not in self.name:
                await wire.pass_on(app, scope, request, send)
                return
            await wire.answer(send, await self.by(request, ask, memory))

        return mutated

    def _is_about(self, scope: Scope) -> bool:
        line = f"{scope['method']} {scope['raw_path'].decode('latin-1')}"
        return any(re.fullmatch(_OPERATIONS[name], line, re.DOTALL) for name in self.operations)


def whole(
    *operations: str, clauses: str, settings: Settings | None = None, other_key: str | None = None
) -> Callable[[Whole], Mutant]:
    """Make a mutant of what answers in the server's place; it may ask the healthy server, and has a memory."""

    def made(by: Whole) -> Mutant:
        return Mutant(
            name=by.__name__.replace("_", " "),
            clauses=tuple(clauses.split()),
            by=by,
            operations=operations,
            settings=settings or Settings(),
            other_key=other_key,
        )

    return made


def request(
    *operations: str, clauses: str, settings: Settings | None = None, other_key: str | None = None
) -> Callable[[Callable[[Request], Request]], Mutant]:
    """Make a mutant of what changes a request."""

    def made(change: Callable[[Request], Request]) -> Mutant:
        async def by(request: Request, ask: Ask, memory: Memory) -> Answer:
            return await ask(change(request))

        return whole(*operations, clauses=clauses, settings=settings, other_key=other_key)(_named(by, change))

    return made


def answer(
    *operations: str, clauses: str, settings: Settings | None = None
) -> Callable[[Callable[[Request, Answer], Answer]], Mutant]:
    """Make a mutant of what changes an answer."""

    def made(change: Callable[[Request, Answer], Answer]) -> Mutant:
        async def by(request: Request, ask: Ask, memory: Memory) -> Answer:
            return change(request, await ask(request))

        return whole(*operations, clauses=clauses, settings=settings)(_named(by, change))

    return made


def body(
    *operations: str, clauses: str, settings: Settings | None = None
) -> Callable[[Callable[[Json, Memory], object]], Mutant]:
    """Make a mutant of what changes the JSON of a good answer, in place; the memory is the server's."""

    def made(change: Callable[[Json, Memory], object]) -> Mutant:
        async def by(request: Request, ask: Ask, memory: Memory) -> Answer:
            given = await ask(request)
            if given.status != 200 or not is_json(given):
                return given
            value = loads(given.body)
            change(value, memory)
            return given.saying(dumps(value))

        return whole(*operations, clauses=clauses, settings=settings)(_named(by, change))

    return made


def stream(
    *operations: str, clauses: str, settings: Settings | None = None
) -> Callable[[Callable[[bytes], bytes]], Mutant]:
    """Make a mutant of what changes the bytes of a stream."""

    def made(change: Callable[[bytes], bytes]) -> Mutant:
        def by(request: Request, given: Answer) -> Answer:
            return replace(given, body=change(given.body)) if is_stream(given) else given

        by.__name__ = change.__name__
        return answer(*operations, clauses=clauses, settings=settings)(by)

    return made


def events(
    *operations: str, clauses: str, settings: Settings | None = None
) -> Callable[[Callable[[Events], Events]], Mutant]:
    """Make a mutant of what changes the events of a stream, which is written in the usual form."""

    def made(change: Callable[[Events], Events]) -> Mutant:
        def by(body: bytes) -> bytes:
            read: Events = []
            for block in body.decode().split("\n\n")[:-1]:
                name, data = block.split("\n", 1)
                read.append((name.removeprefix("event: "), loads(data.removeprefix("data: ").encode())))
            return b"".join(b"event: %s\ndata: %s\n\n" % (name.encode(), dumps(data)) for name, data in change(read))

        by.__name__ = change.__name__
        return stream(*operations, clauses=clauses, settings=settings)(by)

    return made


def of_break(by: Break, *operations: str, clauses: str) -> Mutant:
    """Make a mutant of a break that other tests use too."""

    async def mutated(request: Request, ask: Ask, memory: Memory) -> Answer:
        return await by(request, ask)

    return whole(*operations, clauses=clauses)(_named(mutated, by))


def _named(by: Whole, change: Callable[..., object]) -> Whole:
    by.__name__ = change.__name__
    return by
