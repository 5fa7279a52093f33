"""Breaks of metadata and titles."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import LISTS, SHOWING, Memory
from tests.conformance.mutants.values import Json, error_of, fields, loads, refusal, rows, with_fields
from tests.conformance.wire import Answer, Ask, Request


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


@seams.body("get", clauses="5.1")
def an_untitled_conversation_is_titled_anew_with_every_exchange(value: Json, memory: Memory) -> None:
    exchanges = sum(item["role"] == "user" for item in value["items"])
    if value["title"] is None and exchanges > 1:
        value["generated_title"]["en-ca"] += f" {exchanges}"


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def an_empty_title_is_null(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["title"] = row["title"] or None


@seams.body(*SHOWING, *LISTS, clauses="5.1")
def a_custom_title_stands_alone(value: Json, memory: Memory) -> None:
    for row in rows(value):
        row["generated_title"] = row["generated_title"] if row["title"] is None else None
