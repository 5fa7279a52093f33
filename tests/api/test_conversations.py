"""Create, get, list, update and delete: each operation and the body of its 200 (clauses 2, 3, 5.3 and 5.5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from sandbox.clock import SystemClock
from sandbox.contract import load
from tests.conftest import MakeClient
from tests.support import strategies
from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import AsgiClient
from tests.support.requirements import examples

CONVERSATION_KEYS = ["id", "created_at", "object", "external_user_id", "title", "generated_title", "metadata"]
CONTRACT = load()


def assert_conversation(value: dict[str, Any]) -> None:
    """Hold a conversation against the contract: every key is there, whatever its value."""
    assert CONTRACT.schema("Conversation").is_valid(value), value
    assert set(value) == set(CONVERSATION_KEYS)


# Create


@pytest.mark.clause("1.3", "2.1", "3.1", "3.2")
def test_a_conversation_can_be_created_from_nothing(api: Api) -> None:
    created = api.create()

    assert created.status_code == 200
    assert created.headers["content-type"] == "application/json"
    conversation = created.json()
    assert_conversation(conversation)
    assert conversation["object"] == "conversation"
    assert conversation["created_at"] == NOW
    assert [conversation[key] for key in ("external_user_id", "title", "metadata")] == [None, None, None]


@pytest.mark.clause("2.1", "3.1", "3.2")
def test_a_conversation_has_what_it_was_created_with(api: Api) -> None:
    body = {
        "external_user_id": "user_abc123",
        "title": "Support inquiry",
        "metadata": {"first_name": "John", "plan_type": "term_life"},
    }

    conversation = api.create(**body).json()

    assert_conversation(conversation)
    assert {key: conversation[key] for key in body} == body


@pytest.mark.clause("3.1")
@pytest.mark.parametrize("field", ["external_user_id", "title", "metadata"])
def test_null_is_the_same_as_nothing(api: Api, field: str) -> None:
    conversation = api.create(**{field: None}).json()

    assert_conversation(conversation)
    assert conversation[field] is None


@pytest.mark.clause("5.1", "5.3")
@pytest.mark.parametrize("field", ["external_user_id", "title"])
def test_an_empty_text_is_a_value(api: Api, field: str) -> None:
    conversation = api.create(**{field: ""}).json()

    assert conversation[field] == ""
    assert api.get(conversation["id"]).json()[field] == ""


@pytest.mark.clause("3.16")
def test_unknown_fields_of_a_new_conversation_are_ignored(api: Api) -> None:
    conversation = api.create(titel="a slip", id="chosen", created_at=1, items=[1], title="Kept").json()

    assert_conversation(conversation)
    assert conversation["title"] == "Kept"
    assert conversation["id"] != "chosen"
    assert conversation["created_at"] == NOW


@pytest.mark.clause("3.1")
@given(user=strategies.texts, title=strategies.texts, metadata=strategies.metadata)
@settings(max_examples=examples(120, quick=30))
def test_any_values_come_back_as_they_were_sent(
    shared: AsgiClient, user: str, title: str, metadata: dict[str, Any]
) -> None:
    api = Api(shared, "app_of_values")
    body = {"external_user_id": user, "title": title, "metadata": metadata}
    created = api.create(**body).json()
    kept = api.get(created["id"]).json()

    assert {key: created[key] for key in body} == body
    assert {key: kept[key] for key in body} == body


@pytest.mark.clause("1.3")
def test_times_are_whole_seconds_of_the_real_time_unless_frozen(make_client: MakeClient) -> None:
    api, clock = Api(make_client(now=None)), SystemClock()

    before = clock.now()
    created = api.create().json()["created_at"]

    assert type(created) is int
    assert before <= created <= clock.now()


@pytest.mark.clause("1.3", "3.4")
def test_times_follow_the_apps_clock(api: Api) -> None:
    conversation = api.created()
    api.set_clock(NOW + 5)
    response = api.send(conversation, "hello").json()
    api.set_clock(NOW + 9)
    api.update(conversation, title="later")

    detail = api.get(conversation).json()
    assert (detail["created_at"], response["created_at"]) == (NOW, NOW + 5)
    assert [item["created_at"] for item in detail["items"]] == [NOW + 5, NOW + 5]


# Get


@pytest.mark.clause("2.4", "3.3")
def test_a_fresh_conversation_has_no_items(api: Api) -> None:
    created = api.create(title="Support inquiry").json()

    kept = api.get(created["id"])

    assert kept.status_code == 200
    assert kept.json() == {**created, "items": []}


@pytest.mark.clause("2.4", "3.3", "3.4")
def test_a_conversation_is_read_with_its_items_oldest_first(api: Api) -> None:
    conversation = api.created()
    for text in ("first", "second"):
        api.send(conversation, text)

    detail = api.get(conversation).json()

    assert CONTRACT.schema("ConversationDetail").is_valid(detail), detail
    assert set(detail) == {*CONVERSATION_KEYS, "items"}
    assert [item["role"] for item in detail["items"]] == ["user", "assistant", "user", "assistant"]
    assert [item["parts"] for item in detail["items"][::2]] == [
        [{"type": "text", "text": "first"}],
        [{"type": "text", "text": "second"}],
    ]


@pytest.mark.clause("2.4", "2.5", "2.6", "2.7")
def test_a_conversation_of_another_app_is_not_found(api: Api) -> None:
    foreign = api.beside().created(title="Theirs")

    for answer in (api.get(foreign), api.update(foreign, title="t"), api.delete(foreign), api.send(foreign, "hello")):
        assert_error(answer, 404, "not_found")
    assert api.beside().get(foreign).json()["title"] == "Theirs"


# Lists


@pytest.mark.clause("2.2", "3.7")
def test_a_list_shows_whole_conversations_newest_first(api: Api) -> None:
    rows = [api.create(title=title).json() for title in ("a", "b", "c")]

    listed = api.list()

    assert listed.status_code == 200
    assert listed.json() == {
        "data": rows[::-1],
        "object": "list",
        "first_id": rows[2]["id"],
        "last_id": rows[0]["id"],
        "has_more": False,
    }


@pytest.mark.clause("2.2", "2.3", "3.7", "5.3")
def test_an_empty_list_has_no_ids(api: Api) -> None:
    empty: dict[str, Any] = {"data": [], "object": "list", "first_id": None, "last_id": None, "has_more": False}

    assert api.list().json() == empty
    assert api.list_of_user("nobody").json() == empty


@pytest.mark.clause("2.3", "5.3")
def test_a_users_list_has_the_conversations_of_that_user_alone(api: Api) -> None:
    users = ["ann", "bob", "ann", None, "", "Ann"]
    ids = [api.created(external_user_id=user) for user in users]

    listed = api.list_of_user("ann")

    assert listed.status_code == 200
    assert [row["id"] for row in listed.json()["data"]] == [ids[2], ids[0]]
    assert {row["external_user_id"] for row in listed.json()["data"]} == {"ann"}


@pytest.mark.clause("5.3")
def test_no_list_reaches_the_empty_user(api: Api) -> None:
    api.created(external_user_id="")

    assert_error(api.list_of_user(""), 404, "not_found")
    assert len(api.list().json()["data"]) == 1


@pytest.mark.clause("2.3", "4.5", "5.3")
@given(user=strategies.user_ids)
@settings(max_examples=examples(60, quick=15))
def test_user_ids_of_any_characters_find_their_conversations(shared: AsgiClient, user: str) -> None:
    api = Api(shared, "app_of_users")
    api.created(external_user_id=user + "x")
    wanted = api.created(external_user_id=user)

    rows = api.list_of_user(user).json()["data"]
    assert rows[0]["id"] == wanted
    assert {row["external_user_id"] for row in rows} == {user}


# Update


@pytest.mark.clause("2.5", "3.5")
@pytest.mark.parametrize("title", ["Renamed", "", "Déménagement 🏠", "a" * 10_000])
def test_a_custom_title_can_be_set(api: Api, title: str) -> None:
    created = api.create(external_user_id="ann", metadata={"plan": 1}).json()

    updated = api.update(created["id"], title=title)

    assert updated.status_code == 200
    assert updated.json() == {**created, "title": title}
    assert api.get(created["id"]).json()["title"] == title
    assert api.list().json()["data"] == [updated.json()]


@pytest.mark.clause("2.5", "3.5")
def test_null_clears_the_custom_title(api: Api) -> None:
    created = api.create(title="Support inquiry").json()

    updated = api.update(created["id"], title=None).json()

    assert_conversation(updated)
    assert updated == {**created, "title": None}


@pytest.mark.clause("3.5", "3.16")
@pytest.mark.parametrize("body", [{}, {"titel": "x"}, {"metadata": {"a": 1}, "external_user_id": "eve", "id": "x"}])
def test_an_update_without_a_title_changes_nothing(api: Api, body: dict[str, Any]) -> None:
    created = api.create(title="Support inquiry", external_user_id="ann", metadata={"plan": 1}).json()

    assert api.update(created["id"], **body).json() == created
    assert api.get(created["id"]).json() == {**created, "items": []}


# Delete


@pytest.mark.clause("2.6", "3.6")
def test_a_deletion_is_confirmed(api: Api) -> None:
    conversation = api.created()

    deleted = api.delete(conversation)

    assert deleted.status_code == 200
    assert deleted.json() == {"id": conversation, "object": "conversation", "deleted": True}


@pytest.mark.clause("5.5")
def test_a_deleted_conversation_is_not_found_any_more(api: Api) -> None:
    conversation = api.created()
    api.delete(conversation)

    for answer in (
        api.get(conversation),
        api.update(conversation, title="t"),
        api.delete(conversation),
        api.send(conversation, "hello"),
        api.send(conversation, "hello", stream=True),
    ):
        assert_error(answer, 404, "not_found")


@pytest.mark.clause("5.5")
def test_a_deleted_conversation_is_gone_from_all_lists(api: Api) -> None:
    kept, gone = (api.created(external_user_id="ann") for _ in range(2))

    api.delete(gone)

    assert [row["id"] for row in api.list().json()["data"]] == [kept]
    assert [row["id"] for row in api.list_of_user("ann").json()["data"]] == [kept]


@pytest.mark.clause("5.5")
def test_a_new_conversation_never_takes_a_deleted_ones_place(api: Api) -> None:
    gone = api.created()
    api.delete(gone)

    again = api.created()

    assert again != gone
    assert [row["id"] for row in api.list().json()["data"]] == [again]
