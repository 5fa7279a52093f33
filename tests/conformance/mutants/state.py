"""Breaks of conversations: what is created, changed and deleted."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance import breaks
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import LISTS, SHOWING, Memory
from tests.conformance.mutants.values import Json, dumps, fields, last, loads, refusal, rows, with_fields
from tests.conformance.wire import Answer, Ask, Request

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


@seams.body("list", clauses="2.4 3.2")
def the_list_shows_another_time(value: Json, memory: Memory) -> None:
    for row in value["data"]:
        row["created_at"] += 1
