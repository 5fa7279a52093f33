"""The ten operations as methods: what a small client of the API looks like. Hides no answer.

Beside them stands what a test needs of the control API: settings and the time of the app.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tests.support.sse import Event, parse


class Transport(Protocol):
    """Whatever takes a request: the in-process client of `conftest.py` or the ASGI client of `asgi.py`."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send `request(method, url, json=..., params=...)` and return the answer."""
        ...


class Api:
    """One app of a server, as a client sees it."""

    def __init__(self, transport: Transport, app_id: str = "app_spec") -> None:
        self.transport = transport
        self.app_id = app_id

    def create(self, **body: Any) -> Any:
        return self._send("POST", "/conversations", body)

    def created(self, **body: Any) -> str:
        """Create a conversation and return its id."""
        return str(self.create(**body).json()["id"])

    def list(self, **query: Any) -> Any:
        return self._send("GET", "/conversations", **query)

    def list_of_user(self, user: str, **query: Any) -> Any:
        return self._send("GET", f"/users/{quoted(user)}/conversations", **query)

    def get(self, conversation_id: str) -> Any:
        return self._send("GET", f"/conversations/{conversation_id}")

    def items(self, conversation_id: str) -> Sequence[dict[str, Any]]:
        """Return what was said in a conversation."""
        return self.get(conversation_id).json()["items"]  # type: ignore[no-any-return]

    def roles(self, conversation_id: str) -> str:
        """Return who spoke in a conversation, a letter for each item: `uaua`."""
        return "".join(item["role"][0] for item in self.items(conversation_id))

    def update(self, conversation_id: str, **body: Any) -> Any:
        return self._send("PATCH", f"/conversations/{conversation_id}", body)

    def delete(self, conversation_id: str) -> Any:
        return self._send("DELETE", f"/conversations/{conversation_id}")

    def send(self, conversation_id: str, content: str, **body: Any) -> Any:
        return self._send("POST", f"/conversations/{conversation_id}", {"message": {"content": content}, **body})

    def stream(self, conversation_id: str, content: str, **body: Any) -> Sequence[Event]:
        """Send a message and return the events of its stream."""
        return parse(self.send(conversation_id, content, stream=True, **body).content)

    def complete(self, prompt: str, **body: Any) -> Any:
        return self._send("POST", "/completions", {"prompt": prompt, **body})

    def config(self) -> Any:
        return self._send("GET", "/config")

    def metrics(self) -> Any:
        return self._send("GET", "/metrics")

    def set(self, **settings: Any) -> None:
        """Change the app's settings, as its owner would."""
        answer = self.transport.request("PATCH", f"/_sandbox/apps/{self.app_id}", json=settings)
        assert answer.status_code == 200, answer.text

    def set_clock(self, now: int) -> None:
        """Let the app's time stand still at a second."""
        answer = self.transport.request("PUT", f"/_sandbox/apps/{self.app_id}/clock", json={"now": now})
        assert answer.status_code == 200, answer.text

    def url(self, conversation_id: str) -> str:
        """Return where a conversation stands."""
        return f"/v1/apps/{self.app_id}/conversations/{conversation_id}"

    def beside(self) -> Api:
        """Return another app of the same server."""
        return Api(self.transport, f"{self.app_id}_beside")

    def _send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.transport.request(method, f"/v1/apps/{self.app_id}{path}", json=body, params=query or None)


def quoted(segment: str) -> str:
    """Return a path segment with everything but letters and digits percent-encoded, dots too."""
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in segment.encode())


def texts(response: dict[str, Any]) -> str:
    """Return all the words of a Response."""
    return "\n".join(part["text"] for item in response["output"] for part in item.get("content", []))
