"""What stays of a request when it is over."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from weakref import ReferenceType, ref

import pytest
from starlette.types import ASGIApp, Message, Scope

from sandbox import create_app
from sandbox.apps.journal import Journal
from sandbox.apps.request_record import RequestRecord
from sandbox.clock import SystemClock
from sandbox.server.context import RequestContext, UnrecordedContext
from sandbox.server.recording import RequestListener, RequestRecorder
from tests.support.in_process import scope_of

CONFIG, REQUESTS = "/v1/apps/app_a/config", "/_sandbox/requests"


class Connection:
    """What a server holds of a request while it is under way."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        assert message["type"].startswith("http.response.")


async def asked(app: ASGIApp, *paths: str) -> list[ReferenceType[Connection]]:
    """Ask for each path on a connection of its own."""
    connections = []
    for path in paths:
        headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer sk_test_demo")]
        connection = Connection(scope_of("GET", path, path.encode(), b"", headers))
        await app(connection.scope, connection.receive, connection.send)
        connections.append(ref(connection))
        del connection
    return connections


@pytest.mark.parametrize("path", [CONFIG, REQUESTS, "/nowhere"])
def test_a_request_that_is_over_holds_no_connection(path: str) -> None:
    """Not even until the garbage collector comes: new memory for each request would be slow."""
    gc.disable()
    try:
        held = [each for each in asyncio.run(asked(create_app(), *[path] * 40, REQUESTS)) if each()]
    finally:
        gc.enable()
    assert held == []


def test_what_passes_by_is_not_kept() -> None:
    """A listener to live events may stay for days."""

    async def events(ctx: RequestContext) -> None:
        await ctx.receive()
        await ctx.send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(100):
            await ctx.send({"type": "http.response.body", "body": b"%100000d" % number, "more_body": True})

    tracemalloc.start()
    try:
        asyncio.run(events(context(UnrecordedContext, "/_sandbox/events", Journal(str))))
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_log_is_told_of_a_request_whose_app_was_reset_meanwhile() -> None:
    journal, logged = Journal(str), list[RequestRecord]()
    app = journal.new_app("app_a")

    async def reset(ctx: RequestContext) -> None:
        ctx.path_parameters["app_id"] = "app_a"
        ctx.begin(app)
        await ctx.receive()
        await ctx.send({"type": "http.response.start", "status": 200, "headers": []})
        app.reset()
        await ctx.send({"type": "http.response.body", "body": b"late"})

    asyncio.run(reset(context(RequestContext, CONFIG, journal, logged.append)))
    assert [(each.app_id, each.status, each.chunks[0][1]) for each in logged] == [("app_a", 200, b"late")]
    assert list(journal.newest_first()) == []


def context(
    kind: type[RequestContext], path: str, journal: Journal, log: RequestListener | None = None
) -> RequestContext:
    """Return a request that has just come."""
    connection = Connection(scope_of("GET", path, path.encode(), b"", []))
    recorder = RequestRecorder(journal, SystemClock(), log)
    return kind(connection.scope, {}, connection.receive, connection.send, recorder)
