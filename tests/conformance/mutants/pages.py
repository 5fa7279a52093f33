"""Breaks of lists: order, limits, cursors and ends."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from tests.conformance import breaks
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import LISTS, Memory
from tests.conformance.mutants.values import Json, dumps, error_of, last, loads, refusal
from tests.conformance.wire import Answer, Ask, Request


def _asked(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _asking(request: Request, **changes: str | None) -> Request:
    query = {name: value for name, value in {**_asked(request), **changes}.items() if value is not None}
    return replace(request, query=urlencode(query))


a_limit_is_clamped = seams.of_break(breaks.a_limit_is_clamped, *LISTS, clauses="5.4")


@seams.body(*LISTS, clauses="3.7")
def there_is_always_more(value: Json, memory: Memory) -> None:
    value["has_more"] = bool(value["data"])


@seams.body(*LISTS, clauses="3.7 5.4")
def there_is_never_more(value: Json, memory: Memory) -> None:
    value["has_more"] = False


@seams.whole(*LISTS, clauses="3.7")
async def a_full_page_means_more(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    value["has_more"] = len(value["data"]) == int(_asked(request).get("limit", "20"))
    return answer.saying(dumps(value))


@seams.request(*LISTS, clauses="5.4")
def the_oldest_come_first(request: Request) -> Request:
    return request if "order" in request.query else _asking(request, order="asc")


@seams.request(*LISTS, clauses="5.4")
def the_order_is_overlooked(request: Request) -> Request:
    return replace(request, query=request.query.replace("order=asc", "order=desc"))


@seams.body(*LISTS, clauses="5.4")
def rows_of_a_second_are_in_any_order(value: Json, memory: Memory) -> None:
    value["data"].sort(key=lambda row: (-row["created_at"], row["id"]))


@seams.request(*LISTS, clauses="5.4")
def a_page_has_ten_rows(request: Request) -> Request:
    return request if "limit" in request.query else _asking(request, limit="10")


@seams.request(*LISTS, clauses="5.4")
def a_page_has_at_most_twenty_rows(request: Request) -> Request:
    return replace(request, query=re.sub("limit=(2[1-9]|[3-9][0-9]|100)(?![0-9])", "limit=20", request.query))


@seams.answer(*LISTS, clauses="5.4")
def a_limit_of_100_is_refused(request: Request, answer: Answer) -> Answer:
    return refusal(422, "invalid_request_error") if "limit=100" in request.query else answer


@seams.whole(*LISTS, clauses="5.4 3.7")
async def a_page_repeats_its_cursor(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    seen = {row["id"]: row for row in value["data"]}
    memory.update(seen)
    cursor = _asked(request).get("after")
    if cursor in memory and value["data"]:
        value["data"] = [memory[cursor], *value["data"][:-1]]
    return answer.saying(dumps(value))


@seams.request(*LISTS, clauses="5.4 3.7")
def after_is_overlooked(request: Request) -> Request:
    return _asking(request, after=None) if "after=" in request.query and "before=" not in request.query else request


@seams.body(*LISTS, clauses="3.7 5.4")
def a_row_comes_twice(value: Json, memory: Memory) -> None:
    value["data"] = value["data"][:1] + value["data"]


@seams.body(*LISTS, clauses="3.7 5.4")
def a_row_is_left_out(value: Json, memory: Memory) -> None:
    del value["data"][4:5]


@seams.whole(*LISTS, clauses="5.4")
async def before_turns_the_page_round(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200 or "before=" not in request.query:
        return answer
    value = loads(answer.body)
    value["data"].reverse()
    return answer.saying(dumps(value))


@seams.request(*LISTS, clauses="5.4")
def before_starts_at_the_beginning(request: Request) -> Request:
    return _asking(request, before=None) if "before=" in request.query and "after=" not in request.query else request


@seams.whole(*LISTS, clauses="5.4")
async def an_unknown_cursor_is_overlooked(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    unknown = error_of(answer).get("code") == "unknown_cursor"
    return await ask(_asking(request, after=None, before=None)) if unknown else answer


@seams.whole(*LISTS, clauses="5.4")
async def of_two_cursors_one_counts(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    return await ask(_asking(request, before=None)) if error_of(answer).get("code") == "conflict" else answer


@seams.whole("delete", *LISTS, clauses="5.4")
async def a_deleted_cursor_is_unknown(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "DELETE":
        memory[last(request.path)] = answer.status == 200
    gone = memory.get(_asked(request).get("after", "")) or memory.get(_asked(request).get("before", ""))
    return refusal(404, "not_found") if gone else answer


@seams.whole("create", "users", clauses="5.4")
async def another_users_cursor_is_unknown(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "POST" and answer.status == 200:
        value = loads(answer.body)
        memory[value["id"]] = value["external_user_id"]
    cursor = _asked(request).get("after") or _asked(request).get("before")
    strange = cursor in memory and f"/users/{memory[cursor]}/" not in request.path
    return refusal(404, "not_found") if strange else answer


@seams.body(*LISTS, clauses="3.7")
def the_ends_are_exchanged(value: Json, memory: Memory) -> None:
    value["first_id"], value["last_id"] = value["last_id"], value["first_id"]


@seams.body(*LISTS, clauses="3.7")
def an_empty_page_has_empty_ids(value: Json, memory: Memory) -> None:
    if not value["data"]:
        value["first_id"] = value["last_id"] = ""


@seams.body(*LISTS, clauses="3.7")
def a_list_is_an_array(value: Json, memory: Memory) -> None:
    value["object"] = "array"


@seams.body("list", clauses="2.2")
def the_apps_list_leaves_users_out(value: Json, memory: Memory) -> None:
    value["data"] = [row for row in value["data"] if row["external_user_id"] is None]


@seams.request("list", clauses="5.4")
def the_apps_list_has_one_order(request: Request) -> Request:
    return replace(request, query=request.query.replace("order=asc", "order=desc"))


@seams.body("list", clauses="5.4 3.7")
def the_apps_list_always_has_more(value: Json, memory: Memory) -> None:
    value["has_more"] = bool(value["data"])


@seams.whole("list", clauses="5.4")
async def the_apps_list_turns_round_before(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200 or "before=" not in request.query:
        return answer
    value = loads(answer.body)
    value["data"].reverse()
    return answer.saying(dumps(value))


@seams.request(*LISTS, clauses="4.8 5.4")
def numbers_may_be_padded(request: Request) -> Request:
    return replace(request, query=re.sub(r"limit=(?:0|\+|%2B|%20)+([1-9])", r"limit=\1", request.query))


@seams.request(*LISTS, clauses="4.8 5.4")
def of_two_limits_the_last_counts(request: Request) -> Request:
    return _asking(request) if request.query.count("limit=") > 1 else request


@seams.answer(*LISTS, clauses="4.8")
def unknown_parameters_are_refused(request: Request, answer: Answer) -> Answer:
    strange = set(_asked(request)) - {"limit", "order", "after", "before"}
    return refusal(422, "invalid_request_error") if strange else answer


@seams.whole("send", *LISTS, clauses="5.4 3.7")
async def a_message_moves_its_conversation(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 200:
        return answer
    if request.method == "POST":
        memory[last(request.path)] = True
        return answer
    value = loads(answer.body)
    value["data"].sort(key=lambda row: row["id"] not in memory)
    return answer.saying(dumps(value))


@seams.whole("users", clauses="5.4")
async def a_walk_counts_from_the_top(request: Request, ask: Ask, memory: Memory) -> Answer:
    asked = _asked(request)
    if not asked.get("limit", "20").isdecimal() or "before" in asked:
        return await ask(request)
    start, limit = memory.get(asked.get("after", ""), 0), int(asked.get("limit", "20"))
    answer = await ask(_asking(request, after=None, limit="100")) if start else await ask(request)
    if answer.status != 200:
        return answer
    value = loads(answer.body)
    rows = value["data"][start:] if start else value["data"]
    value["has_more"] = len(rows) > limit if start else value["has_more"]
    value["data"] = rows[:limit]
    value["first_id"], value["last_id"] = (rows[0]["id"], rows[:limit][-1]["id"]) if rows else (None, None)
    memory.update({row["id"]: start + place for place, row in enumerate(rows[:limit], 1)})
    return answer.saying(dumps(value))
