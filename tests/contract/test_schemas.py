"""The schemas, held against the contract's sentences by values that fit and values that don't."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.contract import load

CONTRACT = load()

# Each row: title, the smallest valid value, the optional fields with a valid value, those that may be null.
SHAPES: list[tuple[str, str, dict[str, Any], dict[str, Any], set[str]]] = [
    (
        "3.1",
        "ConversationCreateRequest",
        {},
        {"external_user_id": "u", "title": "t", "metadata": {"a": [1]}},
        {"external_user_id", "title", "metadata"},
    ),
    (
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
    ("3.3", "ConversationDetail", {"id": "x", "created_at": 0}, {"items": [], "title": "t"}, {"title"}),
    ("3.4", "ConversationItem", {"id": "x", "role": "user", "created_at": 0}, {"type": "message", "parts": []}, set()),
    ("3.4", "TextPart", {"text": ""}, {"type": "text"}, set()),
    (
        "3.4",
        "ToolCallPart",
        {"toolCallId": "x", "toolName": "a_b1"},
        {"type": "tool-call", "input": {}, "output": {}},
        {"output"},
    ),
    (
        "3.4",
        "DataSpecPart",
        {"data": {"type": "patch", "patch": {"op": "add", "path": "/root", "value": 1}}},
        {"type": "data-spec"},
        set(),
    ),
    ("3.5", "ConversationUpdateRequest", {}, {"title": ""}, {"title"}),
    ("3.6", "ConversationDeleteResponse", {"id": "x"}, {"object": "conversation", "deleted": True}, set()),
    (
        "3.7",
        "ConversationList",
        {"data": []},
        {"object": "list", "first_id": "a", "last_id": "b", "has_more": False},
        {"first_id", "last_id"},
    ),
    (
        "3.8",
        "SendMessageRequest",
        {"message": {"content": ""}},
        {"stream": True, "metadata": {}},
        {"stream", "metadata"},
    ),
    (
        "3.9",
        "MessageResponse",
        {"id": "resp_1", "created_at": 0, "conversation_id": "x"},
        {"object": "response", "output": [], "status": "failed"},
        set(),
    ),
    (
        "3.11",
        "CompletionRequest",
        {"prompt": "x"},
        {"stream": False, "knowledge_search": True, "fast": False, "metadata": {}},
        {"stream", "metadata"},
    ),
    (
        "3.12",
        "Completion",
        {"id": "cmpl_1", "created_at": 0, "text": ""},
        {"object": "completion", "status": "completed"},
        set(),
    ),
    ("3.13", "AppConfig", {"app_id": "a", "stream": True, "generative_ui": False, "agent": {"config": {}}}, {}, set()),
    ("3.14", "AppMetrics", {"total_conversations": 0, "total_messages": 0, "total_users": 0}, {}, set()),
    ("3.15", "ErrorResponse", {"error": {"message": "m", "type": "t"}}, {}, set()),
]


@pytest.mark.clause(*{clause for clause, *_ in SHAPES})
def test_a_schema_takes_what_the_clause_says(subtests: pytest.Subtests) -> None:
    for clause, title, least, optional, nullable in SHAPES:
        with subtests.test(clause, title=title):
            validator = CONTRACT.schema(title)
            assert validator.is_valid(least)
            assert validator.is_valid({**least, **optional})
            assert [
                name for name in least if validator.is_valid({key: least[key] for key in least if key != name})
            ] == []
            assert {name for name in {**least, **optional} if validator.is_valid({**least, name: None})} == nullable
            assert validator.is_valid({**least, "a_field_nobody_knows": 1})


# Each row: a schema and a value that the clause rules out, or not.
EDGES: list[tuple[str, str, Any, bool]] = [
    ("3.2", "Conversation", {"id": "x", "created_at": 1.5}, False),
    ("3.2", "Conversation", {"id": "x", "created_at": 1, "object": "chat"}, False),
    ("3.2", "Conversation", {"id": "x", "created_at": 1, "generated_title": {"en-ca": 5}}, False),
    ("3.4", "ConversationItem", {"id": "x", "created_at": 1, "role": "system"}, False),
    ("3.4", "ConversationItem", {"id": "x", "created_at": 1, "role": "user", "parts": [{"type": "image"}]}, False),
    ("3.6", "ConversationDeleteResponse", {"id": "x", "deleted": False}, False),
    ("3.8", "SendMessageRequest", {"message": "x"}, False),
    ("3.9", "MessageResponse", {"id": "resp_1", "created_at": 0, "conversation_id": "x", "status": "queued"}, False),
    (
        "3.10",
        "ResponseOutputItem",
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": ""}]},
        True,
    ),
    (
        "3.10",
        "ResponseOutputItem",
        {"type": "function_call", "name": "a", "arguments": None, "call_id": "call_1"},
        True,
    ),
    ("3.10", "ResponseOutputItem", {"type": "function_call", "name": "a", "arguments": {}, "call_id": "call_1"}, False),
    ("3.10", "ResponseOutputItem", {"type": "image"}, False),
    ("3.13", "AppConfig", {"app_id": "a", "stream": True, "generative_ui": True, "agent": {}}, False),
    ("8.1", "ToolCallPart", {"toolCallId": "x", "toolName": "Find-Policy"}, False),
    ("8.1", "ToolCallPart", {"toolCallId": "x", "toolName": "find_policy2"}, True),
    ("7.1", "DataSpec", {"type": "patch", "patch": {"op": "add", "path": "/elements/a~1b", "value": {}}}, True),
    ("7.1", "DataSpec", {"type": "patch", "patch": {"op": "add", "path": "root", "value": {}}}, False),
    ("7.1", "DataSpec", {"type": "patch", "patch": {"op": "insert", "path": "/root", "value": {}}}, False),
]


@pytest.mark.clause(*{clause for clause, *_ in EDGES})
def test_where_a_schema_draws_the_line(subtests: pytest.Subtests) -> None:
    for clause, title, value, valid in EDGES:
        with subtests.test(clause, title=title, value=value):
            assert CONTRACT.schema(title).is_valid(value) is valid
