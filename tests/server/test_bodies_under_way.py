"""How many bytes of bodies are held for requests that are under way: those who send for ever fill no memory."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message

from sandbox import create_app
from tests.support.in_process import Visitor, scope_of

PATH = "/v1/apps/app_a/conversations"
MIB = 1024 * 1024
# All clients send the same object: nothing of it is copied before a body is whole.
PIECE = b" " * (MIB - 1)


async def upload(app: ASGIApp, rest: asyncio.Event, path: str = PATH, method: str = "POST") -> int:
    """Send most of a body of a mebibyte, wait until the rest comes, and return the status of the answer."""
    unread, statuses = [PIECE], list[int]()

    async def receive() -> Message:
        if not unread:
            await rest.wait()
        return {"type": "http.request", "body": unread.pop() if unread else b"!", "more_body": not rest.is_set()}

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer sk_test_demo"), (b"content-length", b"%d" % MIB)]
    await app(scope_of(method, path, path.encode(), b"", headers), receive, send)
    return statuses[0]


def test_bodies_that_do_not_end_are_bounded_and_small_ones_get_through() -> None:
    async def statuses() -> list[object]:
        app, rest = create_app(), asyncio.Event()
        held = [asyncio.create_task(upload(app, rest)) for _ in range(255)]
        held += [asyncio.create_task(upload(app, rest, "/_sandbox/apps/app_a/snapshot", "PUT")) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)  # all of them come as far as they can
        refused = [task.result() for task in held if task.done()]
        small = await Visitor(app).ask("POST", PATH, {})
        rest.set()
        await asyncio.wait(held)
        return [refused, b'"conversation"' in small, await upload(app, rest)]

    # Of all that was held nothing is counted any more.
    assert asyncio.run(statuses()) == [[503, 503], True, 422]
