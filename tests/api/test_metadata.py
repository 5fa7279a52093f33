"""The metadata snapshot: what replaces it, when, its size, and that the first reply knows it (clause 5.2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import strategies
from tests.support.api import Api, texts
from tests.support.in_process import AsgiClient, in_process
from tests.support.requirements import examples

OLD = {"first_name": "John", "plan_type": "term_life"}
NEW = {"city": "Montréal", "policies": [{"number": "HAB-204518", "active": True}]}

# What a message says of the metadata, and the snapshot afterwards.
MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "absent keeps it": ({}, OLD),
    "null keeps it": ({"metadata": None}, OLD),
    "an object replaces it whole": ({"metadata": NEW}, NEW),
    "an empty object replaces it too": ({"metadata": {}}, {}),
}


@pytest.mark.clause("5.2")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", MESSAGES)
def test_what_a_message_does_to_the_snapshot(api: Api, case: str, stream: bool) -> None:
    sent, expected = MESSAGES[case]
    conversation = api.created(metadata=OLD)

    api.send(conversation, "hello", stream=stream, **sent)

    assert api.get(conversation).json()["metadata"] == expected
    assert api.list().json()["data"][0]["metadata"] == expected


@pytest.mark.clause("5.2")
def test_a_conversation_without_metadata_gets_it_from_a_message(api: Api) -> None:
    conversation = api.created()

    api.send(conversation, "hello", metadata=NEW)

    assert api.get(conversation).json()["metadata"] == NEW


@pytest.mark.clause("5.2", "5.8")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("message", ["[[fail]]", "[[cut]]", "[[cut]] [[long 40]]"])
def test_the_snapshot_is_kept_even_if_the_reply_is_not(api: Api, message: str, stream: bool) -> None:
    conversation = api.created(metadata=OLD)

    api.send(conversation, message, stream=stream, metadata=NEW)

    assert api.get(conversation).json()["metadata"] == NEW


@pytest.mark.clause("5.2")
def test_the_snapshot_is_kept_before_the_reply_begins(asgi: AsgiClient, api: Api) -> None:
    conversation = api.created(metadata=OLD)
    body = {"message": {"content": "[[slow]]"}, "metadata": NEW}

    path = api.url(conversation)
    answer = asgi.run(asgi.exchange("POST", path, json=body, leave_after=0))

    assert answer.status_code == 0
    assert api.get(conversation).json()["metadata"] == NEW


@pytest.mark.clause("5.2")
@pytest.mark.parametrize(
    "refused",
    [
        {"content": 5, "metadata": NEW},
        {"content": "hello", "metadata": {"a": "x" * 20_000}},
        {"content": "hello", "stream": "yes", "metadata": NEW},
    ],
)
def test_a_refused_message_changes_nothing(api: Api, refused: dict[str, Any]) -> None:
    conversation = api.created(metadata=OLD)

    answer = api.send(conversation, **refused)

    assert answer.status_code == 422
    assert api.get(conversation).json()["metadata"] == OLD
    assert api.items(conversation) == []


@pytest.mark.clause("5.2")
@given(metadata=strategies.metadata)
@settings(max_examples=examples(40, quick=10))
def test_any_metadata_of_a_message_comes_back_as_it_was_sent(shared: AsgiClient, metadata: dict[str, Any]) -> None:
    api = Api(shared, "app_of_metadata")
    conversation = api.created(metadata=OLD)

    api.send(conversation, "[[echo]] hi", metadata=metadata)

    assert api.get(conversation).json()["metadata"] == metadata


# First names


first_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.sampled_from(
    ["John", "Maëlle", "李", "O'Neil", "[[fail]]", "[[cut]]", "*_`", "{name}", "{0}", "%s", "\\n", "شريف", "👩‍👩‍👧"]
)
openings = st.sampled_from(
    ["Hello", "Bonjour", "Where is my order?", "Je veux annuler mon rendez-vous.", "???", "", "[[tool]]", "Merci!"]
)


@pytest.mark.clause("5.2")
@given(name=first_names, message=openings, stream=st.booleans(), with_message=st.booleans())
@settings(max_examples=examples(80, quick=20))
def test_the_first_reply_calls_the_customer_by_name(
    shared: AsgiClient, name: str, message: str, stream: bool, with_message: bool
) -> None:
    """The name may come with the conversation or with the message itself."""
    api = Api(shared, "app_of_names")
    metadata = {"first_name": name, "plan_type": "term_life"}
    conversation = api.created(**({} if with_message else {"metadata": metadata}))

    api.send(conversation, message, stream=stream, **({"metadata": metadata} if with_message else {}))

    parts = api.items(conversation)[1]["parts"]
    assert name in "".join(part["text"] for part in parts if part["type"] == "text")


@pytest.mark.clause("5.2")
@pytest.mark.parametrize("language", ["Where is my order?", "Où est ma commande?"])
@pytest.mark.parametrize("value", ["", None, 5, ["John"], {"en": "John"}, True])
def test_what_is_no_name_is_not_said(api: Api, language: str, value: object) -> None:
    response = api.send(api.created(metadata={"first_name": value}), language).json()

    said = texts(response)
    assert response["status"] == "completed"
    assert not any(word in said for word in ("None", "null", "True", "['John']", "{'en'", " ,", " !"))


@pytest.mark.clause("5.2")
def test_the_messages_own_metadata_is_the_context_of_its_reply(api: Api) -> None:
    conversation = api.created(metadata={"first_name": "Bartholomew"})

    said = texts(api.send(conversation, "Hello", metadata={"first_name": "Zénaïde"}).json())

    assert "Zénaïde" in said
    assert "Bartholomew" not in said


@pytest.mark.clause("5.2")
@pytest.mark.parametrize("lost", ["[[fail]]", "[[cut]]"])
def test_a_reply_that_came_to_nothing_was_not_the_first(lost: str) -> None:
    """Whoever retries a failed first message still gets a first reply that knows the name."""
    with in_process() as client:
        api = Api(client)
        conversation = api.created(metadata={"first_name": "Zénaïde"})
        api.send(conversation, lost)

        assert "Zénaïde" in texts(api.send(conversation, "Hello").json())
