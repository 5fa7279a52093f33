"""Clients of a server whose texts a model writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox import Settings, create_app
from sandbox.sandbox import Sandbox
from tests.support.answer import Answer
from tests.support.chat_endpoint import ChatEndpoint, chat_endpoint
from tests.support.constants import KEY, NOW
from tests.support.in_process import AsgiClient


class Chat:
    """One app of such a server."""

    def __init__(self, sandbox: Sandbox, client: AsgiClient, app_id: str = "app_x") -> None:
        self.sandbox = sandbox
        self.client = client
        self.app_id = app_id

    def begin(self, **body: Any) -> str:
        """Begin a conversation; return its path."""
        path = f"/v1/apps/{self.app_id}/conversations"
        return f"{path}/{self.client.request('POST', path, json=body).json()['id']}"

    def set(self, **settings: Any) -> None:
        assert self.client.request("PATCH", f"/_sandbox/apps/{self.app_id}", json=settings).status_code == 200

    def send(self, text: str, path: str | None = None, *, stream: bool = False, **more: Any) -> Answer:
        """Send a message, in a new conversation unless one is named."""
        body = {"message": {"content": text}, "stream": stream}
        return self.client.request("POST", path or self.begin(), json=body, **more)

    def say(self, text: str, path: str | None = None) -> str:
        """Return the text of the reply to a message."""
        [item] = self.send(text, path).json()["output"]
        return str(item["content"][0]["text"])

    def complete(self, prompt: str, **body: Any) -> Answer:
        return self.client.request("POST", f"/v1/apps/{self.app_id}/completions", json={"prompt": prompt, **body})

    def warnings(self) -> list[str]:
        """Return the warnings of the newest request in the journal."""
        query = {"app_id": self.app_id, "limit": "1"}
        [entry] = self.client.request("GET", "/_sandbox/requests", params=query).json()["data"]
        return list(entry["warnings"])


MakeChat = Callable[..., Chat]


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    with chat_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def make_chat(endpoint: ChatEndpoint) -> Iterator[MakeChat]:
    """Return a factory: an app of a server of its own, with the endpoint as its model unless settings say otherwise."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Chat:
            model = {"model": "small", "model_url": endpoint.url}
            sandbox = create_app(Settings(**{"now": NOW, **model, **settings}))
            stack.callback(sandbox.stop)
            # One whose timers take their time.
            loop = asyncio.SelectorEventLoop()
            stack.callback(loop.close)
            return Chat(sandbox, AsgiClient(sandbox, loop, KEY))

        yield make


@pytest.fixture
def chat(make_chat: MakeChat) -> Chat:
    return make_chat()
