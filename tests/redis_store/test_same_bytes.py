"""A server with a store answers byte for byte what one does that keeps its apps in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from sandbox import Settings
from sandbox.redis_store.client import RedisClient
from sandbox.redis_store.keys import Keys
from sandbox.redis_store.opening import Store
from sandbox.sandbox import Sandbox
from tests.support.constants import KEY, NOW
from tests.support.in_process import AsgiClient
from tests.support.redis_server import RedisServer, requires_redis_server
from tests.support.transcript import play

APP = "/v1/apps/app_visited"
CONTROL = "/_sandbox/apps/app_visited"


async def drive(client: AsgiClient) -> str:
    """Drive an app by the control API; return every status, body and request id."""
    lines: list[str] = []

    async def ask(method: str, path: str, json: object = None) -> None:
        answer = await client.exchange(method, path, json=json)
        request = answer.headers.get("sandbox-request-id", "")
        lines.append(f"{method} {path} {answer.status_code} {request} {answer.text}")

    await ask("PATCH", CONTROL, {"titles": "after_first_exchange", "rate_limit": {"per_minute": 60}, "stream": True})
    await ask("POST", f"{CONTROL}/faults", {"kind": "status", "status": 502, "times": 2, "probability": 0.5})
    await ask("POST", f"{CONTROL}/faults", {"kind": "contract", "skip": 3, "body": {"n": 1.50}})
    await ask("POST", f"{CONTROL}/replies", {"text": "Straße", "contains": "STRASSE"})
    for _ in range(5):
        await ask("POST", f"{APP}/conversations", {"metadata": {"n": 1e2, "é": [1.10]}, "external_user_id": "a:b"})
    await ask("GET", f"{CONTROL}/faults")
    await ask("POST", f"{APP}/completions", {"prompt": "Wo ist die straße?"})
    await ask("POST", f"{CONTROL}/clock/advance", {"seconds": 0.75})
    await ask("POST", f"{CONTROL}/populate", {"conversations": 7, "users": 3})
    for order in ("asc", "desc"):
        await ask("GET", f"{APP}/conversations?limit=4&order={order}")
    await ask("PUT", f"{CONTROL}/scenario", {"name": "busy"})
    await ask("PUT", f"{CONTROL}/scenario", {"name": "outage"})
    await ask("POST", f"{APP}/conversations", {})
    await ask("GET", CONTROL)
    await ask("PUT", f"{CONTROL}/scenario", {"name": None})
    await ask("GET", f"{APP}/users/a%3Ab/conversations")
    await ask("GET", f"{APP}/conversations?after=00000000-0000-4000-8000-000000000000")
    await ask("GET", f"{CONTROL}/snapshot")
    await ask("DELETE", CONTROL)
    await ask("POST", f"{APP}/conversations", {})
    await ask("GET", f"{CONTROL}/snapshot")
    await ask("GET", "/_sandbox/apps")
    await ask("GET", "/v1/apps/app_demo/conversations")
    await ask("POST", "/_sandbox/reset")
    await ask("GET", "/_sandbox/apps")
    return "\n".join(lines)


def said(store: Callable[[], Redis] | None) -> str:
    """Return all that a server says in both visits."""
    loop = asyncio.new_event_loop()
    client = RedisClient(store()) if store else None
    app = Sandbox(Settings(now=NOW), store=Store(client, Keys("same")) if client else None)
    visitor = AsgiClient(app, loop, KEY)
    with closing(loop):
        text = f"{loop.run_until_complete(play(visitor))}\n{loop.run_until_complete(drive(visitor))}"
        loop.run_until_complete(app.close())
    return text


@pytest.fixture(params=["fakeredis", "redis"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[[], Redis]]:
    if request.param == "fakeredis":
        yield FakeAsyncRedis
        return
    with closing(RedisServer(requires_redis_server())) as server:
        yield lambda: Redis.from_url(server.url)


@pytest.mark.clause("7.1")
def test_a_store_changes_no_byte(connect: Callable[[], Redis]) -> None:
    assert said(connect).splitlines() == said(None).splitlines()
