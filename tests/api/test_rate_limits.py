"""Rate limits over HTTP (clause 4.11, row 429)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import MakeApi
from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.errors import assert_error


def limited(make_api: MakeApi, **limit: int | None) -> tuple[Api, str]:
    api = make_api("app_limited", rate_limit=limit)
    return api, api.created()


@pytest.mark.clause("4.11")
def test_messages_and_completions_are_counted_together(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=2)

    allowed = [api.send(conversation, "hello"), api.complete("hello")]

    assert [answer.status_code for answer in allowed] == [200, 200]
    assert_error(api.send(conversation, "hello"), 429, "rate_limit_exceeded")
    assert_error(api.complete("hello"), 429, "rate_limit_exceeded")
    assert_error(api.send(conversation, "hello", stream=True), 429, "rate_limit_exceeded")


# The limit, the calls as (second, seconds to wait or None).
WINDOWS: dict[str, tuple[dict[str, int | None], list[tuple[int, int | None]]]] = {
    "a window starts at its first counted call and lasts a minute": (
        {"per_minute": 2},
        [(100, None), (130, None), (130, 30), (159, 1), (160, None), (160, None), (219, 1), (220, None)],
    ),
    "refused calls are not counted": (
        {"per_minute": 1},
        [(100, None), (159, 1), (159, 1), (160, None), (200, 20)],
    ),
    "a day is a window too": ({"per_day": 1}, [(0, None), (86_399, 1), (86_400, None)]),
    "the window that is used up longest tells how long to wait": (
        {"per_minute": 1, "per_day": 2},
        [(0, None), (10, 50), (60, None), (70, 86_330), (120, 86_280), (86_400, None), (172_790, None), (172_795, 55)],
    ),
    "a call that one window refuses counts in none": (
        {"per_minute": 1, "per_day": 3},
        [(0, None), (1, 59), (2, 58), (60, None), (120, None)],
    ),
    "nothing is taken at all": ({"per_minute": 0}, [(100, 60), (1_000, 60)]),
    "no limit": ({"per_minute": None, "per_day": None}, [(0, None)] * 5),
    "a clock that was set back starts afresh": ({"per_minute": 1}, [(100, None), (40, None), (41, 59)]),
}


@pytest.mark.clause("4.11", "1.5")
@pytest.mark.parametrize(("limit", "calls"), WINDOWS.values(), ids=WINDOWS)
def test_the_answer_says_when_to_try_again(
    api: Api, limit: dict[str, int | None], calls: list[tuple[int, int | None]]
) -> None:
    api.set(rate_limit=limit)
    waits: list[int | None] = []

    for second, _ in calls:
        api.set_clock(NOW + second)
        answer = api.complete("hello")
        waits.append(int(answer.headers["retry-after"]) if answer.status_code == 429 else None)

    assert waits == [wait for _, wait in calls]


@pytest.mark.clause("1.5", "4.11")
def test_a_changed_limit_starts_its_windows_afresh(api: Api) -> None:
    api.set(rate_limit={"per_minute": 1})
    first, second = api.complete("hello"), api.complete("hello")
    api.set(rate_limit={"per_minute": 2})

    assert [first.status_code, second.status_code] == [200, 429]
    assert [api.complete("hello").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.clause("4.11")
def test_nothing_else_is_limited(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=0)

    for answer in (
        api.create(),
        api.list(),
        api.list_of_user("ann"),
        api.get(conversation),
        api.update(conversation, title="t"),
        api.config(),
        api.metrics(),
        api.delete(conversation),
    ):
        assert answer.status_code == 200


@pytest.mark.clause("4.11")
def test_a_limited_message_leaves_no_trace(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=0)

    api.send(conversation, "hello", metadata={"a": 1})

    assert api.items(conversation) == []
    assert api.get(conversation).json()["metadata"] is None


# Requests that count though they are refused: the limit is looked at before the body and the conversation.
COUNTED: dict[str, dict[str, Any]] = {
    "a body outside the schema": {"json": {"message": 5}},
    "no JSON": {"content": b"{"},
    "no JSON's media type": {"content": b"hello", "headers": {"content-type": "text/plain"}},
}


@pytest.mark.clause("4.1", "4.11")
@pytest.mark.parametrize("what", COUNTED)
def test_the_limit_comes_before_the_body(make_api: MakeApi, what: str) -> None:
    api, conversation = limited(make_api, per_minute=1)
    path = api.url(conversation)

    first, second = (api.transport.request("POST", path, **COUNTED[what]) for _ in range(2))

    assert first.status_code in (415, 422)
    assert_error(second, 429, "rate_limit_exceeded")


@pytest.mark.clause("4.1", "4.11")
def test_the_limit_comes_before_the_conversation(make_api: MakeApi) -> None:
    api, _ = limited(make_api, per_minute=1)

    assert_error(api.send("unknown", "hello"), 404, "not_found")
    assert_error(api.send("unknown", "hello"), 429, "rate_limit_exceeded")


@pytest.mark.clause("4.1", "4.11")
def test_a_bad_key_counts_nothing(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=1)
    path = api.url(conversation)

    bad = api.transport.request("POST", path, json={}, headers={"Authorization": "Bearer nonsense"})

    assert_error(bad, 401, "invalid_api_key")
    assert api.send(conversation, "hello").status_code == 200


@pytest.mark.clause("4.11")
def test_apps_are_limited_each_on_its_own(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=1)
    api.send(conversation, "hello")

    other = api.beside()

    assert [other.complete("hello").status_code for _ in range(5)] == [200] * 5


@pytest.mark.clause("4.11")
def test_a_failed_reply_counts(make_api: MakeApi) -> None:
    api, conversation = limited(make_api, per_minute=1)

    assert api.send(conversation, "[[fail]]").json()["status"] == "failed"
    assert_error(api.send(conversation, "hello"), 429, "rate_limit_exceeded")
