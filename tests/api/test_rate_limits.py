"""Rate limits over HTTP (clause 4.11, row 429). All the laws of windows: `tests/apps/test_memory.py`."""

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


# The limit, the seconds to the end of its window.
WINDOWS: list[tuple[dict[str, int | None], str]] = [
    ({"per_minute": 1}, "60"),
    ({"per_day": 1}, "86400"),
    ({"per_minute": 1, "per_day": 1}, "86400"),
    ({"per_minute": 1, "per_day": 5}, "60"),
    ({"per_minute": 1, "per_day": None}, "60"),
]


@pytest.mark.clause("4.11")
@pytest.mark.parametrize(("limit", "seconds"), WINDOWS)
def test_the_answer_says_when_to_try_again(make_api: MakeApi, limit: dict[str, int | None], seconds: str) -> None:
    api, conversation = limited(make_api, **limit)
    api.send(conversation, "hello")

    refused = api.send(conversation, "hello")

    assert_error(refused, 429, "rate_limit_exceeded")
    assert refused.headers["retry-after"] == seconds


@pytest.mark.clause("4.11", "1.5")
def test_a_window_starts_at_its_first_counted_call_and_refused_ones_do_not_count(api: Api) -> None:
    api.set(rate_limit={"per_minute": 2})
    answers: list[tuple[int, str | None]] = []

    for second in (0, 50, 55, 59, 60, 61, 70, 120):
        api.set_clock(NOW + second)
        answer = api.complete("hello")
        answers.append((answer.status_code, answer.headers.get("retry-after")))

    good = (200, None)
    assert answers == [good, good, (429, "5"), (429, "1"), good, good, (429, "50"), good]


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
