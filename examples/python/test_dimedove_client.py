"""A suite against the sandbox: `pytest examples/python` starts one by itself, `-n 4` one for each worker."""

from __future__ import annotations

import pytest
from dimedove_client import ApiError, Client, ConnectionLost

from pytest_dimedove import DimedoveApp

CREATE = "apps_api_create_conversation"
SEND = "apps_api_send_message"


def test_a_conversation_is_created_asked_and_read_again(dimedove_app: DimedoveApp, client: Client) -> None:
    dimedove_app.reply("Vous êtes assurée, Maëlle. 🎉")
    conversation = client.create_conversation(user="user_1", title="Assurance")
    reply = client.send_message(conversation["id"], "Suis-je assurée ?")
    items = client.get_conversation(conversation["id"])["items"]
    assert conversation["title"] == "Assurance"
    assert reply["output"][0]["content"][0]["text"] == "Vous êtes assurée, Maëlle. 🎉"
    assert [item["role"] for item in items] == ["user", "assistant"]


def test_a_lost_answer_is_not_a_second_conversation(dimedove_app: DimedoveApp, client: Client) -> None:
    dimedove_app.fault("after", operation=CREATE, status=502)
    conversation = client.create_conversation(title="Once")
    assert [found["id"] for found in client.list_conversations()] == [conversation["id"]]
    dimedove_app.verify(CREATE, times=1)


def test_an_attempt_that_never_worked_is_made_again(dimedove_app: DimedoveApp, client: Client) -> None:
    dimedove_app.fault("status", operation=CREATE, status=503)
    client.create_conversation(title="Again")
    dimedove_app.verify(CREATE, body={"title": "Again"}, times=2)


def test_a_message_whose_answer_is_lost_is_not_sent_twice(dimedove_app: DimedoveApp, client: Client) -> None:
    conversation = client.create_conversation()
    dimedove_app.fault("after", operation=SEND, status=500)
    with pytest.raises(ApiError):
        client.send_message(conversation["id"], "Hello")
    dimedove_app.verify(SEND, times=1)


@pytest.mark.parametrize("kind", ["reset", "truncate", "malformed", "wrong_type"])
def test_reading_survives(kind: str, dimedove_app: DimedoveApp, client: Client) -> None:
    conversation = client.create_conversation()
    dimedove_app.fault(kind, operation="apps_api_get_conversation")
    assert client.get_conversation(conversation["id"])["id"] == conversation["id"]


def test_a_rate_limit_is_waited_for_as_long_as_it_says(
    dimedove_app: DimedoveApp, client: Client, slept: list[int]
) -> None:
    dimedove_app.settings(rate_limit={"per_minute": 1})
    dimedove_app.clock.freeze()
    conversation = client.create_conversation()
    client.send_message(conversation["id"], "One")
    dimedove_app.clock.advance(18)
    client.send_message(conversation["id"], "Two")
    assert slept == [42]
    assert [entry["status"] for entry in dimedove_app.requests(SEND)] == [200, 429, 200]


def test_a_refusal_is_an_error_with_its_type_and_code(client: Client) -> None:
    with pytest.raises(ApiError, match="expected string, got 5") as caught:
        client.send_message(client.create_conversation()["id"], 5)  # type: ignore[arg-type] # that is the point
    assert (caught.value.status, caught.value.type, caught.value.code) == (422, "invalid_request_error", "wrong_type")


@pytest.mark.parametrize("framing", ["plain", "split", "crlf", "comments", "multiline"])
def test_a_stream_says_the_same_in_every_framing(framing: str, dimedove_app: DimedoveApp, client: Client) -> None:
    text = "Zoé 👩‍👩‍👧: “C’est fait.”"
    dimedove_app.settings(framing=framing)
    dimedove_app.reply(text)
    events = list(client.stream_message(client.create_conversation()["id"], "Bonjour"))
    assert "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta") == text
    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize("kind", ["stream_cut", "stream_garble"])
def test_a_stream_that_breaks_off_is_an_error(kind: str, dimedove_app: DimedoveApp, client: Client) -> None:
    conversation = client.create_conversation()
    dimedove_app.fault(kind, events=2)
    with pytest.raises(ConnectionLost):
        list(client.stream_message(conversation["id"], "Hello"))


def test_a_stream_that_fails_says_so_with_its_last_event(dimedove_app: DimedoveApp, client: Client) -> None:
    conversation = client.create_conversation()
    dimedove_app.fault("stream_fail")
    events = list(client.stream_message(conversation["id"], "Hello"))
    assert events[-1]["type"] == "response.failed"


def test_what_was_sent_can_be_looked_at(dimedove_app: DimedoveApp, client: Client) -> None:
    client.create_conversation(user="user_1", metadata={"first_name": "Zoé"})
    dimedove_app.verify(CREATE, body={"external_user_id": "user_1", "metadata": {"first_name": "Zoé"}}, times=1)
    [entry] = dimedove_app.requests(CREATE)
    assert entry["warnings"] == []
    assert dimedove_app.api_key not in entry["headers"]["authorization"]
