"""Send a message: the Response, what the history keeps of it, and the ids (clauses 2.7, 3.4, 3.8 to 3.10, 5.7, 5.8)."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from typing import Any

import pytest
from starlette.types import Message

from sandbox.contract import load
from tests.api.conftest import MakeApi
from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.in_process import AsgiClient, in_process

CONTRACT = load()
CALL_KEYS = {"type", "name", "arguments", "call_id"}


@pytest.mark.clause("2.7", "3.8", "3.9", "3.10", "1.3")
def test_a_message_is_answered_with_a_response(api: Api) -> None:
    conversation = api.created()

    answer = api.send(conversation, "Hello, what are your opening hours?")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    response = answer.json()
    assert CONTRACT.schema("MessageResponse").is_valid(response), response
    assert set(response) == {"id", "created_at", "conversation_id", "object", "output", "status"}
    assert (response["object"], response["status"]) == ("response", "completed")
    assert (response["conversation_id"], response["created_at"]) == (conversation, NOW)
    assert response["output"][0]["content"][0]["text"]


@pytest.mark.clause("3.8")
@pytest.mark.parametrize("role", [{}, {"role": "user"}])
def test_the_role_is_user_and_may_be_left_out(api: Api, role: dict[str, str]) -> None:
    conversation = api.created()

    answer = api.transport.request("POST", api.url(conversation), json={"message": {"content": "hi", **role}})

    assert answer.json()["status"] == "completed"
    assert api.items(conversation)[0]["role"] == "user"


@pytest.mark.clause("3.16")
def test_unknown_fields_of_a_message_are_ignored(api: Api) -> None:
    conversation = api.created()

    answer = api.transport.request(
        "POST",
        api.url(conversation),
        json={"message": {"content": "hi", "name": "x"}, "steam": True, "id": "resp_mine"},
    )

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["id"] != "resp_mine"


@pytest.mark.clause("3.10")
def test_output_items_have_only_the_keys_of_their_type(make_api: MakeApi) -> None:
    api = make_api(generative_ui=True)

    output = api.send(api.created(), "[[tool]] [[form]]").json()["output"]

    keys = {"message": {"type", "role", "content"}, "function_call": CALL_KEYS, "data_spec": {"type", "data"}}
    assert {item["type"] for item in output} == set(keys)
    for item in output:
        assert set(item) == keys[item["type"]]
    assert all(item["role"] == "assistant" for item in output if item["type"] == "message")
    assert all(set(part) == {"type", "text"} for item in output for part in item.get("content", []))


# History


def part_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return what the history must show of an output item, a tool's own answer aside."""
    if item["type"] == "message":
        return {"type": "text", "text": item["content"][0]["text"]}
    if item["type"] == "data_spec":
        return {"type": "data-spec", "data": item["data"]}
    return {
        "type": "tool-call",
        "toolCallId": item["call_id"],
        "toolName": item["name"],
        "input": json.loads(item["arguments"]) if item["arguments"] is not None else {},
    }


@pytest.mark.clause("3.4", "5.8")
def test_the_history_keeps_the_message_then_one_item_with_the_whole_reply(make_api: MakeApi) -> None:
    api = make_api(generative_ui=True)
    conversation = api.created()

    output = api.send(conversation, "[[tool]] [[form]] please").json()["output"]

    said, replied = api.items(conversation)
    assert all(CONTRACT.schema("ConversationItem").is_valid(item) for item in (said, replied))
    assert all(set(item) == {"id", "role", "created_at", "type", "parts"} for item in (said, replied))
    assert (said["role"], said["parts"]) == ("user", [{"type": "text", "text": "[[tool]] [[form]] please"}])
    assert (replied["role"], replied["type"], replied["created_at"]) == ("assistant", "message", NOW)
    parts = [{key: value for key, value in part.items() if key != "output"} for part in replied["parts"]]
    assert parts == [part_of(item) for item in output]


@pytest.mark.clause("3.4", "8.1")
def test_a_client_tools_part_has_no_output_and_a_mappings_has_an_object(api: Api) -> None:
    conversation = api.created()
    api.send(conversation, "[[tool]]")

    parts = [part for part in api.items(conversation)[1]["parts"] if part["type"] == "tool-call"]

    assert all(set(part) == {"type", "toolCallId", "toolName", "input", "output"} for part in parts)
    assert [type(part["output"]) for part in parts] == [dict, type(None)]
    assert [bool(part["input"]) for part in parts] == [True, False]


# How a reply can end: the message, whether it is streamed, who spoke in the history afterwards.
ENDINGS = [
    ("hello", False, "ua"),
    ("hello", True, "ua"),
    ("[[fail]]", False, "u"),
    ("[[fail]]", True, "u"),
    ("[[cut]]", False, "u"),
    ("[[cut]]", True, "u"),
    ("[[cut]] [[fail]]", False, "u"),
    ("[[cut]] [[fail]]", True, "u"),
]


@pytest.mark.clause("5.6", "5.8")
@pytest.mark.parametrize(("message", "stream", "roles"), ENDINGS)
def test_only_a_whole_reply_is_kept_and_the_message_always_is(api: Api, message: str, stream: bool, roles: str) -> None:
    conversation = api.created()

    api.send(conversation, message, stream=stream)

    assert api.roles(conversation) == roles
    assert api.metrics().json()["total_messages"] == len(roles)


@pytest.mark.clause("5.8")
@pytest.mark.parametrize("stream", [False, True])
def test_an_abandoned_reply_is_not_kept(asgi: AsgiClient, api: Api, stream: bool) -> None:
    conversation = api.created()
    body = {"message": {"content": "[[slow]] [[long 300]]"}, "stream": stream}

    asgi.run(asgi.exchange("POST", api.url(conversation), json=body, leave_after=0))

    assert api.roles(conversation) == "u"
    api.send(conversation, "still there?")
    assert api.roles(conversation) == "uua"


@pytest.mark.clause("5.8", "3.9")
def test_a_failed_reply_says_so_and_has_no_output(api: Api) -> None:
    answer = api.send(api.created(), "[[fail]]")

    assert answer.status_code == 200
    response = answer.json()
    assert CONTRACT.schema("MessageResponse").is_valid(response)
    assert (response["status"], response["output"]) == ("failed", [])


@pytest.mark.clause("5.8")
@pytest.mark.parametrize("message", ["hello", "[[long 30]]", "[[tool]]"])
def test_a_streamed_reply_is_kept_just_before_its_last_event(asgi: AsgiClient, api: Api, message: str) -> None:
    """Whoever reads `response.completed` finds the reply in the history; whoever reads less doesn't yet."""
    conversation = api.created()
    path = api.url(conversation)
    seen: list[tuple[bool, int]] = []

    async def look(message: Message) -> None:
        if message.get("body"):
            items = (await asgi.exchange("GET", path)).json()["items"]
            seen.append((b"event: response.completed" in message["body"], len(items)))

    asgi.run(asgi.exchange("POST", path, json={"message": {"content": message}, "stream": True}, on_message=look))

    assert len(seen) > 3
    assert seen == [(False, 1)] * (len(seen) - 1) + [(True, 2)]


@pytest.mark.clause("5.8")
def test_a_json_reply_is_kept_before_its_answer(asgi: AsgiClient, api: Api) -> None:
    path = api.url(api.created())
    seen: list[int] = []

    async def look(message: Message) -> None:
        seen.append(len((await asgi.exchange("GET", path)).json()["items"]))

    asgi.run(asgi.exchange("POST", path, json={"message": {"content": "hello"}}, on_message=look))

    assert seen == [2, 2]


@pytest.mark.clause("5.6", "5.8")
def test_messages_that_cross_are_all_answered_and_kept(asgi: AsgiClient, api: Api) -> None:
    path = api.url(api.created())

    async def together() -> list[Any]:
        bodies = [{"message": {"content": f"[[slow 10]] number {n} [[tool]]"}, "stream": n % 2 == 0} for n in range(8)]
        return await asyncio.gather(*(asgi.exchange("POST", path, json=body) for body in bodies))

    answers = asgi.run(together())

    assert {answer.status_code for answer in answers} == {200}
    items = asgi.request("GET", path).json()["items"]
    assert sorted(item["role"] for item in items) == ["assistant"] * 8 + ["user"] * 8
    assert len({item["id"] for item in items}) == 16
    calls = [part["toolCallId"] for item in items for part in item["parts"] if part["type"] == "tool-call"]
    assert len(set(calls)) == len(calls) == 16


# Ids

FORMS = {
    "msg": r"msg_[0-9a-f]{24}",
    "resp": r"resp_[0-9a-f]{24}",
    "cmpl": r"cmpl_[0-9a-f]{24}",
    "call": r"call_[0-9a-f]{24}",
}


def ids_of(api: Api, exchanges: int = 3) -> dict[str, list[str]]:
    """Use an app a little and return every id that it gave."""
    ids: dict[str, list[str]] = {"uuid": [], **{form: [] for form in FORMS}}
    for _ in range(3):
        conversation = api.created()
        ids["uuid"].append(conversation)
        for _ in range(exchanges):
            response = api.send(conversation, "[[tool]]").json()
            ids["resp"].append(response["id"])
            ids["call"] += [item["call_id"] for item in response["output"] if item["type"] == "function_call"]
        ids["msg"] += [item["id"] for item in api.items(conversation)]
        ids["cmpl"].append(api.complete("hello").json()["id"])
    return ids


@pytest.mark.clause("5.7")
def test_ids_have_their_forms(api: Api) -> None:
    ids = ids_of(api)

    assert all(str(uuid.UUID(given)) == given for given in ids["uuid"])
    for form, pattern in FORMS.items():
        assert ids[form]
        assert all(re.fullmatch(pattern, given) for given in ids[form]), ids[form]


@pytest.mark.clause("5.7")
def test_no_id_is_given_twice_in_any_app() -> None:
    with in_process() as client:
        ids = [
            given.partition("_")[2] or given
            for app in ("app_a", "app_b")
            for family in ids_of(Api(client, app)).values()
            for given in family
        ]

    assert len(ids) > 100
    assert len(set(ids)) == len(ids)


@pytest.mark.clause("5.7")
def test_a_failed_reply_spends_its_ids(api: Api) -> None:
    conversation = api.created()

    failed, good = (api.send(conversation, text).json()["id"] for text in ("[[fail]]", "hello"))

    assert failed != good


# Tools


@pytest.mark.clause("8.1", "3.10")
def test_a_mapping_has_json_arguments_and_a_client_tool_none(make_api: MakeApi) -> None:
    api = make_api(
        tools=[
            {"name": "find_policy", "kind": "mapping", "when": ["policy"], "arguments": {"plan": "term_life", "n": 1}},
            {"name": "open_map", "kind": "client", "when": ["map"]},
        ]
    )

    output = api.send(api.created(), "[[tool]]").json()["output"]

    calls = [item for item in output if item["type"] == "function_call"]
    assert [set(call) for call in calls] == [CALL_KEYS] * 2
    assert [call["name"] for call in calls] == ["find_policy", "open_map"]
    assert isinstance(json.loads(calls[0]["arguments"]), dict)
    assert calls[1]["arguments"] is None


@pytest.mark.clause("8.1")
def test_a_tool_is_called_when_one_of_its_words_comes_up(make_api: MakeApi) -> None:
    api = make_api(tools=[{"name": "open_map", "kind": "client", "when": ["zanzibar"]}])
    conversation = api.created()

    with_word, without = (
        api.send(conversation, text).json()["output"] for text in ("How do I get to Zanzibar?", "Thank you")
    )

    assert "open_map" in [item.get("name") for item in with_word]
    assert "function_call" not in [item["type"] for item in without]


@pytest.mark.clause("8.1")
def test_the_tools_of_an_app_that_sets_none_are_one_of_each_kind(api: Api) -> None:
    output = api.send(api.created(), "[[tool]]").json()["output"]

    calls = [item for item in output if item["type"] == "function_call"]
    assert [call["arguments"] is None for call in calls] == [False, True]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", call["name"]) for call in calls)
