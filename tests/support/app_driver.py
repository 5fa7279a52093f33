"""Drives one app of a running sandbox: its API as an SDK uses it, its control calls as a test suite makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import httpx2

from tests.support.api import Api
from tests.support.raw_connection import RawConnection, full_request, head, post
from tests.support.request_spec import NOBODY, RequestSpec

APPS = "/_sandbox/apps"
REQUESTS = "/_sandbox/requests"
# The counts of an app that nobody has used.
NOTHING = {"conversations": 0, "messages": 0, "users": 0, "requests": 0}


class AppDriver:
    """One app and everything that hangs on it."""

    def __init__(self, client: httpx2.Client, app_id: str) -> None:
        self.client = client
        self.app_id = app_id
        self.api = Api(client, app_id)

    def call(self, method: str, path: str = "", body: Any = None) -> httpx2.Response:
        """Make a control call of this app."""
        return self.client.request(method, f"{APPS}/{self.app_id}{path}", json=body)

    def set(self, **settings: Any) -> httpx2.Response:
        """Change settings."""
        return self.call("PATCH", body=settings)

    @property
    def shown(self) -> dict[str, Any]:
        """The app as the control API shows it."""
        return self._good(self.call("GET"), 200)

    @property
    def settings(self) -> dict[str, Any]:
        return self.shown["settings"]  # type: ignore[no-any-return]

    @property
    def counts(self) -> dict[str, int]:
        return self.shown["counts"]  # type: ignore[no-any-return]

    def fault(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Queue a fault."""
        return self._good(self.call("POST", "/faults", {"kind": kind, **fields}), 201)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The faults that wait."""
        return self._good(self.call("GET", "/faults"), 200)["data"]  # type: ignore[no-any-return]

    def reply(self, *output: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """Script a reply."""
        return self._good(self.call("POST", "/replies", {"output": output, **fields}), 201)

    @property
    def replies(self) -> list[dict[str, Any]]:
        """The replies that wait."""
        return self._good(self.call("GET", "/replies"), 200)["data"]  # type: ignore[no-any-return]

    def freeze(self, now: int) -> None:
        """Let the app's time stand still."""
        self._good(self.call("PUT", "/clock", {"now": now}), 200)

    def advance(self, seconds: float) -> httpx2.Response:
        """Move the app's time on."""
        return self.call("POST", "/clock/advance", {"seconds": seconds})

    def requests(self, **query: Any) -> list[dict[str, Any]]:
        """Return the app's newest journal entries, newest first."""
        found = self.client.get(REQUESTS, params={"app_id": self.app_id, "limit": 100, **query})
        return self._good(found, 200)["data"]  # type: ignore[no-any-return]

    def verify(self, **wanted: Any) -> dict[str, Any]:
        """Hold the app's journal against what should have come."""
        body = {"app_id": self.app_id, **wanted}
        return self._good(self.client.post(f"{REQUESTS}/verify", json=body), 200)

    def post(self, path: str, body: object) -> AbstractContextManager[RawConnection]:
        """Post JSON to a path of the app over a connection of its own."""
        return post(str(self.client.base_url), f"/v1/apps/{self.app_id}{path}", body)

    def open_stream(self, text: str = "Hi", conversation: str | None = None) -> AbstractContextManager[RawConnection]:
        """Send a message, to a new conversation where none is given, whose reply comes as a stream."""
        path = f"/conversations/{conversation or self.api.created()}"
        return self.post(path, {"message": {"content": text}, "stream": True})

    def ask(self, spec: RequestSpec, conversation: str | None = None) -> httpx2.Response:
        """Send one of the good requests of the tests of the wire to this app, to a new conversation if it needs one."""
        if conversation is None and "{one}" in spec.path:
            conversation = self.api.created()
        url = spec.replace(app_id=self.app_id).url(conversation or NOBODY)
        return self.client.request(spec.method, url, headers=dict(spec.headers), content=spec.content)

    def entry(self, answer: Any) -> dict[str, Any]:
        """Return the journal's entry of an answer."""
        return entry(self.client, answer)

    def _good(self, answer: httpx2.Response, status: int) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        return answer.json()  # type: ignore[no-any-return]


def entry(client: httpx2.Client, answer: Any) -> dict[str, Any]:
    """Return the journal's entry of an answer, by the id that the answer carries."""
    found = client.get(f"{REQUESTS}/{answer.headers['sandbox-request-id']}")
    assert found.status_code == 200, found.text
    return found.json()  # type: ignore[no-any-return]


# Requests by hand, to see what becomes of a connection that a fault spoils.


def config_of(driver: AppDriver, *headers: str) -> bytes:
    """Return a request for the app's config: a small JSON answer, no body."""
    return head("GET", f"/v1/apps/{driver.app_id}/config", *headers)


def creation_in(driver: AppDriver, *headers: str, **body: Any) -> bytes:
    """Return a request that creates a conversation."""
    path = f"/v1/apps/{driver.app_id}/conversations"
    return full_request("POST", path, json.dumps(body).encode(), "Content-Type: application/json", *headers)


def message_to(driver: AppDriver, conversation: str, text: str, *headers: str, stream: bool = True) -> bytes:
    """Return a request that sends a message."""
    body = json.dumps({"message": {"content": text}, "stream": stream}).encode()
    return full_request("POST", driver.api.url(conversation), body, "Content-Type: application/json", *headers)
