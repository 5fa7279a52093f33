"""What a request leaves behind: nothing that waits for the garbage collector, and of a long stream a part at most."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakSet

import orjson
import pytest
import uvicorn

from sandbox import create_app
from sandbox.server.protocol import SandboxProtocol
from tests.support.in_process import Visitor
from tests.support.raw_connection import full_request

APP = "/v1/apps/app_a"
CONVERSATIONS = f"{APP}/conversations"
FAULTS = (
    *("status; status=500", "after; status=500", "latency; ms=1", "hang; ms=1", "reset", "stale", "truncate"),
    *("malformed", "contract", "no such kind"),
)
STREAM_FAULTS = ("stream_cut", "stream_stall; ms=1", "stream_fail", "stream_garble")


async def every_way(visitor: Visitor) -> dict[str, Callable[[], Coroutine[Any, Any, bytes]]]:
    """Return requests of every kind that one may leave something behind of."""
    conversation = f"{CONVERSATIONS}/{orjson.loads(await visitor.ask('POST', CONVERSATIONS, {}))['id']}"
    message = {"message": {"content": "[[long 100]]"}}
    stream = {**message, "stream": True}
    ask = visitor.ask
    return {
        "create": lambda: ask("POST", CONVERSATIONS, {}),
        "get": lambda: ask("GET", conversation),
        "list": lambda: ask("GET", CONVERSATIONS),
        "send": lambda: ask("POST", conversation, message),
        "stream": lambda: ask("POST", conversation, stream),
        "left": lambda: ask("POST", conversation, stream, leave=20),
        "left silent": lambda: ask("POST", conversation, stream, fault="stream_stall; ms=60000; events=3", leave=4),
        "404": lambda: ask("GET", f"{CONVERSATIONS}/none"),
        "405": lambda: ask("HEAD", CONVERSATIONS),
        "422": lambda: ask("POST", conversation, {"message": 1}),
        "live events left": lambda: ask("GET", "/_sandbox/events", leave=2),
        "control": lambda: ask("GET", "/_sandbox/apps/app_a"),
        **{fault: lambda fault=fault: ask("POST", conversation, message, fault=fault) for fault in FAULTS},  # type: ignore[misc]
        **{fault: lambda fault=fault: ask("POST", conversation, stream, fault=fault) for fault in STREAM_FAULTS},  # type: ignore[misc]
    }


def test_no_request_leaves_anything_to_the_garbage_collector() -> None:
    async def left() -> dict[str, int]:
        ways = await every_way(Visitor(create_app()))
        found: dict[str, int] = {}
        for way in ways.values():  # at the first time modules are loaded
            await way()
        gc.collect()
        # What is there by now is looked through no more: that would take seconds each time.
        gc.freeze()
        for name, way in ways.items():
            for _ in range(5):
                await way()
            found[name] = gc.collect()
        return {name: count for name, count in found.items() if count}

    gc.disable()
    try:
        assert asyncio.run(left()) == {}
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_closed_connection_is_gone_at_once() -> None:
    connections = WeakSet[SandboxProtocol]()

    async def served() -> None:
        config = uvicorn.Config(create_app(), log_config=None, lifespan="off", ws="none")
        config.load()
        state = uvicorn.Server(config).server_state

        def connected() -> SandboxProtocol:
            connections.add(protocol := SandboxProtocol(config, state, {}))
            return protocol

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
        # With the last one the journal takes in what came.
        for method, path in [("POST", CONVERSATIONS)] * 5 + [("GET", "/_sandbox/requests")]:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(full_request(method, path, b"{}", "Connection: close"))
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            await writer.wait_closed()
        server.close()

    gc.disable()
    try:
        asyncio.run(served())
        assert list(connections) == []
    finally:
        gc.enable()


@pytest.mark.parametrize("text", ["[[long 20000]]", "[[long 20000]] Bonjour, je voudrais un rendez-vous"])
def test_a_long_stream_takes_little_memory_while_it_is_sent(text: str) -> None:
    """A reader that stops reading holds what is there then: the text, and what the journal keeps of the stream."""

    async def streamed() -> int:
        visitor = Visitor(create_app())
        conversation = f"{CONVERSATIONS}/{orjson.loads(await visitor.ask('POST', CONVERSATIONS, {}))['id']}"
        body = {"message": {"content": text}, "stream": True}
        await visitor.ask("POST", conversation, body, leave=2)
        tracemalloc.start()
        await visitor.ask("POST", conversation, body, leave=15_000)
        return tracemalloc.get_traced_memory()[1]

    try:
        assert asyncio.run(streamed()) < 3_000_000
    finally:
        tracemalloc.stop()
