"""What a person's program sends to the sandbox while the inspector watches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


@dataclass(frozen=True)
class Client:
    """Calls a server; errors are answers like any other."""

    url: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send one request and return its status and its body: JSON where it is, else text."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer sk_test_client", "Content-Type": "application/json"}
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own server
        try:
            with urlopen(request) as answer:  # noqa: S310 - our own server
                status, raw = answer.status, answer.read()
        except HTTPError as error:
            status, raw = error.code, error.read()
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw.decode()

    def create(self, app: str, **body: Any) -> str:
        """Create a conversation and return its id."""
        _, conversation = self.call("POST", f"/v1/apps/{app}/conversations", body)
        return str(conversation["id"])

    def say(self, app: str, conversation: str, content: str, *, stream: bool = False) -> None:
        """Send a message."""
        path = f"/v1/apps/{app}/conversations/{conversation}"
        self.call("POST", path, {"message": {"content": content}, "stream": stream})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API."""
        return self.call(method, f"/_sandbox{path}", body)[1]
