"""When a conversation has a title, for both settings of `titles` (clause 5.1). What it says is the agent's matter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import MakeApi
from tests.support.api import Api
from tests.support.in_process import in_process

LATE: dict[str, Any] = {"titles": "after_first_exchange"}


def assert_pair(pair: dict[str, str]) -> None:
    assert set(pair) == {"en-ca", "fr-ca"}
    assert all(text.strip() for text in pair.values())


@pytest.mark.clause("5.1", "3.2")
@pytest.mark.parametrize("title", [None, "", "Support inquiry"])
def test_at_creation_every_conversation_has_a_pair_at_once(api: Api, title: str | None) -> None:
    conversation = api.create(title=title).json()

    assert_pair(conversation["generated_title"])
    assert conversation["title"] == title


@pytest.mark.clause("5.1")
def test_conversations_differ_in_their_titles(api: Api) -> None:
    pairs = {tuple(api.create().json()["generated_title"].values()) for _ in range(30)}

    assert len(pairs) > 15


@pytest.mark.clause("5.1")
@pytest.mark.parametrize("setting", ["at_creation", "after_first_exchange"])
def test_a_generated_title_never_changes(make_api: MakeApi, setting: str) -> None:
    api = make_api(titles=setting)
    conversation = api.created()
    api.send(conversation, "I'd like to change my appointment")
    pair = api.get(conversation).json()["generated_title"]
    assert_pair(pair)

    api.send(conversation, "Now for something else: where is my refund?", metadata={"topic": "refund"})
    api.update(conversation, title="Mine")
    api.update(conversation, title=None)

    assert api.get(conversation).json()["generated_title"] == pair
    assert api.list().json()["data"][0]["generated_title"] == pair


@pytest.mark.clause("5.1")
@pytest.mark.parametrize("title", [None, "", "Support inquiry"])
@pytest.mark.parametrize("stream", [False, True])
def test_after_the_first_exchange_it_comes_with_the_first_reply(
    make_api: MakeApi, title: str | None, stream: bool
) -> None:
    api = make_api(server=LATE)
    created = api.create(title=title).json()
    assert created["generated_title"] is None
    assert api.get(created["id"]).json()["generated_title"] is None

    api.send(created["id"], "Where is my order?", stream=stream)

    detail = api.get(created["id"]).json()
    assert_pair(detail["generated_title"])
    assert detail["title"] == title


# What happens before the first answer and must leave the conversation without a title.
UNANSWERED: dict[str, dict[str, Any]] = {
    "a failed reply": {"content": "[[fail]]"},
    "a failed stream": {"content": "[[fail]]", "stream": True},
    "a cut answer": {"content": "[[cut]]"},
    "a cut stream": {"content": "[[cut]] [[long 50]]", "stream": True},
}


@pytest.mark.clause("5.1", "5.8")
@pytest.mark.parametrize("what", UNANSWERED)
def test_a_message_without_an_answer_makes_no_title(what: str) -> None:
    with in_process(**LATE) as client:
        api = Api(client)
        conversation = api.created()

        api.send(conversation, **UNANSWERED[what])
        before = api.get(conversation).json()["generated_title"]
        api.send(conversation, "hello")

        assert before is None
        assert_pair(api.get(conversation).json()["generated_title"])


@pytest.mark.clause("5.1", "5.8")
def test_an_abandoned_reply_makes_no_title() -> None:
    with in_process(**LATE) as client:
        api = Api(client)
        conversation = api.created()
        path = api.url(conversation)
        body = {"message": {"content": "[[long 300]]"}, "stream": True}

        client.run(client.exchange("POST", path, json=body, leave_after=5))

        assert api.get(conversation).json()["generated_title"] is None


@pytest.mark.clause("5.1")
def test_an_update_makes_no_title(make_api: MakeApi) -> None:
    api = make_api(server=LATE)
    conversation = api.created()

    assert api.update(conversation, title="Mine").json()["generated_title"] is None


@pytest.mark.clause("5.1")
def test_the_setting_may_differ_from_app_to_app() -> None:
    with in_process(titles="after_first_exchange", apps={"app_early": {"titles": "at_creation"}}) as client:
        assert Api(client, "app_early").create().json()["generated_title"]
        assert Api(client, "app_other").create().json()["generated_title"] is None
