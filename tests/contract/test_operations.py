"""The ten operations of the document, row by row of the contract's table."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.contract import load
from tests.contract.documents import nodes, row

CONTRACT = load()

ONE = "/v1/apps/{app_id}/conversations/{conversation_id}"
MANY = "/v1/apps/{app_id}/conversations"
OF_USER = "/v1/apps/{app_id}/users/{external_user_id}/conversations"
JSON, SPOKEN = {"application/json"}, {"application/json", "text/event-stream"}
PLAIN, LIMITED = {"401", "403", "404"}, {"401", "403", "404", "429"}
CHATS, TEXTS, APPS = "Conversations", "Completions", "Applications"
APP = "/v1/apps/{app_id}"
COMPLETIONS = f"{APP}/completions"

# Each row: operationId, method, path, body, answer, its media types, tag, the statuses that the vendor documents.
OPERATIONS = [
    row("2.1", "create_conversation", "POST", MANY, "ConversationCreateRequest", "Conversation", JSON, CHATS, PLAIN),
    row("2.2", "list_conversations", "GET", MANY, None, "ConversationList", JSON, CHATS, PLAIN),
    row("2.3", "list_user_conversations", "GET", OF_USER, None, "ConversationList", JSON, CHATS, PLAIN),
    row("2.4", "get_conversation", "GET", ONE, None, "ConversationDetail", JSON, CHATS, PLAIN),
    row("2.5", "update_conversation", "PATCH", ONE, "ConversationUpdateRequest", "Conversation", JSON, CHATS, PLAIN),
    row("2.6", "delete_conversation", "DELETE", ONE, None, "ConversationDeleteResponse", JSON, CHATS, PLAIN),
    row("2.7", "send_message", "POST", ONE, "SendMessageRequest", "MessageResponse", SPOKEN, CHATS, LIMITED),
    row(
        "2.8", "create_completion", "POST", COMPLETIONS, "CompletionRequest", "Completion", SPOKEN, TEXTS, LIMITED
    ),
    row("2.9", "get_app_config", "GET", f"{APP}/config", None, "AppConfig", JSON, APPS, PLAIN),
    row("2.10", "get_app_metrics", "GET", f"{APP}/metrics", None, "AppMetrics", JSON, APPS, PLAIN),
]  # fmt: skip


def test_there_are_ten_operations() -> None:
    assert sorted(op.id for op in CONTRACT.operations) == sorted(f"apps_api_{case.id}" for case in OPERATIONS)


@pytest.mark.parametrize(("name", "method", "path", "body", "answer", "media", "tag", "statuses"), OPERATIONS)
def test_an_operation_is_the_vendors(
    name: str, method: str, path: str, body: str | None, answer: str, media: set[str], tag: str, statuses: set[str]
) -> None:
    [op] = [op for op in CONTRACT.operations if op.id == f"apps_api_{name}"]
    item = CONTRACT.bundle["paths"][path.removeprefix("/v1")][method.lower()]
    assert (op.method, op.path, item["tags"]) == (method, path, [tag])
    assert item.get("requestBody", {}).get("required") is (True if body else None)
    assert _title(item.get("requestBody")) == body
    assert _title(item["responses"]["200"]) == answer
    assert set(op.responses["200"]) == media
    assert statuses <= set(op.responses)
    assert ("429" in op.responses) == ("429" in statuses)


def _title(body: dict[str, Any] | None) -> str | None:
    return body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1] if body else None


@pytest.mark.parametrize(
    "operation", [op.id for op in CONTRACT.operations if op.method == "GET" and op.query_parameters]
)
@pytest.mark.clause("5.4", "4.10")
def test_lists_take_four_parameters(operation: str) -> None:
    [op] = [op for op in CONTRACT.operations if op.id == operation]
    assert list(op.query_parameters) == ["limit", "order", "after", "before"]
    facts = op.query_schema.properties
    assert {key: facts["limit"][key] for key in ("minimum", "maximum", "default")} == {
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert (sorted(facts["order"]["enum"]), facts["order"]["default"]) == (["asc", "desc"], "desc")


def test_links_lead_from_creation_through_everything_else() -> None:
    """A stateful run starts at a creation: every operation on conversations has to be within its reach."""
    links = {
        node["operationId"]: {link["operationId"] for link in node["responses"]["200"].get("links", {}).values()}
        for _, node in nodes(CONTRACT.bundle["paths"])
        if "responses" in node
    }
    reached = {"apps_api_create_conversation"}
    while further := {target for name in reached for target in links[name]} - reached:
        reached |= further
    assert reached >= {name for name in links if "conversation" in name} | {"apps_api_send_message"}
