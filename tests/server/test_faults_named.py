"""What a refusal says: every fault with its place, what was expected, what came; the first one's path, code (4.2)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Client
from hypothesis import given, settings

from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, WITH_BODY
from tests.support.requirements import examples
from tests.support.strategies import json_values

pytestmark = pytest.mark.clause("4.2")

CREATE, SEND, COMPLETE, UPDATE = "create_conversation", "send_message", "create_completion", "update_conversation"

# Each row: the operation, a body, the place of its one fault, the code, the sentence.
ONE_FAULT: list[tuple[str, Any, str | None, str, str]] = [
    (CREATE, [], None, "wrong_type", "expected object, got []"),
    (CREATE, None, None, "wrong_type", "expected object, got null"),
    (CREATE, "{}", None, "wrong_type", 'expected object, got "{}"'),
    (CREATE, {"title": 5}, "title", "wrong_type", "title: expected string or null, got 5"),
    (CREATE, {"external_user_id": ["u"]}, "external_user_id", "wrong_type", 'expected string or null, got ["u"]'),
    (CREATE, {"metadata": "a=b"}, "metadata", "wrong_type", 'metadata: expected object or null, got "a=b"'),
    (CREATE, {"metadata": [1]}, "metadata", "wrong_type", "metadata: expected object or null, got [1]"),
    (UPDATE, {"title": True}, "title", "wrong_type", "title: expected string or null, got true"),
    (SEND, {}, "message", "missing", "message: required, missing"),
    (SEND, {"message": None}, "message", "wrong_type", "message: expected object, got null"),
    (SEND, {"message": "Hello"}, "message", "wrong_type", 'message: expected object, got "Hello"'),
    (SEND, {"message": {}}, "message.content", "missing", "message.content: required, missing"),
    (SEND, {"message": {"content": 5}}, "message.content", "wrong_type", "message.content: expected string, got 5"),
    (SEND, {"message": {"content": None}}, "message.content", "wrong_type", "expected string, got null"),
    (SEND, {"message": {"content": "x", "role": "bot"}}, "message.role", "not_allowed", 'expected "user", got "bot"'),
    (SEND, {"message": {"content": "x", "role": None}}, "message.role", "wrong_type", "got null"),
    (SEND, {"message": {"content": "x"}, "stream": "yes"}, "stream", "wrong_type", "expected boolean or null"),
    (SEND, {"message": {"content": "x"}, "stream": 1}, "stream", "wrong_type", "expected boolean or null, got 1"),
    (COMPLETE, {}, "prompt", "missing", "prompt: required, missing"),
    (COMPLETE, {"prompt": ""}, "prompt", "too_short", 'prompt: expected at least 1 character, got ""'),
    (COMPLETE, {"prompt": "x" * 32_001}, "prompt", "too_long", "prompt: expected at most 32,000 characters, got"),
    (COMPLETE, {"prompt": None}, "prompt", "wrong_type", "prompt: expected string, got null"),
    (COMPLETE, {"prompt": "x", "stream": "true"}, "stream", "wrong_type", "expected boolean or null"),
    (COMPLETE, {"prompt": "x", "metadata": []}, "metadata", "wrong_type", "expected object or null, got []"),
    (COMPLETE, {"prompt": "x", "fast": None}, "fast", "wrong_type", "fast: expected boolean, got null"),
    (COMPLETE, {"prompt": "x", "knowledge_search": 0}, "knowledge_search", "wrong_type", "expected boolean, got 0"),
]


def test_a_fault_is_named(apps: Client, subtests: pytest.Subtests) -> None:
    for operation, body, param, code, sentence in ONE_FAULT:
        with subtests.test(operation=operation, body=body, param=param, code=code, sentence=sentence):
            error = assert_error(
                GOOD[operation].saying(body).send(apps), 422, "invalid_request_error", param=param, code=code
            )
            assert sentence in error["message"]


# Each row: a body with several faults, and their places in the order of the schema, which is not that of the body.
SEVERAL = [
    (CREATE, {"metadata": 5, "title": 5, "external_user_id": 5}, ["external_user_id", "title", "metadata"]),
    (SEND, {"metadata": 5, "stream": 5}, ["message", "stream", "metadata"]),
    (SEND, {"metadata": 5, "message": {"role": "bot"}}, ["message.content", "message.role", "metadata"]),
    (COMPLETE, {"metadata": 5, "fast": 5, "stream": 5}, ["prompt", "stream", "fast", "metadata"]),
]


@pytest.mark.parametrize(("operation", "body", "places"), SEVERAL)
def test_every_fault_is_named_in_the_order_of_the_schema(
    apps: Client, operation: str, body: Any, places: list[str]
) -> None:
    error = assert_error(GOOD[operation].saying(body).send(apps), 422, "invalid_request_error", param=places[0])
    found = [error["message"].index(f"{place}: ") for place in places]
    assert found == sorted(found)


def test_long_values_are_shortened(apps: Client) -> None:
    body = {"title": ["x" * 100_000], "external_user_id": {"y" * 100_000: 1}, "metadata": "z" * 100_000}
    error = assert_error(GOOD[CREATE].saying(body).send(apps), 422, "invalid_request_error")
    assert len(error["message"]) < 500
    assert error["message"].count("…") == 3


@pytest.mark.parametrize("operation", WITH_BODY)
@settings(max_examples=examples(20, quick=10))
@given(value=json_values)
def test_no_value_breaks_a_refusal(apps: Client, operation: str, value: Any) -> None:
    fields = ("title", "message", "prompt", "stream", "metadata", "external_user_id")
    answer = GOOD[operation].saying(dict.fromkeys(fields, value)).send(apps)
    if answer.status_code != 200:
        assert_error(answer, 422, "invalid_request_error")


# Each row: a body that isn't JSON, and the place that has to be named.
NOT_JSON = [
    (b"{", "line 1, column "),
    (b'{"title": }', "line 1, column 11"),
    (b'{\n  "title": "x",\n  "metadata": {"a": tru}\n}', "line 3, column 21"),
    ('{"é": "ü", x}'.encode(), "line 1, column 12"),  # characters count, not bytes
    (b"title=Support+inquiry", "line 1, column "),
]


@pytest.mark.parametrize(("content", "place"), NOT_JSON)
def test_json_that_cannot_be_read_is_named_by_line_and_column(apps: Client, content: bytes, place: str) -> None:
    answer = GOOD[CREATE].replace(content=content).send(apps)
    error = assert_error(answer, 422, "invalid_request_error", param=None, code="invalid_json")
    assert place in error["message"]


@pytest.mark.clause("3.16")
@pytest.mark.parametrize("operation", WITH_BODY)
def test_unknown_fields_are_ignored(apps: Client, operation: str) -> None:
    spec = GOOD[operation]
    known = (spec.content or b"").removeprefix(b"{")
    assert spec.replace(content=b'{"titel": 1, "__proto__": [], "": null, ' + known).send(apps).status_code == 200
