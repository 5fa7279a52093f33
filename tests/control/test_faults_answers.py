"""Faults of the answer: statuses, lost answers, waits, bodies that aren't what the contract says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.contract import Validator, decode, load
from tests.support.api import Api
from tests.support.app_driver import AppDriver
from tests.support.errors import assert_error

CONTRACT = load()
SEND, CREATE, COMPLETE, CONFIG, GET = (
    f"apps_api_{name}"
    for name in ("send_message", "create_conversation", "create_completion", "get_app_config", "get_conversation")
)

# status

# Each row: a status and the type of its envelope.
TYPES = [
    (400, "invalid_request_error"),
    (401, "invalid_api_key"),
    (402, "invalid_request_error"),
    (403, "access_denied"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (409, "invalid_request_error"),
    (413, "payload_too_large"),
    (415, "unsupported_media_type"),
    (418, "invalid_request_error"),
    (422, "invalid_request_error"),
    (429, "rate_limit_exceeded"),
    (499, "invalid_request_error"),
    (500, "internal_error"),
    (502, "internal_error"),
    (503, "internal_error"),
    (529, "internal_error"),
    (599, "internal_error"),
]


@pytest.mark.parametrize(("status", "kind"), TYPES)
def test_a_status_has_the_envelope_that_goes_with_it(driver: AppDriver, status: int, kind: str) -> None:
    driver.fault("status", status=status)
    assert_error(driver.api.config(), status, kind, code="sandbox_fault", param=None)


def test_a_status_is_answered_before_anything_happens(driver: AppDriver) -> None:
    driver.fault("status", status=500)
    driver.api.create(title="never kept")
    assert driver.counts["conversations"] == 0


@pytest.mark.parametrize(("status", "header"), [(401, "www-authenticate"), (429, "retry-after")])
def test_a_status_has_the_header_that_the_contract_promises_with_it(
    driver: AppDriver, status: int, header: str
) -> None:
    driver.fault("status", status=status)
    assert header in driver.api.config().headers


def test_a_status_can_have_headers_and_a_body_of_its_own(driver: AppDriver) -> None:
    own = {"Retry-After": "2.5", "X-Trace": "a b~", "Content-Type": "application/problem+json"}
    driver.fault("status", status=429, headers=own, body={"detail": "plus tard"})
    answer = driver.api.config()
    assert answer.status_code == 429
    assert {name: answer.headers[name] for name in own} == own
    assert answer.json() == {"detail": "plus tard"}


@pytest.mark.parametrize("body", [None, "text", 5, [], {"error": None}])
def test_any_json_can_be_the_body(driver: AppDriver, body: Any) -> None:
    driver.fault("status", status=502, body=body)
    assert driver.api.config().json() == body


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_has_none(driver: AppDriver, status: int) -> None:
    driver.fault("status", status=status)
    answer = driver.api.config()
    assert (answer.status_code, answer.content) == (status, b"")
    assert driver.api.config().status_code == 200


# after


def test_after_does_the_work_and_loses_its_answer(driver: AppDriver) -> None:
    driver.fault("after", status=500)
    assert_error(driver.api.create(title="kept"), 500, "internal_error", code="sandbox_fault")
    (kept,) = driver.api.list().json()["data"]
    assert kept["title"] == "kept"


@pytest.mark.parametrize("stream", [False, True])
def test_after_loses_a_reply_too(driver: AppDriver, stream: bool) -> None:
    conversation = driver.api.created()
    driver.fault("after", status=503)
    answer = driver.api.send(conversation, "Hello", stream=stream)
    assert_error(answer, 503, "internal_error", code="sandbox_fault")
    assert driver.api.roles(conversation) == "ua"


def test_after_loses_a_refusal_too(driver: AppDriver) -> None:
    driver.fault("after", status=502)
    assert_error(driver.api.create(title=5), 502, "internal_error", code="sandbox_fault")


# latency


@pytest.mark.parametrize("stream", [False, True])
def test_latency_changes_nothing_but_the_time(driver: AppDriver, stream: bool) -> None:
    conversation = driver.api.created()
    driver.fault("latency", ms=5)
    answer = driver.api.send(conversation, "[[echo]] a b c", stream=stream)
    assert answer.status_code == 200
    assert driver.api.roles(conversation) == "ua"
    assert "completed" in answer.text
    entry = driver.entry(answer)
    assert (entry["fault"], entry["ended"]) == ("latency", "complete")
    assert entry["duration_ms"] >= 5


# malformed and wrong_type


@pytest.mark.parametrize(("fields", "status"), [({}, 200), ({"status": 200}, 200), ({"status": 502}, 502)])
def test_malformed_json_calls_itself_json(driver: AppDriver, fields: dict[str, int], status: int) -> None:
    driver.fault("malformed", **fields)
    answer = driver.api.config()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(("fields", "status"), [({}, 502), ({"status": 200}, 200), ({"status": 502}, 502)])
def test_a_wrong_type_is_a_page_that_can_do_nothing(driver: AppDriver, fields: dict[str, int], status: int) -> None:
    driver.fault("wrong_type", **fields)
    answer = driver.api.config()
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.text.lower().startswith("<!doctype html>")


# contract


def prepared(api: Api) -> str:
    """Open a conversation in which a tool was called; all that is asked of the app then has something to answer."""
    conversation = api.created(external_user_id="ann")
    api.send(conversation, "[[tool]]")
    return conversation


def ask(api: Api, operation: str, conversation: str) -> Any:
    """Ask for one operation, so that its answer is good."""
    calls = {
        "create_conversation": lambda: api.create(title="t"),
        "list_conversations": lambda: api.list(),
        "list_user_conversations": lambda: api.list_of_user("ann"),
        "get_conversation": lambda: api.get(conversation),
        "update_conversation": lambda: api.update(conversation, title="t"),
        "delete_conversation": lambda: api.delete(conversation),
        "send_message": lambda: api.send(conversation, "[[tool]]"),
        "create_completion": lambda: api.complete("Hello"),
        "get_app_config": lambda: api.config(),
        "get_app_metrics": lambda: api.metrics(),
    }
    return calls[operation.removeprefix("apps_api_")]()


def breaks(operation: str, value: Any) -> list[str]:
    """Return where an answer breaks the schema of the operation's answers."""
    schema: Validator = next(op for op in CONTRACT.operations if op.id == operation).responses["200"][
        "application/json"
    ]
    return [violation.place for violation in schema.violations(decode(json.dumps(value).encode()))]


@pytest.mark.parametrize("operation", [operation.id for operation in CONTRACT.operations])
@pytest.mark.parametrize("seed", range(3))
def test_a_contract_fault_breaks_the_contract_in_one_place(driver: AppDriver, operation: str, seed: int) -> None:
    other = AppDriver(driver.client, f"{driver.app_id}_{seed}")
    conversation = prepared(other.api)
    other.fault("contract", operation=operation)
    answer = ask(other.api, operation, conversation)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert len(breaks(operation, answer.json())) == 1


# Each row: an operation, a place in its answer, and where the contract must be broken by it: there, or it is missing.
PLACES = [
    (CONFIG, "app_id"),
    (CONFIG, "stream"),
    (CONFIG, "agent.config"),
    (CREATE, "id"),
    (CREATE, "created_at"),
    (CREATE, "object"),
    ("apps_api_list_conversations", "data"),
    ("apps_api_list_conversations", "data.0.id"),
    ("apps_api_list_conversations", "has_more"),
    (GET, "items.0.role"),
    (GET, "items.0.created_at"),
    (GET, "items.1.parts"),
    (SEND, "output.0.type"),
    (SEND, "status"),
    (COMPLETE, "text"),
    ("apps_api_get_app_metrics", "total_users"),
]


@pytest.mark.parametrize(("operation", "path"), PLACES)
def test_a_contract_fault_can_say_where(driver: AppDriver, operation: str, path: str) -> None:
    conversation = prepared(driver.api)
    driver.fault("contract", operation=operation, path=path)
    answer = ask(driver.api, operation, conversation)
    (place,) = breaks(operation, answer.json())
    dotted = place.replace("[", ".").replace("]", "")
    assert path.startswith(dotted) or dotted.startswith(path)


def test_the_seed_chooses_where_the_contract_breaks(driver: AppDriver) -> None:
    driver.fault("contract", times=None)
    assert driver.api.config().content == driver.api.config().content


def test_the_work_of_a_bent_answer_is_done(driver: AppDriver) -> None:
    driver.fault("contract", operation=CREATE)
    driver.api.create()
    assert driver.counts["conversations"] == 1
