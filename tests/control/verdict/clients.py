"""What the clients of the verdict's tables do, in pieces: each talks to one app as an SDK would."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx2

from tests.support.app_driver import AppDriver

TEXT_THEN_TOOL: list[Mapping[str, Any]] = [
    {"type": "message", "text": ""},
    {"type": "function_call", "name": "book_appointment", "arguments": {"date": "2026-03-03"}},
]


def tried(driver: AppDriver, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response | None:
    """Send a request to the app; return None where the connection broke."""
    with suppress(httpx2.TransportError):
        return driver.client.request(method, f"/v1/apps/{driver.app_id}{path}", json=body, **more)
    return None


def create(driver: AppDriver, title: str = "Once", **more: Any) -> httpx2.Response | None:
    """Create a conversation."""
    return tried(driver, "POST", "/conversations", {"title": title}, **more)


def say(driver: AppDriver, conversation: str, text: str = "Hello", **body: Any) -> httpx2.Response | None:
    """Send a message."""
    return tried(driver, "POST", f"/conversations/{conversation}", {"message": {"content": text}, **body})


def leave(driver: AppDriver, conversation: str, mark: bytes, text: str = "Hello") -> None:
    """Open a stream that takes its time, read as far as `mark`, and leave; return when the server knows."""
    before = len(driver.requests())
    with driver.open_stream(text, conversation) as stream:
        stream.read_until(mark)
    while len(driver.requests()) == before:
        pass


def give_up(driver: AppDriver, path: str, body: Any) -> None:
    """Post something, and leave once the server has read it, before any answer; the server is told to `hang`."""
    before = len(driver.requests())
    with driver.post(path, body):
        while len(rows := driver.requests()) == before or rows[0]["body"] != body:
            pass


def judged(driver: AppDriver) -> Mapping[str, Any]:
    """Return the verdict on the app's client, as soon as none of its requests is under way any more."""
    while any(row["ended"] is None for row in driver.requests()):
        pass
    answer = driver.call("GET", "/verdict")
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def rules(driver: AppDriver) -> list[str]:
    """Return the rules that the app's client broke."""
    return [finding["rule"] for finding in judged(driver)["findings"]]
