"""The schemas, held against the contract's sentences by values that fit and values that don't."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.contract import load
from tests.contract.documents import row

CONTRACT = load()

# Each row: title, the smallest valid value, the optional fields with a valid value, those that may be null.
SHAPES = [
    row(
        "3.1",
        "ConversationCreateRequest",
        {},
        {"external_user_id": "u", "title": "t", "metadata": {"a": [1]}},
        {"external_user_id", "title", "metadata"},
    ),
    row(
        "3.2",
        "Conversation",
        {"id": "x", "created_at": 0},
        {
            "object": "conversation",
            "external_user_id": "u",
            "title": "t",
            "generated_title": {"en-ca": "a"},
            "metadata": {},
        },
        {"external_user_id", "title", "generated_title", "metadata"},
    ),
    row("3.3", "ConversationDetail", {"id": "x", "created_at": 0}, {"items": [], "title": "t"}, {"title"}),
    row(
        "3.4", "ConversationItem", {"id": "x", "role": "user", "created_at": 0}, {"type": "message", "parts": []}, set()
    ),
    row("3.4", "TextPart", {"text": ""}, {"type": "text"}, set()),
    row(
        "3.4",
        "ToolCallPart",
        {"toolCallId": "x", "toolName": "a_b1"},
        {"type": "tool-call", "input": {}, "output": {}},
        {"output"},
    ),
    row(
        "3.4",
        "DataSpecPart",
        {"data": {"type": "patch", "patch": {"op": "add", "path": "/root", "value": 1}}},
        {"type": "data-spec"},
        set(),
    ),
    row("3.5", "ConversationUpdateRequest", {}, {"title": ""}, {"title"}),
    row("3.6", "ConversationDeleteResponse", {"id": "x"}, {"object": "conversation", "deleted": True}, set()),
    row(
        "3.7",
        "ConversationList",
        {"data": []},
        {"object": "list", "first_id": "a", "last_id": "b", "has_more": False},
        {"first_id", "last_id"},
    ),
    row(
        "3.8",
        "SendMessageRequest",
        {"message": {"content": ""}},
        {"stream": True, "metadata": {}},
        {"stream", "metadata"},
    ),
    row(
        "3.9",
        "MessageResponse",
        {"id": "resp_1", "created_at": 0, "conversation_id": "x"},
        {"object": "response", "output": [], "status": "failed"},
        set(),
    ),
    row(
        "3.11",
        "CompletionRequest",
        {"prompt": "x"},
        {"stream": False, "knowledge_search": True, "fast": False, "metadata": {}},
        {"stream", "metadata"},
    ),
    row(
        "3.12",
        "Completion",
        {"id": "cmpl_1", "created_at": 0, "text": ""},
        {"object": "completion", "status": "completed"},
        set(),
    ),
    row(
        "3.13", "AppConfig", {"app_id": "a", "stream": True, "generative_ui": False, "agent": {"config": {}}}, {}, set()
    ),
    row("3.14", "AppMetrics", {"total_conversations": 0, "total_messages": 0, "total_users": 0}, {}, set()),
    row("3.15", "ErrorResponse", {"error": {"message": "m", "type": "t"}}, {}, set()),
]


@pytest.mark.parametrize(("title", "least", "optional", "nullable"), SHAPES)
def test_a_schema_takes_what_the_clause_says(
    title: str, least: dict[str, Any], optional: dict[str, Any], nullable: set[str]
) -> None:
    law = CONTRACT.schema(title)
    assert law.is_valid(least)
    assert law.is_valid({**least, **optional})
    assert [name for name in least if law.is_valid({key: least[key] for key in least if key != name})] == []
    assert {name for name in {**least, **optional} if law.is_valid({**least, name: None})} == nullable
    assert law.is_valid({**least, "a_field_nobody_knows": 1})


# Each row: a schema and a value that the clause rules out, or not.
EDGES = [
    row("3.2", "Conversation", {"id": "x", "created_at": 1.5}, False),
    row("3.2", "Conversation", {"id": "x", "created_at": 1, "object": "chat"}, False),
    row("3.2", "Conversation", {"id": "x", "created_at": 1, "generated_title": {"en-ca": 5}}, False),
    row("3.4", "ConversationItem", {"id": "x", "created_at": 1, "role": "system"}, False),
    row("3.4", "ConversationItem", {"id": "x", "created_at": 1, "role": "user", "parts": [{"type": "image"}]}, False),
    row("3.6", "ConversationDeleteResponse", {"id": "x", "deleted": False}, False),
    row("3.8", "SendMessageRequest", {"message": {"content": "x", "role": "user"}}, True),
    row("3.8", "SendMessageRequest", {"message": {"content": "x", "role": "assistant"}}, False),
    row("3.8", "SendMessageRequest", {"message": "x"}, False),
    row("3.9", "MessageResponse", {"id": "resp_1", "created_at": 0, "conversation_id": "x", "status": "queued"}, False),
    row(
        "3.10",
        "ResponseOutputItem",
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": ""}]},
        True,
    ),
    row(
        "3.10",
        "ResponseOutputItem",
        {"type": "function_call", "name": "a", "arguments": None, "call_id": "call_1"},
        True,
    ),
    row(
        "3.10",
        "ResponseOutputItem",
        {"type": "function_call", "name": "a", "arguments": {}, "call_id": "call_1"},
        False,
    ),
    row("3.10", "ResponseOutputItem", {"type": "image"}, False),
    row("3.11", "CompletionRequest", {"prompt": ""}, False),
    row("3.11", "CompletionRequest", {"prompt": "é" * 32_000}, True),
    row("3.11", "CompletionRequest", {"prompt": "\U0001f600" * 32_000}, True),
    row("3.11", "CompletionRequest", {"prompt": "x" * 32_001}, False),
    row("3.13", "AppConfig", {"app_id": "a", "stream": True, "generative_ui": True, "agent": {}}, False),
    row("8.1", "ToolCallPart", {"toolCallId": "x", "toolName": "Find-Policy"}, False),
    row("8.1", "ToolCallPart", {"toolCallId": "x", "toolName": "find_policy2"}, True),
    row("7.1", "DataSpec", {"type": "patch", "patch": {"op": "add", "path": "/elements/a~1b", "value": {}}}, True),
    row("7.1", "DataSpec", {"type": "patch", "patch": {"op": "add", "path": "root", "value": {}}}, False),
    row("7.1", "DataSpec", {"type": "patch", "patch": {"op": "insert", "path": "/root", "value": {}}}, False),
]


@pytest.mark.parametrize(("title", "value", "valid"), EDGES)
def test_where_a_schema_draws_the_line(title: str, value: Any, valid: bool) -> None:
    assert CONTRACT.schema(title).is_valid(value) is valid
