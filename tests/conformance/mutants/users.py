"""Breaks of users and their lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from tests.conformance.mutants import seams
from tests.conformance.mutants.values import fields, loads, refusal, with_fields
from tests.conformance.wire import Answer, Request


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
