"""Breaks of conversations: what is created, changed, deleted, listed under a user and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from tests.conformance import breaks
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import Json, Memory, dumps, error_of, fields, last, loads, refusal, with_fields
from tests.conformance.wire import Answer, Ask, Request

SHOWING = ("create", "get", "update")
LISTS = ("list", "users")


def rows(value: Json) -> list[Json]:
    """Return the conversations in an answer, of whichever operation."""
    listed: list[Json] = value.get("data", [value])
    return listed


created_is_201 = seams.of_break(breaks.created_is_201, "create", clauses="1.3 2.1 4.10")
a_field_is_missing = seams.of_break(breaks.a_field_is_missing, "create", clauses="3.2")
deleted_lives_on = seams.of_break(breaks.deleted_lives_on, "delete", clauses="5.5")
created_is_forgotten = seams.of_break(breaks.created_is_forgotten, "create", clauses="2.4 3.2")


@seams.body(*SHOWING, clauses="1.3 3.2")
def a_time_is_a_text(value: Json, memory: Memory) -> None:
    value["created_at"] = str(value["created_at"])


@seams.body("create", clauses="3.2")
def an_object_is_null(value: Json, memory: Memory) -> None:
    value["object"] = None


@seams.body("get", *LISTS, clauses="3.2")
def keys_without_value_are_left_out(value: Json, memory: Memory) -> None:
    for row in rows(value):
        for name in ("title", "external_user_id", "metadata"):
            if row[name] is None:
                del row[name]


@seams.body("get", clauses="3.3 3.4")
def a_conversation_has_no_items(value: Json, memory: Memory) -> None:
    del value["items"]


@seams.request("create", clauses="3.2 2.1")
def a_title_is_trimmed(request: Request) -> Request:
    body = fields(request)
    if not isinstance(body.get("title"), str):
        return request
    return with_fields(request, {**body, "title": body["title"].encode("ascii", "ignore").decode().strip()})


@seams.body("create", "get", clauses="3.1 2.1 3.2")
def metadata_are_texts(value: Json, memory: Memory) -> None:
    if value["metadata"]:
        value["metadata"] = {name: str(each) for name, each in value["metadata"].items()}


@seams.body("create", clauses="2.1 3.2")
def creation_hides_the_user(value: Json, memory: Memory) -> None:
    value["external_user_id"] = None


@seams.answer("create", clauses="3.1")
def a_title_is_required(request: Request, answer: Answer) -> Answer:
    return answer if "title" in fields(request) or answer.status != 200 else refusal(422, "invalid_request_error")


@seams.body(*SHOWING, *LISTS, clauses="5.7")
def ids_are_in_capitals(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["id"] = row["id"].upper()


@seams.body("create", clauses="3.2 2.4")
def every_creation_has_the_first_id(value: Json, memory: Memory) -> None:
    value["id"] = memory.setdefault("first", value["id"])


@seams.body(*SHOWING, *LISTS, clauses="1.3")
def times_are_in_milliseconds(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["created_at"] *= 1000


@seams.body("create", clauses="1.3")
def time_runs_backwards(value: Json, memory: Memory) -> None:
    memory["back"] = memory.get("back", 0) + 10
    value["created_at"] -= memory["back"]


@seams.body("get", clauses="1.3")
def a_reply_is_older_than_its_conversation(value: Json, memory: Memory) -> None:
    for item in value["items"]:
        item["created_at"] -= 3600


@seams.request("update", clauses="3.5")
def an_update_changes_nothing(request: Request) -> Request:
    return with_fields(request, {}) if isinstance(fields(request).get("title"), str) else request


@seams.whole("update", clauses="2.5 3.5")
async def an_update_is_forgotten(request: Request, ask: Ask, memory: Memory) -> Answer:
    before = await ask(replace(request, method="GET", body=b""))
    answer = await ask(request)
    if answer.status == 200:
        await ask(with_fields(request, {"title": loads(before.body)["title"]}))
    return answer


@seams.request("update", clauses="3.5")
def a_title_can_not_be_taken_away(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {}) if body.get("title", "") is None else request


@seams.request("update", clauses="3.5")
def an_empty_update_takes_the_title_away(request: Request) -> Request:
    return with_fields(request, {"title": None}) if request.body == b"{}" else request


@seams.body("update", clauses="2.5")
def an_update_loses_the_metadata(value: Json, memory: Memory) -> None:
    value["metadata"] = None


@seams.body("update", "get", "list", clauses="2.5 3.5")
def an_update_changes_every_conversation(value: Json, memory: Memory) -> None:
    if "items" not in value and "data" not in value:
        memory["title"] = value["title"]
    for row in rows(value):
        row["title"] = memory.get("title", row["title"])


@seams.body("delete", clauses="3.6")
def a_deletion_names_another(value: Json, memory: Memory) -> None:
    value["id"] = value["id"][::-1]


@seams.body("delete", clauses="3.6")
def a_deletion_says_no(value: Json, memory: Memory) -> None:
    value["deleted"] = False


@seams.whole("delete", "get", clauses="5.5")
async def deleted_is_still_listed(request: Request, ask: Ask, memory: Memory) -> Answer:
    one = last(request.path)
    if one in memory:
        return refusal(404, "not_found")
    if request.method == "GET" or (await ask(replace(request, method="GET"))).status != 200:
        return await ask(request)
    memory[one] = True
    text = dumps({"id": one, "object": "conversation", "deleted": True})
    return (await ask(replace(request, method="GET"))).saying(text)


@seams.whole("create", "delete", clauses="2.6")
async def a_deletion_takes_the_neighbour_too(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "POST" and answer.status == 200:
        memory["all"] = [*memory.get("all", []), loads(answer.body)["id"]]
    elif answer.status == 200 and memory["all"][-1:] != [last(request.path)]:
        await ask(replace(request, path=request.path.replace(last(request.path), memory["all"][-1])))
    return answer


@seams.answer("users", clauses="5.3")
def an_unknown_user_is_404(request: Request, answer: Answer) -> Answer:
    empty = answer.status == 200 and not loads(answer.body)["data"] and "after" not in request.query
    return refusal(404, "not_found") if empty else answer


@seams.request("users", clauses="5.3")
def a_users_list_is_everybodys(request: Request) -> Request:
    return replace(request, path=request.path.partition("/users/")[0] + "/conversations")


@seams.request("users", clauses="5.3")
def a_users_list_is_empty(request: Request) -> Request:
    return replace(request, path=request.path.partition("/users/")[0] + "/users/nobody-at-all/conversations")


@seams.request("create", "users", clauses="4.5 2.1 5.3")
def users_are_in_lower_case(request: Request) -> Request:
    if request.method == "GET":
        before, _, user = request.path.partition("/users/")
        name = quote(unquote(user.partition("/")[0]).lower(), safe="")
        return replace(request, path=f"{before}/users/{name}/conversations")
    body = fields(request)
    user_id: Any = body.get("external_user_id")
    return with_fields(request, {**body, "external_user_id": user_id.lower()}) if isinstance(user_id, str) else request


@seams.answer("users", clauses="4.5 5.3")
def a_slash_in_a_user_is_404(request: Request, answer: Answer) -> Answer:
    return refusal(404, "not_found") if "%2f" in request.path.lower() else answer


@seams.answer("users", clauses="5.3 4.5")
def a_user_with_an_accent_is_unknown(request: Request, answer: Answer) -> Answer:
    return refusal(404, "not_found") if "%C3" in request.path.upper() else answer


@seams.request("create", clauses="5.3")
def the_empty_user_is_nobody(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "external_user_id": None}) if body.get("external_user_id") == "" else request


@seams.whole("send", clauses="5.2")
async def metadata_are_merged(request: Request, ask: Ask, memory: Memory) -> Answer:
    body, now = fields(request), await ask(replace(request, method="GET", body=b""))
    if not isinstance(body.get("metadata"), dict) or now.status != 200:
        return await ask(request)
    merged = {**(loads(now.body)["metadata"] or {}), **body["metadata"]}
    return await ask(with_fields(request, {**body, "metadata": merged}))


@seams.body("create", "list", clauses="5.2 3.2")
def lists_show_the_first_metadata(value: Json, memory: Memory) -> None:
    if "data" not in value:
        memory[value["id"]] = value["metadata"]
    for row in rows(value):
        row["metadata"] = memory.get(row["id"], row["metadata"])


@seams.request("send", clauses="5.2")
def empty_metadata_keep_the_snapshot(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "metadata": None}) if body.get("metadata") == {} else request


@seams.request("send", clauses="5.2")
def null_metadata_clear_the_snapshot(request: Request) -> Request:
    body = fields(request)
    return with_fields(request, {**body, "metadata": {}}) if body.get("metadata", 0) is None else request


@seams.whole("create", "complete", clauses="5.2")
async def metadata_may_be_of_any_size(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    large = error_of(answer).get("code") == "too_large" and answer.status == 422
    return await ask(with_fields(request, {**fields(request), "metadata": None})) if large else answer


@seams.answer("create", clauses="5.2")
def bytes_of_the_request_count_as_metadata(request: Request, answer: Answer) -> Answer:
    return refusal(422, "invalid_request_error") if len(request.body) > 16_384 + 20 else answer


@seams.body("send", clauses="5.2")
def a_reply_does_not_know_the_name(value: Json, memory: Memory) -> None:
    for item in value["output"]:
        for part in item.get("content", []):
            part["text"] = part["text"].replace("Zoé", "you")


@seams.body(*SHOWING, *LISTS, clauses="5.1 3.2")
def titles_are_in_english_alone(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["generated_title"] = {"en-ca": row["generated_title"]["en-ca"]}


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def the_french_title_is_english(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["generated_title"]["fr-ca"] = row["generated_title"]["en-ca"]


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def no_title_is_ever_generated(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["generated_title"] = None


@seams.body("get", clauses="5.1 3.2")
def a_generated_title_changes(value: Json, memory: Memory) -> None:
    memory["reads"] = memory.get("reads", 0) + 1
    value["generated_title"]["en-ca"] += f" {memory['reads']}"


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def an_empty_title_is_null(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["title"] = row["title"] or None


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def a_custom_title_stands_alone(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["generated_title"] = row["generated_title"] if row["title"] is None else None


@seams.body("metrics", clauses="5.6")
def conversations_are_not_counted(value: Json, memory: Memory) -> None:
    value["total_conversations"] = 7


@seams.body("metrics", clauses="5.6")
def every_conversation_counts_as_a_user(value: Json, memory: Memory) -> None:
    value["total_users"] = value["total_conversations"]


@seams.body("metrics", clauses="5.6")
def users_alone_say_messages(value: Json, memory: Memory) -> None:
    value["total_messages"] //= 2


@seams.body("metrics", clauses="3.14")
def a_count_is_a_text(value: Json, memory: Memory) -> None:
    value["total_users"] = str(value["total_users"])


@seams.whole("delete", "metrics", clauses="5.5")
async def deleted_no_longer_counts(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "DELETE":
        memory["gone"] = memory.get("gone", 0) + (answer.status == 200)
        return answer
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    value["total_conversations"] -= memory.get("gone", 0)
    return answer.saying(dumps(value))


@seams.body("metrics", clauses="5.6")
def reading_counts(value: Json, memory: Memory) -> None:
    memory["reads"] = memory.get("reads", 0) + 1
    value["total_messages"] += memory["reads"]


@seams.body("config", clauses="3.13")
def a_config_has_no_agent(value: Json, memory: Memory) -> None:
    del value["agent"]


@seams.body("config", clauses="3.13")
def a_colour_is_a_word(value: Json, memory: Memory) -> None:
    value["agent"]["config"]["primary_color"] = "orange"


@seams.body("metrics", clauses="5.6")
def messages_are_not_counted(value: Json, memory: Memory) -> None:
    value["total_messages"] = 0


@seams.whole("create", "metrics", clauses="5.3")
async def the_empty_user_counts_each_time(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "POST":
        memory["empty"] = memory.get("empty", 0) + (fields(request).get("external_user_id") == "")
        return answer
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    value["total_users"] += memory.get("empty", 0)
    return answer.saying(dumps(value))


@seams.body("list", clauses="2.4 3.2")
def the_list_shows_another_time(value: Json, memory: Memory) -> None:
    for row in value["data"]:
        row["created_at"] += 1
