"""Verify: whether the requests that a test expects came, and which came nearest."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from sandbox.apps.journal import Journal
from sandbox.control.verify import verify
from sandbox.redaction import Redactor
from tests.support.app_driver import REQUESTS, AppDriver
from tests.support.errors import assert_error
from tests.support.journal_entries import add, entry

CREATE, CONFIG = "apps_api_create_conversation", "apps_api_get_app_config"
BODY = {
    "external_user_id": "user_abc123",
    "title": "Support inquiry",
    "metadata": {"first_name": "John", "tags": ["a", {"b": 1}], "active": True, "none": None, "n": 1},
}


@pytest.fixture
def asked(driver: AppDriver) -> AppDriver:
    """An app that has seen three requests."""
    driver.client.post(f"/v1/apps/{driver.app_id}/conversations", json=BODY, headers={"X-Sdk": "demo/1.0"})
    driver.api.create(title=5)
    driver.api.config()
    return driver


# Each row: what is expected, how many requests fit, whether that is right.
WANTED: list[tuple[dict[str, Any], int, bool]] = [
    ({}, 3, True),
    ({"operation": CREATE}, 2, True),
    ({"operation": None}, 3, True),
    ({"status": 200}, 2, True),
    ({"operation": CREATE, "status": 422}, 1, True),
    ({"operation": "apps_api_send_message"}, 0, False),
    # a subset, at any depth
    ({"body": {}}, 2, True),
    ({"body": {"title": "Support inquiry"}}, 1, True),
    ({"body": {"metadata": {"first_name": "John"}}}, 1, True),
    ({"body": {"metadata": {"none": None}}}, 1, True),
    ({"body": BODY}, 1, True),
    ({"body": {"title": "Support"}}, 0, False),
    ({"body": {"nothing": None}}, 0, False),
    # lists in any order, the items as subsets
    ({"body": {"metadata": {"tags": ["a", {}]}}}, 1, True),
    ({"body": {"metadata": {"tags": ["a"]}}}, 0, False),
    ({"body": {"metadata": {"tags": [{"b": 1}, "a"]}}}, 1, True),
    ({"body": {"metadata": {"tags": ["a", "a"]}}}, 0, False),
    # an item that fits everything leaves the others theirs
    ({"body": {"metadata": {"tags": [{"$any": True}, "a"]}}}, 1, True),
    # patterns
    ({"body": {"external_user_id": {"$match": "^user_"}}}, 1, True),
    ({"body": {"external_user_id": {"$match": "^abc"}}}, 0, False),
    ({"body": {"title": {"$match": "5"}}}, 0, False),
    ({"body": {"title": {"$any": True}}}, 2, True),
    ({"body": {"metadata": {"none": {"$any": True}}}}, 1, True),
    ({"body": {"metadata": {"$any": True}}}, 1, True),
    ({"body": {"metadata": {"$absent": True}}}, 1, True),
    ({"body": {"metadata": {"none": {"$absent": True}}}}, 0, False),
    ({"body": {"metadata": {"tags": {"$len": 2}}}}, 1, True),
    ({"body": {"metadata": {"$len": 5}, "title": {"$len": 15}}}, 1, True),
    ({"body": {"title": {"$len": 1}}}, 0, False),
    ({"body": {"$absent": True}}, 1, True),
    ({"body": {"$any": True}}, 2, True),
    ({"headers": {"X-Sdk": {"$match": r"^demo/\d"}}}, 1, True),
    ({"headers": {"X-Sdk": {"$absent": True}}}, 2, True),
    ({"headers": {"X-Sdk": {"$any": True}}}, 1, True),
    ({"headers": {"X-Sdk": {"$len": 8}}}, 1, True),
    # true is not 1
    ({"body": {"metadata": {"active": True}}}, 1, True),
    ({"body": {"metadata": {"active": 1}}}, 0, False),
    ({"body": {"metadata": {"n": True}}}, 0, False),
    # no body at all
    ({"body": None}, 1, True),
    # headers, in any case
    ({"headers": {"X-SDK": "demo/1.0"}}, 1, True),
    ({"headers": {"x-sdk": "demo"}}, 0, False),
    ({"headers": {"x-other": ""}}, 0, False),
    # a secret is compared as it came
    ({"headers": {"Authorization": "Bearer sk_test_spec"}}, 3, True),
    ({"headers": {"Authorization": "Bearer sk_…"}}, 0, False),
    # how often
    ({"times": 3}, 3, True),
    ({"times": 2}, 3, False),
    ({"times": 0}, 3, False),
    ({"operation": "apps_api_delete_conversation", "times": 0}, 0, True),
    ({"times": {"min": 2}}, 3, True),
    ({"times": {"min": 4}}, 3, False),
    ({"times": {"max": 3}}, 3, True),
    ({"times": {"max": 2}}, 3, False),
    ({"times": {"min": 1, "max": 3}}, 3, True),
    ({"operation": "apps_api_delete_conversation", "times": {"max": 2}}, 0, True),
]


@pytest.mark.parametrize(("wanted", "count", "verified"), WANTED)
def test_requests_are_counted(asked: AppDriver, wanted: dict[str, Any], count: int, verified: bool) -> None:
    result = asked.verify(**wanted)
    assert (result["count"], result["verified"], result["evicted"]) == (count, verified, 0)


def test_of_any_app_where_none_is_named(asked: AppDriver) -> None:
    result = asked.client.post(f"{REQUESTS}/verify", json={"headers": {"x-sdk": "demo/1.0"}}).json()
    assert result["count"] >= 1


# Each row: what is expected, and where the nearest one differs.
NEAREST: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"operation": CREATE, "status": 200, "body": {"title": "Support"}},
        [{"place": "body.title", "expected": "Support", "got": "Support inquiry"}],
    ),
    ({"operation": CREATE, "status": 200, "body": {"titel": "x"}}, [{"place": "body.titel", "expected": "x"}]),
    (
        {"operation": CREATE, "body": {"metadata": {"first_name": "Jon", "tags": ["a", {"b": 2}], "active": True}}},
        [
            {"place": "body.metadata.first_name", "expected": "Jon", "got": "John"},
            {"place": "body.metadata.tags[1].b", "expected": 2, "got": 1},
        ],
    ),
    ({"operation": CREATE, "body": {"title": 5}, "status": 200}, [{"place": "status", "expected": 200, "got": 422}]),
    ({"operation": CONFIG, "headers": {"X-A": "b"}}, [{"place": "headers.x-a", "expected": "b"}]),
    (
        {"operation": CREATE, "body": {"metadata": {"tags": [{"b": 1}, "c"], "x": {"$len": 1}}}, "status": 200},
        [
            {"place": "body.metadata.tags[0]", "expected": "c", "got": "a"},
            {"place": "body.metadata.x", "expected": {"$len": 1}},
        ],
    ),
    (
        {
            "operation": CREATE,
            "status": 200,
            "body": {"title": {"$absent": True}, "external_user_id": {"$match": r"^\d+$"}},
        },
        [
            {"place": "body.title", "expected": {"$absent": True}, "got": "Support inquiry"},
            {"place": "body.external_user_id", "expected": {"$match": r"^\d+$"}, "got": "user_abc123"},
        ],
    ),
    ({"status": 503, "operation": CONFIG}, [{"place": "status", "expected": 503, "got": 200}]),
    ({"operation": CONFIG, "body": {}}, [{"place": "body", "expected": {}, "got": None}]),
]


@pytest.mark.parametrize(("wanted", "misses"), NEAREST)
def test_the_nearest_one_is_shown_field_by_field(
    asked: AppDriver, wanted: dict[str, Any], misses: list[dict[str, Any]]
) -> None:
    result = asked.verify(**wanted)
    assert result["verified"] is False
    assert result["closest"]["misses"] == misses
    assert asked.client.get(f"{REQUESTS}/{result['closest']['id']}").json()["app_id"] == asked.app_id


def test_of_two_that_are_as_near_the_newer_one_is_shown(asked: AppDriver) -> None:
    newest = asked.api.create(title="Newer").headers["sandbox-request-id"]
    assert asked.verify(operation=CREATE, status=200, body={"title": "x"})["closest"]["id"] == newest


def test_a_regular_expression_that_takes_too_long_is_refused(driver: AppDriver) -> None:
    driver.api.create(title="a" * 60 + "!")
    answer = driver.client.post(f"{REQUESTS}/verify", json={"body": {"title": {"$match": r"^(a|aa|a?)+$"}}})
    assert_error(answer, 422, "invalid_request_error", param="body")


@pytest.mark.parametrize("wanted", [{"times": 3}, {"times": {"max": 9}}])
def test_what_is_as_expected_shows_no_nearest(asked: AppDriver, wanted: dict[str, Any]) -> None:
    assert asked.verify(**wanted)["closest"] is None


def test_no_secret_is_shown_in_a_miss(asked: AppDriver) -> None:
    secret = "sk_test_0123456789WXYZ"
    result = asked.verify(headers={"Authorization": f"Bearer {secret}"})
    (miss,) = result["closest"]["misses"]
    assert (miss["expected"], miss["got"]) == ("Bearer sk_…WXYZ", "Bearer sk_…")


# Where entries are gone. Each row: how many there should be, when three of five are left, and what can be said.
GONE: list[tuple[Any, bool | None]] = [
    (None, True),
    ({"min": 3}, True),
    (2, False),
    ({"max": 2}, False),
    (3, None),
    (5, None),
    ({"min": 4}, None),
    ({"max": 3}, None),
    ({"min": 1, "max": 9}, None),
]


@pytest.mark.parametrize(("times", "verified"), GONE)
def test_where_entries_are_gone_only_what_is_certain_is_said(times: Any, verified: bool | None) -> None:
    result = of_five_with_three_left(app_id="app_a", times=times)
    assert (result["count"], result["verified"]) == (3, verified)
    assert result["evicted"] == (2 if verified is None else 0)


def test_what_is_gone_of_another_app_does_not_count() -> None:
    assert of_five_with_three_left(app_id="app_b", times=0)["verified"] is True


def of_five_with_three_left(**wanted: Any) -> dict[str, Any]:
    """Ask a journal that has lost two of its entries."""
    journal = Journal(lambda app_id: f"req_{app_id}_", max_records=3)
    apps = {app_id: journal.new_app(app_id) for app_id in ("app_a", "app_b")}
    add(apps["app_b"], entry(app_id="app_b", operation_id=CONFIG))
    journal.clear_app(apps["app_b"])
    for _ in range(5):
        add(apps["app_a"], entry(app_id="app_a", operation_id=CONFIG))
    question = {name: value for name, value in wanted.items() if value is not None}
    about = apps.get(wanted.get("app_id", ""), journal)
    return verify(question, about.newest_first(), about.count_evicted(wanted.get("operation")), Redactor())


# Each row: a question that can't be asked, and its place.
WRONG = [
    ({"operation": "create"}, "operation"),
    ({"status": 99}, "status"),
    ({"times": -1}, "times"),
    ({"times": {}}, "times"),
    ({"times": {"least": 1}}, "times.least"),
    ({"headers": {"a": 1}}, "headers.a"),
    ({"bodies": {}}, "bodies"),
    ({"app_id": "a b"}, "app_id"),
    ({"within_ms": 60_001}, "within_ms"),
    ({"headers": {"a": {"$match": 1}}}, "headers.a.$match"),
    ({"headers": {"a": {"$mach": "x"}}}, "headers.a.$mach"),
    ({"headers": {"a": {"$match": "("}}}, "headers.a.$match"),
    ({"body": {"a": {"$match": "("}}}, "body.a.$match"),
    ({"body": {"a": [1, {"$match": 1}]}}, "body.a[1].$match"),
    ({"body": {"a": {"$match": "x" * 1001}}}, "body.a.$match"),
    ({"body": {"$any": False}}, "body.$any"),
    ({"body": {"$absent": None}}, "body.$absent"),
    ({"body": {"$len": True}}, "body.$len"),
    ({"body": {"$len": -1}}, "body.$len"),
    ({"body": {"$lenght": 1}}, "body.$lenght"),
]


@pytest.mark.parametrize(("body", "param"), WRONG)
def test_a_wrong_question_is_refused_by_place(sandbox: httpx2.Client, body: dict[str, Any], param: str) -> None:
    assert_error(sandbox.post(f"{REQUESTS}/verify", json=body), 422, "invalid_request_error", param=param)
