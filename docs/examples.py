"""Makes the examples of answers in schemas/openapi.json: what a server with default settings, frozen at NOW, answers.

Each is asked for on a server as after its start, so the ids in them are those of `app_demo` on every server that has
the default seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from sandbox import Settings, create_app
from sandbox.contract import load

DOCUMENT = Path(__file__).parent.parent / "schemas" / "openapi.json"
NOW = 1_786_017_600

_KEY = "sk_test_demo"
# An id of no conversation.
_UNKNOWN = "6f9c2d1e-4b7a-4c35-9e02-8d5f1a7b3c64"
_START = '\n    "examples": '


class Ask(NamedTuple):
    """One request: `{conversation_id}` and `{external_user_id}` are the examples that the parameters have."""

    method: str
    path: str
    body: str | bytes = ""
    key: str = _KEY
    app: str = "app_demo"
    media_type: str = "application/json"


_IDS = ("conversation_id", "external_user_id")
_ONE = "/conversations/{conversation_id}"
_THEIRS = "/users/{external_user_id}/conversations"

# A body is the name of a request's example, or bytes.
REQUESTS: Mapping[str, Ask] = {
    "Conversation": Ask("POST", "/conversations", "CreateForUser"),
    "ConversationWithoutValues": Ask("POST", "/conversations", "CreateEmpty"),
    "RenamedConversation": Ask("PATCH", _ONE, "SetTitle"),
    "ConversationDetail": Ask("GET", _ONE),
    "ConversationPage": Ask("GET", "/conversations?limit=2"),
    "UserConversationPage": Ask("GET", f"{_THEIRS}?limit=1"),
    "EmptyPage": Ask("GET", "/users/nobody/conversations"),
    "Deleted": Ask("DELETE", _ONE),
    "Reply": Ask("POST", _ONE, "AskForJson"),
    "ReplyWithCalls": Ask("POST", _ONE, "AskForTool"),
    "FailedReply": Ask("POST", _ONE, "AskToFail"),
    "ReplyStream": Ask("POST", _ONE, "AskForStream"),
    "Completion": Ask("POST", "/completions", "Prompt"),
    "FailedCompletion": Ask("POST", "/completions", "PromptToFail"),
    "CompletionStream": Ask("POST", "/completions", "PromptForStream"),
    "AppConfig": Ask("GET", "/config"),
    "AppMetrics": Ask("GET", "/metrics"),
    "InvalidApiKey": Ask("GET", "/config", key="sk_test_invalid"),
    "PublishableKey": Ask("GET", "/config", key="pk_test_demo"),
    "AccessDenied": Ask("GET", "/config", key="sk_test_denied"),
    "AppInactive": Ask("GET", "/config", app="app_inactive"),
    "AgentUnavailable": Ask("GET", "/config", app="app_no_agent"),
    "NotFound": Ask("GET", f"/conversations/{_UNKNOWN}"),
    "UnknownCursor": Ask("GET", f"/conversations?after={_UNKNOWN}"),
    "PayloadTooLarge": Ask("POST", "/completions", b" " * (1024 * 1024 + 1)),
    "UnsupportedMediaType": Ask("POST", "/completions", b"prompt=Hello", media_type="text/plain"),
    "WrongType": Ask("POST", _ONE, b'{"message": {"content": 5}}'),
    "MissingField": Ask("POST", _ONE, b"{}"),
    "InvalidJson": Ask("POST", _ONE, b'{"message": }'),
    "OutOfRange": Ask("GET", "/conversations?limit=0"),
    "Conflict": Ask("GET", "/conversations?after={conversation_id}&before={conversation_id}"),
    "TooLong": Ask("GET", f"/users/{'x' * 1_001}/conversations"),
    "RateLimitExceeded": Ask("POST", "/completions", "Prompt", key="sk_test_limited"),
    "InternalError": Ask("GET", "/config", app="app_error"),
}


def answers() -> dict[str, Any]:
    """Return the value of each example: JSON, or the text of a stream."""
    client = _client()
    ids = newest(client)
    return {name: _answer(client, request, ids) for name, request in REQUESTS.items()}


def _client() -> TestClient:
    return TestClient(create_app(Settings(now=NOW)), base_url="http://127.0.0.1")


def newest(client: TestClient) -> dict[str, str]:
    """Return the examples of the path's parameters: the newest conversation of `app_demo`, and whose it is."""
    response = client.get("/v1/apps/app_demo/conversations?limit=1", headers={"Authorization": f"Bearer {_KEY}"})
    [conversation] = response.json()["data"]
    return {"conversation_id": conversation["id"], "external_user_id": conversation["external_user_id"]}


def described() -> dict[str, str]:
    """Return the examples of the path's parameters that the document has."""
    parameters = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["parameters"]
    return {each["name"]: each["example"] for each in parameters.values() if each["name"] in _IDS}


def write() -> None:
    """Write the examples of answers into schemas/openapi.json, and the ids in them into all schemas of the API."""
    old, new = described(), newest(_client())
    for path in (path for path in DOCUMENT.parent.rglob("*.json") if "control" not in path.parts):
        text = path.read_text(encoding="utf-8")
        for name in _IDS:
            text = text.replace(old[name], new[name])
        path.write_text(text, encoding="utf-8")
    DOCUMENT.write_text(_with_examples(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


def _with_examples(text: str) -> str:
    """Return schemas/openapi.json with its examples made anew; they are the last part of it."""
    head, _, _ = text.rpartition(_START)
    examples = {**json.loads(text)["components"]["examples"]}
    for name, value in answers().items():
        summary = {key: part for key, part in examples.get(name, {}).items() if key == "summary"}
        examples[name] = {**summary, "serializedValue" if isinstance(value, str) else "value": value}
    block = json.dumps(examples, indent=2, ensure_ascii=False).replace("\n", "\n    ")
    return f"{head}{_START}{block}\n  }}\n}}\n"


def _answer(client: TestClient, request: Ask, ids: Mapping[str, str]) -> Any:
    body = request.body if isinstance(request.body, bytes) else _example(request.body)
    client.post("/_sandbox/reset").raise_for_status()
    # The demo app writes at the pace of a real agent, and no example shows when its events came.
    client.patch("/_sandbox/apps/app_demo", json={"pace": {"first_ms": 0, "delta_ms": 0}}).raise_for_status()
    answer = client.request(
        request.method,
        f"/v1/apps/{request.app}{request.path.format(**ids)}",
        content=body,
        headers={"Authorization": f"Bearer {request.key}", "Content-Type": request.media_type},
    )
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


def _example(name: str) -> bytes:
    return json.dumps(load().bundle["components"]["examples"][name]["value"]).encode() if name else b""
