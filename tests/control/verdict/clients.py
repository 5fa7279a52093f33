"""What the clients of the verdict's tables do, in pieces: each talks to one app as an SDK would."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx2

from tests.api.wire import asking
from tests.control.driver import World

TEXT_THEN_TOOL: list[Mapping[str, Any]] = [
    {"type": "message", "text": ""},
    {"type": "function_call", "name": "book_appointment", "arguments": {"date": "2026-03-03"}},
]


def tried(world: World, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response | None:
    """Send a request to the app; return None where the connection broke."""
    with suppress(httpx2.TransportError):
        return world.client.request(method, f"/v1/apps/{world.app_id}{path}", json=body, **more)
    return None


def create(world: World, title: str = "Once", **more: Any) -> httpx2.Response | None:
    """Create a conversation."""
    return tried(world, "POST", "/conversations", {"title": title}, **more)


def say(world: World, conversation: str, text: str = "Hello", **body: Any) -> httpx2.Response | None:
    """Send a message."""
    return tried(world, "POST", f"/conversations/{conversation}", {"message": {"content": text}, **body})


def leave(world: World, conversation: str, mark: bytes, text: str = "Hello") -> None:
    """Open a stream that takes its time, read as far as `mark`, and leave; return when the server knows."""
    before = len(world.requests())
    body = {"message": {"content": text}, "stream": True}
    with asking(str(world.client.base_url).rstrip("/"), world.api.url(conversation), body) as stream:
        stream.until(mark)
    while len(world.requests()) == before:
        pass


def give_up(world: World, path: str, body: Any) -> None:
    """Post something, and leave before any answer has come; return when the server knows."""
    before = len(world.requests())
    with asking(str(world.client.base_url).rstrip("/"), f"/v1/apps/{world.app_id}{path}", body):
        pass
    while len(world.requests()) == before:
        pass


def judged(world: World) -> Mapping[str, Any]:
    """Return the verdict on the app's client, as soon as none of its requests is under way any more."""
    while any(row["ended"] is None for row in world.requests()):
        pass
    answer = world.call("GET", "/verdict")
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def rules(world: World) -> list[str]:
    """Return the rules that the app's client broke."""
    return [finding["rule"] for finding in judged(world)["findings"]]
