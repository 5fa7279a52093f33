"""Breaks of replies as JSON, of the history and of completions."""

from __future__ import annotations

import json
from dataclasses import replace

from sandbox import Settings
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import APP, Memory
from tests.conformance.mutants.values import Json, dumps, error_of, fields, loads, refusal, with_fields
from tests.conformance.wire import Answer, Ask, Request

WITH_FORMS = Settings(apps={APP: {"generative_ui": True}})
STREAMING = Settings(apps={APP: {"stream": True}})


@seams.body("send", clauses="3.9")
def a_reply_names_another_conversation(value: Json, memory: Memory) -> None:
    value["conversation_id"] = value["conversation_id"][::-1]


@seams.body("send", clauses="3.9 3.10")
def a_reply_says_nothing(value: Json, memory: Memory) -> None:
    value["output"] = []


@seams.body("send", clauses="3.9")
def a_reply_has_a_strange_status(value: Json, memory: Memory) -> None:
    value["status"] = "done"


@seams.body("send", clauses="3.10 3.9")
def content_is_a_text(value: Json, memory: Memory) -> None:
    for item in value["output"]:
        if item["type"] == "message":
            item["content"] = item["content"][0]["text"]


@seams.body("send", clauses="3.10 8.1 3.9")
def arguments_are_an_object(value: Json, memory: Memory) -> None:
    for item in value["output"]:
        if item.get("arguments"):
            item["arguments"] = json.loads(item["arguments"])


@seams.body("send", clauses="8.1")
def tools_are_in_capitals(value: Json, memory: Memory) -> None:
    for item in value["output"]:
        if item["type"] == "function_call":
            item["name"] = item["name"].upper()


@seams.body("send", clauses="10.3")
def no_call_is_a_clients(value: Json, memory: Memory) -> None:
    for item in value["output"]:
        if item["type"] == "function_call":
            item["arguments"] = item["arguments"] or "{}"


@seams.body("get", clauses="3.4")
def the_users_words_are_trimmed(value: Json, memory: Memory) -> None:
    for item in value["items"]:
        for part in item["parts"]:
            if item["role"] == "user":
                part["text"] = part["text"].encode("ascii", "replace").decode()


@seams.body("get", clauses="3.4 5.8")
def the_reply_is_not_kept(value: Json, memory: Memory) -> None:
    value["items"] = [item for item in value["items"] if item["role"] == "user"]


@seams.body("get", clauses="5.8")
def the_newest_item_comes_first(value: Json, memory: Memory) -> None:
    value["items"].reverse()


@seams.body("get", clauses="3.4 3.3 5.8")
def calls_are_parts_of_another_type(value: Json, memory: Memory) -> None:
    for item in value["items"]:
        for part in item["parts"]:
            part["type"] = part["type"].replace("-", "_")


@seams.body("get", clauses="3.4")
def items_are_numbered(value: Json, memory: Memory) -> None:
    for number, item in enumerate(value["items"]):
        item["id"] = f"msg_{number:024x}"


@seams.body("get", clauses="5.7")
def items_have_short_ids(value: Json, memory: Memory) -> None:
    for item in value["items"]:
        item["id"] = item["id"][:20]


@seams.body("get", clauses="3.3 3.4")
def items_have_a_strange_role(value: Json, memory: Memory) -> None:
    for item in value["items"]:
        item["role"] = {"assistant": "agent"}.get(item["role"], item["role"])


@seams.body("send", clauses="5.8")
def a_failed_reply_is_completed(value: Json, memory: Memory) -> None:
    value["status"] = "completed"


@seams.answer("send", clauses="5.8 4.11")
def a_failed_reply_is_500(request: Request, answer: Answer) -> Answer:
    failed = b'"status":"failed"' in answer.body and answer.body.startswith(b"{")
    return refusal(500, "internal_error") if failed else answer


@seams.body("send", clauses="5.8")
def a_failed_reply_says_sorry(value: Json, memory: Memory) -> None:
    if value["status"] == "failed":
        value["output"] = [{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Sorry"}]}]


@seams.whole("get", clauses="5.8")
async def a_failed_reply_leaves_nothing(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    value["items"] = [item for item in value["items"] if item["parts"][0].get("text") != "[[fail]]"]
    return answer.saying(dumps(value))


@seams.request("send", clauses="6.3 10.3")
def nothing_is_ever_cut(request: Request) -> Request:
    text = request.body.replace(b"[[cut]]", b"[[odd]]")
    return replace(request, body=text)


@seams.request("send", clauses="10.3")
def an_echo_is_trimmed(request: Request) -> Request:
    return replace(request, body=request.body.replace(b"[[echo]] ", b"[[echo]] ~"))


@seams.request("send", clauses="6.1")
def streams_are_the_default(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "stream": True}) if body and body.get("stream") is None else request


@seams.request("send", clauses="6.1", settings=STREAMING)
def the_apps_setting_is_overlooked(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "stream": False}) if body and body.get("stream") is None else request


@seams.request("send", clauses="6.1")
def nothing_is_streamed(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "stream": False}) if body.get("stream") is True else request


@seams.body("send", clauses="6.4")
def a_form_comes_without_being_on(value: Json, memory: Memory) -> None:
    patch = {"op": "add", "path": "/root", "value": "x"}
    value["output"].append({"type": "data_spec", "data": {"type": "patch", "patch": patch}})


@seams.body("send", clauses="7.1", settings=WITH_FORMS)
def a_forms_root_comes_last(value: Json, memory: Memory) -> None:
    specs = [item for item in value["output"] if item["type"] == "data_spec"]
    rest = [item for item in value["output"] if item["type"] != "data_spec"]
    value["output"] = [*rest, *specs[1:], *specs[:1]]


@seams.body("complete", clauses="3.12")
def a_completion_is_a_response(value: Json, memory: Memory) -> None:
    value["id"] = value["id"].replace("cmpl_", "resp_")


@seams.body("complete", clauses="3.12")
def a_completion_has_no_text(value: Json, memory: Memory) -> None:
    del value["text"]


@seams.body("complete", clauses="5.7")
def completions_share_an_id(value: Json, memory: Memory) -> None:
    value["id"] = memory.setdefault("id", value["id"])


@seams.body("complete", clauses="10.3")
def a_completion_is_trimmed(value: Json, memory: Memory) -> None:
    value["text"] = value["text"].strip()


@seams.answer("complete", clauses="3.12")
def a_failed_completion_is_500(request: Request, answer: Answer) -> Answer:
    failed = b'"status":"failed"' in answer.body and answer.body.startswith(b"{")
    return refusal(500, "internal_error") if failed else answer


@seams.body("complete", clauses="3.12")
def a_failed_completion_says_sorry(value: Json, memory: Memory) -> None:
    value["text"] = value["text"] or "Sorry"


@seams.request("complete", clauses="6.1")
def completions_stream_by_default(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "stream": True}) if body and body.get("stream") is None else request


@seams.whole("complete", clauses="2.8")
async def a_completion_makes_a_conversation(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status == 200:
        await ask(with_fields(replace(request, path=request.path.replace("completions", "conversations")), {}))
    return answer


@seams.answer("complete", clauses="3.11")
def a_prompt_is_measured_in_bytes(request: Request, answer: Answer) -> Answer:
    prompt = fields(request).get("prompt")
    long = isinstance(prompt, str) and len(prompt.encode("utf-8", "replace")) > 32_000
    return refusal(422, "invalid_request_error") if long and answer.status == 200 else answer


@seams.whole("complete", clauses="3.11")
async def a_prompt_may_be_of_any_length(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    body = fields(request)
    return await ask(with_fields(request, {**body, "prompt": "x"})) if _is_long(answer) else answer


def _is_long(answer: Answer) -> bool:
    return error_of(answer).get("code") in ("too_long", "too_short")


@seams.request("send", clauses="3.8 4.2")
def a_message_may_have_any_role(request: Request) -> Request:
    body = fields(request)
    message = body.get("message")
    if not isinstance(message, dict) or "role" not in message:
        return request
    return with_fields(request, {**body, "message": {**message, "role": "user"}})
