"""What stays of a request when it is over."""

from __future__ import annotations

import asyncio
import gc
from weakref import ReferenceType, ref

import pytest
from starlette.types import ASGIApp, Message, Scope

from sandbox import create_app
from tests.inprocess import scope_of

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
