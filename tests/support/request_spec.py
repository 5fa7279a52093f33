"""One good request for each operation: what the tests of the wire start from, and spoil."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from httpx2 import Client

from sandbox.contract import load
from tests.support.constants import AUTH

NOBODY = "00000000-0000-4000-8000-000000000000"
OPERATIONS = {operation.id.removeprefix("apps_api_"): operation for operation in load().operations}


@dataclass(frozen=True, kw_only=True)
class RequestSpec:
    """One request to an app; `{one}` in its path stands for a conversation that the app has."""

    operation: str
    method: str
    path: str
    app_id: str = "app_wire"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: dict(AUTH))
    content: bytes | None = None

    @property
    def takes_body(self) -> bool:
        return OPERATIONS[self.operation].body is not None

    def replace(self, **changes: Any) -> RequestSpec:
        """Return the same request with something else in its place."""
        return replace(self, **changes)

    def with_headers(self, **headers: str) -> RequestSpec:
        """Return the same request with other headers on top; underscores stand for hyphens."""
        return self.replace(
            headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        )

    def saying(self, value: Any) -> RequestSpec:
        """Return the same request with another JSON body."""
        return self.replace(content=json.dumps(value).encode())

    def url(self, conversation_id: str = NOBODY) -> str:
        return f"/v1/apps/{self.app_id}{self.path.replace('{one}', conversation_id)}{self.query}"

    def send(self, client: Client, conversation_id: str | None = None) -> Any:
        """Send it, to a new conversation of the app if it needs one and none is given."""
        if conversation_id is None:
            conversation_id = opened(client, self.app_id) if "{one}" in self.path else NOBODY
        return client.request(self.method, self.url(conversation_id), headers=dict(self.headers), content=self.content)


def opened(client: Client, app_id: str) -> str:
    """Open a conversation, if the app lets us, and return its id."""
    answer = client.post(f"/v1/apps/{app_id}/conversations", json={}, headers=AUTH)
    return str(answer.json()["id"]) if answer.status_code == 200 else NOBODY


def _spec(operation: str, method: str, path: str, body: Any = None) -> tuple[str, RequestSpec]:
    content = None if body is None else json.dumps(body).encode()
    return operation, RequestSpec(operation=operation, method=method, path=path, content=content)


GOOD: Mapping[str, RequestSpec] = dict(
    [
        _spec("create_conversation", "POST", "/conversations", {"title": "Support inquiry"}),
        _spec("list_conversations", "GET", "/conversations"),
        _spec("list_user_conversations", "GET", "/users/user_abc123/conversations"),
        _spec("get_conversation", "GET", "/conversations/{one}"),
        _spec("update_conversation", "PATCH", "/conversations/{one}", {"title": "Claim"}),
        _spec("delete_conversation", "DELETE", "/conversations/{one}"),
        _spec("send_message", "POST", "/conversations/{one}", {"message": {"content": "Hello"}}),
        _spec("create_completion", "POST", "/completions", {"prompt": "Hello"}),
        _spec("get_app_config", "GET", "/config"),
        _spec("get_app_metrics", "GET", "/metrics"),
    ]
)
WITH_BODY = {name: spec for name, spec in GOOD.items() if spec.takes_body}
WITHOUT_BODY = {name: spec for name, spec in GOOD.items() if not spec.takes_body}
LISTS = {name: spec for name, spec in GOOD.items() if name.startswith("list_")}
ON_ONE = {name: spec for name, spec in GOOD.items() if "{one}" in spec.path}
LIMITED = {name: GOOD[name] for name in ("send_message", "create_completion")}
