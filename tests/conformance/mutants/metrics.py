"""Breaks of what an app counts and says of itself."""

from __future__ import annotations

from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import Memory
from tests.conformance.mutants.values import Json, dumps, fields, loads
from tests.conformance.wire import Answer, Ask, Request


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


@seams.body("metrics", clauses="5.6")
def messages_count_twice(value: Json, memory: Memory) -> None:
    value["total_messages"] *= 2


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
