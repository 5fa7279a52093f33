"""Breaks of the order of checks."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import KEY, Memory
from tests.conformance.mutants.values import header, refusal, saying_error, with_header
from tests.conformance.wire import Answer, Ask, Request

OTHER_KEY = "sk_test_other"
BEARER = f"Bearer {KEY}"


@seams.request("any", clauses="4.1")
def the_app_is_checked_before_the_key(request: Request) -> Request:
    return with_header(request, "authorization", BEARER) if "/app_missing/" in request.path else request


@seams.whole("update", "send", clauses="4.1")
async def the_conversation_is_checked_before_the_body(request: Request, ask: Ask, memory: Memory) -> Answer:
    there = await ask(replace(request, method="GET", body=b""))
    return there if there.status == 404 else await ask(request)


@seams.answer("any", clauses="4.1")
def access_is_checked_before_the_app(request: Request, answer: Answer) -> Answer:
    denied = header(request, "authorization").endswith("sk_test_denied")
    return refusal(403, "access_denied") if denied and "/app_missing/" in request.path else answer


@seams.answer("any", clauses="4.1")
def the_apps_state_is_checked_before_access(request: Request, answer: Answer) -> Answer:
    denied = header(request, "authorization").endswith("sk_test_denied")
    return refusal(403, "app_inactive") if denied and "/app_inactive/" in request.path else answer


@seams.whole("send", "complete", clauses="4.1")
async def the_body_is_checked_before_the_rate_limit(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 429:
        return answer
    free = await ask(with_header(request, "authorization", BEARER))
    return free if free.status in (413, 415, 422) else answer


@seams.whole("create", "update", "send", "complete", clauses="4.1")
async def json_is_checked_before_the_media_type(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 415:
        return answer
    as_json = await ask(with_header(request, "content-type", "application/json"))
    return as_json if as_json.status in (413, 422) else answer


@seams.whole("create", "update", "send", "complete", clauses="4.1")
async def json_is_checked_before_the_size(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 413 or request.body.strip().endswith(b"}"):
        return answer
    return saying_error(replace(answer, status=422), type="invalid_request_error", code="invalid_json")


@seams.whole("list", "users", clauses="4.1")
async def the_cursor_is_checked_before_the_query(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status != 422:
        return answer
    rest = [part for part in request.query.split("&") if part.startswith(("after=", "before="))]
    unknown = await ask(replace(request, query="&".join(rest)))
    return unknown if unknown.status == 404 else answer


@seams.answer("any", clauses="4.1")
def the_key_is_checked_before_the_path(request: Request, answer: Answer) -> Answer:
    nowhere = answer.status == 404 and not header(request, "authorization")
    return refusal(401, "invalid_api_key") if nowhere else answer


@seams.answer("send", "complete", clauses="4.1")
def the_rate_limit_is_checked_before_the_apps_state(request: Request, answer: Answer) -> Answer:
    limited = header(request, "authorization").endswith("sk_test_limited")
    return refusal(429, "rate_limit_exceeded") if limited and answer.status == 403 else answer
