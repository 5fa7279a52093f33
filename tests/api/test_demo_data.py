"""The demo app begins with conversations, every other app with none, and reading makes nothing (clauses 5.4, 5.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.agent.text import detect
from sandbox.contract import load
from tests.support.answer import Answer
from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.in_process import AsgiClient, in_process

CONTRACT = load()
DETAIL = CONTRACT.schema("ConversationDetail")


@pytest.fixture(scope="module")
def demo() -> Iterator[Api]:
    """The demo app of a server on which nobody has done anything yet."""
    with in_process() as client:
        yield Api(client, "app_demo")


def details(api: Api) -> list[dict[str, Any]]:
    """Return every conversation of an app with its items, newest first."""
    rows = api.list(limit=100).json()
    assert not rows["has_more"]
    return [api.get(row["id"]).json() for row in rows["data"]]


@pytest.mark.clause("3.3", "3.4")
def test_the_demo_conversations_keep_the_contract(demo: Api) -> None:
    conversations = details(demo)

    assert len(conversations) >= 20
    assert all(DETAIL.is_valid(conversation) for conversation in conversations)


def test_they_are_spread_over_the_past_30_days(demo: Api) -> None:
    times = [datetime.fromtimestamp(row["created_at"], UTC) for row in details(demo)]

    now = datetime.fromtimestamp(NOW, UTC)
    assert all(now - timedelta(days=30) <= time <= now for time in times)
    assert len({time.date() for time in times}) >= 10
    assert max(times) - min(times) > timedelta(days=20)


def test_messages_follow_their_conversation_and_each_other(demo: Api) -> None:
    for conversation in details(demo):
        times = [conversation["created_at"], *(item["created_at"] for item in conversation["items"])]
        assert times == sorted(times)
        assert times[-1] <= NOW


def test_there_are_conversations_in_both_languages(demo: Api) -> None:
    spoken = [
        detect(" ".join(part["text"] for item in row["items"] for part in item["parts"] if part["type"] == "text"))
        for row in details(demo)
        if row["items"]
    ]

    assert min(spoken.count("en"), spoken.count("fr")) >= 5


def test_there_are_several_users_and_each_finds_their_own(demo: Api) -> None:
    rows = details(demo)
    users = {row["external_user_id"] for row in rows} - {None, ""}

    assert len(users) >= 3
    for user in users:
        listed = demo.list_of_user(user, limit=100).json()["data"]
        assert [row["id"] for row in listed] == [row["id"] for row in rows if row["external_user_id"] == user]


@pytest.mark.clause("5.6")
def test_metrics_count_the_demo_data(demo: Api) -> None:
    rows, metrics = details(demo), demo.metrics().json()

    assert metrics["total_conversations"] >= len(rows)
    assert metrics["total_messages"] >= sum(len(row["items"]) for row in rows)
    assert metrics["total_users"] >= len({row["external_user_id"] for row in rows} - {None})


@pytest.mark.clause("2.9")
def test_the_demo_app_streams_and_shows_forms(demo: Api) -> None:
    config = demo.config().json()

    assert config["generative_ui"] is True
    assert config["stream"] is True


@pytest.mark.parametrize("first", ["list", "metrics", "config", "create", "complete"])
def test_the_demo_data_is_there_whatever_is_asked_first(first: str) -> None:
    with in_process() as client:
        api = Api(client, "app_demo")
        if first == "complete":
            api.complete("hello")
        else:
            getattr(api, first)()

        assert len(api.list(limit=100).json()["data"]) >= 20


def test_the_demo_data_is_planted_once() -> None:
    async def together(client: AsgiClient) -> list[Answer]:
        return await asyncio.gather(*(client.exchange("GET", "/v1/apps/app_demo/metrics") for _ in range(5)))

    with in_process() as client:
        answers = client.run(together(client))

    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["total_conversations"] > 0


def test_declaring_the_demo_app_keeps_its_data() -> None:
    with in_process(apps={"app_demo": {"stream": False}}) as client:
        api = Api(client, "app_demo")

        assert api.config().json()["stream"] is False
        assert api.list().json()["data"]


@pytest.mark.parametrize("app", ["app_spec", "app_demo2", "APP_DEMO", "x"])
def test_every_other_app_begins_empty(demo: Api, app: str) -> None:
    api = Api(demo.transport, app)

    assert api.list().json()["data"] == []
    assert api.metrics().json() == {"total_conversations": 0, "total_messages": 0, "total_users": 0}


def test_reading_creates_nothing() -> None:
    """After any number of reads the first writes give what they give on a fresh server."""
    with in_process() as read, in_process() as fresh:
        api = Api(read)
        for _ in range(3):
            api.list()
            api.list_of_user("ann")
            api.get("unknown")
            api.metrics()
            api.config()
            api.update("unknown", title="t")
            api.delete("unknown")
            api.send("unknown", "hello")

        assert api.metrics().json() == {"total_conversations": 0, "total_messages": 0, "total_users": 0}
        assert api.create().content == Api(fresh).create().content
        assert api.complete("hello").content == Api(fresh).complete("hello").content
