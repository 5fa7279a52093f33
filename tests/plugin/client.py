"""A client as small as can be, for tests of the plugin that drive an app."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pytest_dimedove import DimedoveApp


class Client:
    """Speaks to one app over one connection."""

    def __init__(self, app: DimedoveApp) -> None:
        place = urlsplit(app.base_url)
        assert place.hostname
        self._connection = HTTPConnection(place.hostname, place.port)
        self._path = f"{place.path}/apps/{app.app_id}"
        self._headers = {"Authorization": f"Bearer {app.api_key}", "Content-Type": "application/json"}

    def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request and return the answer's status and JSON."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, self._path + path, data, self._headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def create(self, **body: object) -> Any:
        """Create a conversation."""
        return self.send("POST", "/conversations", body)[1]

    def say(self, text: str) -> Any:
        """Say something in a new conversation and return the output of the reply."""
        conversation = self.create()
        return self.send("POST", f"/conversations/{conversation['id']}", {"message": {"content": text}})[1]["output"]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
