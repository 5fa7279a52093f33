"""Long calls of the control API let others through: what is asked while one is under way is answered before it."""

from __future__ import annotations

import asyncio
import gc
import threading
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import orjson
import pytest

from sandbox import create_app
from sandbox.long_work import in_thread
from tests.support.in_process import Visitor

APPS = [f"app_{number}" for number in range(1_000)]
FIELDS = {f"unknown_{number}": "sk_test_5" for number in range(20_000)}
HEAVY = "/_sandbox/apps/app_heavy"

# Each row: a call that takes long on a server with many apps and one large request.
LONG = [
    ("POST", f"{HEAVY}/populate", {"conversations": 200}),
    ("DELETE", "/_sandbox/requests", None),
    ("GET", "/_sandbox/apps?limit=500", None),
    ("GET", "/_sandbox/requests?app_id=app_heavy", None),
    ("GET", "/_sandbox/requests.har", None),
]


@pytest.mark.parametrize(("method", "path", "body"), LONG, ids=[f"{row[0]} {row[1]}" for row in LONG])
def test_others_are_answered_while_a_long_call_is_under_way(method: str, path: str, body: Any) -> None:
    async def order() -> list[str]:
        visitor, done = Visitor(create_app()), list[str]()
        for app in APPS:
            await visitor.ask("POST", f"/v1/apps/{app}/conversations", {})
        await visitor.ask("POST", "/v1/apps/app_heavy/conversations", FIELDS)
        await visitor.ask("GET", HEAVY)

        async def ask(name: str, *words: Any) -> None:
            await visitor.ask(*words)
            done.append(name)

        await asyncio.gather(ask("long", method, path, body), ask("other", "GET", "/v1/apps/app_other/config"))
        return done

    assert asyncio.run(order()) == ["other", "long"]


def test_what_comes_while_all_requests_are_forgotten_is_in_bundles_all_the_same() -> None:
    """An app that is used meanwhile has its entry, or begins anew with what it did."""

    async def lost() -> list[str]:
        visitor = Visitor(create_app())
        for app in APPS:
            await visitor.ask("POST", f"/v1/apps/{app}/conversations", {})
        used = [visitor.ask("POST", f"/v1/apps/{app}/conversations", {}) for app in APPS[::50]]
        await asyncio.gather(visitor.ask("DELETE", "/_sandbox/requests"), *used)
        bundles = [await visitor.ask("GET", f"/_sandbox/apps/{app}/bundle") for app in APPS[::50]]
        about = [orjson.loads(ZipFile(BytesIO(bundle)).read("bundle.json")) for bundle in bundles]
        return [reason for bundle in about for reason in bundle["lost"]]

    assert asyncio.run(lost()) == []


def test_an_app_that_is_restored_while_everything_is_reset_has_what_was_restored() -> None:
    async def restored() -> int:
        visitor = Visitor(create_app())
        await visitor.ask("POST", "/v1/apps/app_heavy/conversations", {})
        snapshot = orjson.loads(await visitor.ask("GET", f"{HEAVY}/snapshot"))
        calls = [("PUT", f"{HEAVY}/snapshot", snapshot), ("POST", "/_sandbox/reset")]
        await asyncio.gather(*(visitor.ask(*call) for call in calls))
        return len(orjson.loads(await visitor.ask("GET", "/v1/apps/app_heavy/conversations"))["data"])

    assert asyncio.run(restored()) == 1


def test_the_garbage_collector_rests_while_threads_work() -> None:
    async def looks() -> list[bool]:
        short, long = threading.Event(), threading.Event()
        works = [asyncio.create_task(in_thread(event.wait)) for event in (short, long)]
        await asyncio.sleep(0)
        seen = [gc.isenabled()]
        for event, work in zip((short, long), works, strict=True):
            event.set()
            await work
            seen.append(gc.isenabled())
        return seen

    gc.enable()  # a server that could not start in this process may have left it off
    assert asyncio.run(looks()) == [False, False, True]
