"""What stays of a connection when it is over: nothing, and nothing waits for the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from weakref import ref

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from sandbox.server.protocol import SandboxProtocol
from tests.support.raw_connection import TIMEOUT, full_request, head

CONFIG, CREATE = "/v1/apps/app_memory/config", "/v1/apps/app_memory/conversations"
LAST = "Connection: close"

SENT = {
    "a request": head("GET", CONFIG, LAST),
    "many, and nobody reads": head("GET", CONFIG) * 1_000,
    "many, then what is no request": head("GET", CONFIG) * 10 + b"\x00\r\n\r\n",
    "half a head": head("GET", CONFIG)[:-2],
    "half a body": full_request("POST", CREATE, b"{}")[:-1],
    "an offer to upgrade": full_request("POST", CREATE, b"{}", f"{LAST}, Upgrade", "Upgrade: h2c"),
    "a question first": head("POST", CREATE, LAST, "Content-Length: 2", "Expect: 100-continue"),
    "trailers": head("POST", CREATE, LAST, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\nA: b\r\n\r\n",
    "too much": head("GET", CONFIG, *["A: b"] * 1_000),
    "HTTP/1.0": head("GET", CONFIG, version="1.0"),
}


async def hearing_out(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def left_of(sent: bytes) -> None:
    """Serve one client that hangs up; return when nothing is left of its connection."""
    config = uvicorn.Config(hearing_out, ws="none", lifespan="off", log_config=None)
    loop = asyncio.get_running_loop()
    held = []

    def connected() -> SandboxProtocol:
        protocol = SandboxProtocol(config, ServerState(), {}, loop)
        held.append(ref(protocol))
        return protocol

    async with await loop.create_server(connected, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        await until(lambda: bool(held))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        await until(lambda: held[0]() is None)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not holds():  # noqa: ASYNC110 - that memory is given back is no event
            await asyncio.sleep(0)


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_a_connection_that_is_over_is_gone(sent: bytes) -> None:
    gc.disable()
    try:
        asyncio.run(left_of(sent))
    finally:
        gc.enable()
