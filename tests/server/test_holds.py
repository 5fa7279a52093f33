"""How many requests faults hold at once: an app's load is its own."""

from __future__ import annotations

import asyncio

import orjson

from sandbox import create_app
from tests.support.in_process import Visitor


def test_an_app_that_holds_all_it_may_takes_nothing_from_another() -> None:
    async def answers() -> list[bytes]:
        visitor = Visitor(create_app())
        held = [asyncio.create_task(visitor.ask("GET", path("app_a"), fault="hang")) for _ in range(1_000)]
        await asyncio.sleep(0)  # they begin
        one_more = [await visitor.ask("GET", path(app), fault="latency; ms=1") for app in ("app_a", "app_b")]
        for task in held:
            task.cancel()
        await asyncio.wait(held)
        return [*one_more, await visitor.ask("GET", path("app_a"), fault="latency; ms=1")]

    refused, other, again = map(orjson.loads, asyncio.run(answers()))
    assert "1,000 requests" in refused["error"]["message"]
    assert (other["app_id"], again["app_id"]) == ("app_b", "app_a")


def path(app_id: str) -> str:
    return f"/v1/apps/{app_id}/config"
