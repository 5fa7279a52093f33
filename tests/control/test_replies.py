"""Scripted replies: what they say is what the client gets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.app_driver import AppDriver
from tests.support.errors import assert_error
from tests.support.in_process import in_process
from tests.support.sse import read

HELLO = {"type": "message", "text": "Booked."}
OUTPUT: list[dict[str, Any]] = [
    {"type": "message", "text": "Bonjour Maëlle 👩‍👩‍👧‍👦, c’est fait:\n- une\n- deux"},
    {"type": "function_call", "name": "book_appointment", "arguments": {"date": "2026-03-03", "n": 1.5}},
    {"type": "function_call", "name": "open_camera", "arguments": None},
    {"type": "data_spec", "patch": {"op": "add", "path": "/root", "value": "form"}},
    {"type": "form", "title": "Details", "fields": [{"label": "Email", "name": "email"}]},
    {"type": "message", "text": ""},
]


def said(driver: AppDriver, text: str = "Hello") -> str:
    """Send a message to a new conversation and return the first words of the answer."""
    output = driver.api.send(driver.api.created(), text).json()["output"]
    return str(output[0]["content"][0]["text"])


def test_what_it_says_is_what_the_client_gets(driver: AppDriver) -> None:
    driver.reply(*OUTPUT)
    output = driver.api.send(driver.api.created(), "Hello").json()["output"]
    assert output[0]["content"] == [{"type": "text", "text": OUTPUT[0]["text"]}]
    assert (output[1]["name"], output[1]["arguments"]) == ("book_appointment", '{"date":"2026-03-03","n":1.5}')
    assert (output[2]["name"], output[2]["arguments"]) == ("open_camera", None)
    assert output[3]["data"] == {"type": "patch", "patch": OUTPUT[3]["patch"]}
    assert "Email" in str(output[4:-1])
    assert output[-1]["content"][0]["text"] == ""


@pytest.mark.parametrize("output", [OUTPUT, [], *([item] for item in OUTPUT)])
def test_json_and_stream_say_the_same(driver: AppDriver, output: list[dict[str, Any]]) -> None:
    beside = AppDriver(driver.client, f"{driver.app_id}.beside")
    for each in (driver, beside):
        each.reply(*output)
    whole = driver.api.send(driver.api.created(), "Hello").json()
    streamed = read(beside.api.stream(beside.api.created(), "Hello"))
    assert without_ids(streamed.output) == without_ids(whole["output"])
    assert streamed.status == whole["status"] == "completed"


def without_ids(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "call_id"} for item in output]


@pytest.mark.parametrize("stream", [False, True])
def test_a_script_can_fail(driver: AppDriver, stream: bool) -> None:
    driver.reply(HELLO, {"type": "fail", "message": "The model is overloaded."})
    conversation = driver.api.created()
    answer = driver.api.send(conversation, "Hello", stream=stream)
    assert '"failed"' in answer.text
    assert "Booked" not in answer.text
    assert ("The model is overloaded." in answer.text) is stream
    assert driver.api.roles(conversation) == "u"


def test_a_completion_is_scripted_too(driver: AppDriver) -> None:
    driver.reply({"type": "function_call", "name": "x"}, HELLO, {"type": "message", "text": "Bye."})
    assert driver.api.complete("Hello").json()["text"] == "Booked.\n\nBye."
    assert driver.replies == []


@pytest.mark.parametrize("word", ["[[fail]]", "[[cut]]", "[[slow 600000]]", "[[form]]", "[[echo]] x", "[[nonsense]]"])
def test_special_words_do_not_act(driver: AppDriver, word: str) -> None:
    driver.reply({"type": "message", "text": f"{word} {word}"})
    assert said(driver, f"{word} Hello") == f"{word} {word}"


# Each row: what a script waits for, a message, whether it answers it.
CONTAINS = [
    (None, "anything", True),
    ("appointment", "An APPOINTMENT, please", True),
    ("appointment", "An appoint-ment, please", False),
    ("straße", "STRASSE", True),
    (["bye", "ciao"], "so: Ciao!", True),
    (["bye", "ciao"], "hello", False),
    ("[[fail]]", "now [[fail]]", True),
]


@pytest.mark.parametrize(("contains", "message", "answers"), CONTAINS)
def test_it_answers_what_contains_its_word(driver: AppDriver, contains: Any, message: str, answers: bool) -> None:
    driver.reply(HELLO, contains=contains)
    driver.reply({"type": "message", "text": "something else"})
    assert said(driver, message) == ("Booked." if answers else "something else")


def test_the_oldest_that_matches_answers_as_often_as_it_says(driver: AppDriver) -> None:
    driver.reply({"type": "message", "text": "one"}, times=2)
    driver.reply({"type": "message", "text": "two"}, times=None)
    assert [said(driver) for _ in range(4)] == ["one", "one", "two", "two"]


def test_skip_lets_the_first_messages_pass(driver: AppDriver) -> None:
    driver.reply(HELLO, skip=2, contains="hello")
    assert [said(driver, text) == "Booked." for text in ("hello", "bonjour", "hello", "hello")] == [
        False,
        False,
        False,
        True,
    ]


def test_a_message_that_is_refused_uses_none_up(driver: AppDriver) -> None:
    driver.reply(HELLO)
    driver.api.send("00000000-0000-4000-8000-000000000000", "Hello")
    driver.api.send(driver.api.created(), "Hello", stream="yes")
    assert said(driver) == "Booked."


def test_what_waits_is_listed_and_can_be_removed(driver: AppDriver) -> None:
    first = driver.reply(HELLO, contains="a", pace={"first_ms": 1, "delta_ms": 2})
    second = driver.reply(HELLO, times=None)
    assert [reply["id"] for reply in driver.replies] == [first["id"], second["id"]]
    assert first["pace"] == {"first_ms": 1, "delta_ms": 2}
    assert second["contains"] is None
    assert driver.call("DELETE", f"/replies/{first['id']}").status_code == 204
    assert_error(driver.call("DELETE", f"/replies/{first['id']}"), 404, "not_found", param="reply_id")
    assert driver.call("DELETE", "/replies").status_code == 204
    assert driver.replies == []


# Each row: a script that can't be, and the place of its fault.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "output"),
    ({"output": "Hi"}, "output"),
    ({"output": [{"type": "message"}]}, "output[0].text"),
    ({"output": [{"text": "Hi"}]}, "output[0].type"),
    ({"output": [{"type": "song"}]}, "output[0].type"),
    ({"output": [HELLO, {"type": "function_call", "name": "No Name"}]}, "output[1].name"),
    ({"output": [{"type": "message", "text": "Hi", "name": "x"}]}, "output[0].name"),
    ({"output": [{"type": "form", "title": "t", "fields": []}]}, "output[0].fields"),
    ({"output": [HELLO], "times": 0}, "times"),
    ({"output": [HELLO], "contains": ""}, "contains"),
    ({"output": [HELLO], "contains": []}, "contains"),
    ({"output": [HELLO], "contain": "x"}, "contain"),
    ({"output": [HELLO], "pace": {"first_ms": 600_001}}, "pace.first_ms"),
]


@pytest.mark.parametrize(("body", "param"), WRONG)
def test_a_wrong_script_is_refused_by_place(driver: AppDriver, body: dict[str, Any], param: str) -> None:
    assert_error(driver.call("POST", "/replies", body), 422, "invalid_request_error", param=param)
    assert driver.replies == []


@pytest.mark.memory
def test_a_form_comes_patch_by_patch_at_its_pace() -> None:
    with in_process() as client:
        client.request("PATCH", "/_sandbox/apps/app_x", json={"generative_ui": True})
        output = [{"type": "form", "title": "Details", "fields": [{"label": "Name"}]}]
        client.request(
            "POST", "/_sandbox/apps/app_x/replies", json={"output": output, "pace": {"first_ms": 0, "delta_ms": 10_000}}
        )
        conversation = client.request("POST", "/v1/apps/app_x/conversations", json={}).json()["id"]
        client.waits.clear()
        body = {"message": {"content": "Hello"}, "stream": True}
        client.request("POST", f"/v1/apps/app_x/conversations/{conversation}", json=body)
        due = [round(wait / 10) * 10 for wait in client.waits if wait]
    # the root, the card, its field and its button, each with its `output_item.done`; then completed
    assert due == [10, 10, 20, 20, 30, 30, 40, 40, 40]


@pytest.mark.memory
def test_a_script_has_a_pace_of_its_own_kept_by_schedule() -> None:
    """Each event is due so long after the request: if one is late, those after it are not (real time in bench/)."""
    with in_process() as client:
        pace = {"first_ms": 100_000, "delta_ms": 10_000}
        script = {"output": [{"type": "message", "text": "one two three"}], "pace": pace}
        client.request("POST", "/_sandbox/apps/app_x/replies", json=script)
        client.waits.clear()
        answer = client.request("POST", "/v1/apps/app_x/completions", json={"prompt": "Hello", "stream": True})
        due = [round(wait / 10) * 10 for wait in client.waits if wait]
    assert len(answer.events) == 6
    # before anything, then created, three deltas, done, completed
    assert due == [100, 100, 110, 120, 130, 130, 130]
