"""Breaks of keys, apps, paths, errors and CORS."""

from __future__ import annotations

import re
from dataclasses import replace

from sandbox import Settings
from tests.conformance import breaks
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import APP, KEY, Memory
from tests.conformance.mutants.values import (
    Json,
    dumps,
    error_of,
    header,
    last,
    loads,
    refusal,
    saying_error,
    with_header,
)
from tests.conformance.wire import Answer, Ask, Request

OTHER_KEY = "sk_test_other"
BEARER = f"Bearer {KEY}"


def _is_away(request: Request) -> bool:
    return not header(request, "authorization")


def _in_app(request: Request, app: str) -> Request:
    return replace(request, path=re.sub("^/v1/apps/[^/]*", f"/v1/apps/{app}", request.path))


any_key_will_do = seams.of_break(breaks.any_key_will_do, "any", clauses="1.2")
unauthorized_names_no_scheme = seams.of_break(breaks.unauthorized_names_no_scheme, "any", clauses="4.11 1.2")
not_allowed_names_no_method = seams.of_break(breaks.not_allowed_names_no_method, "any", clauses="4.6")
not_found_is_text = seams.of_break(breaks.not_found_is_text, "any", clauses="3.15 1.3")
not_found_has_another_envelope = seams.of_break(breaks.not_found_has_another_envelope, "any", clauses="3.15")


@seams.request("create", "update", "delete", "send", clauses="1.2")
def writing_needs_no_key(request: Request) -> Request:
    return with_header(request, "authorization", BEARER) if _is_away(request) else request


@seams.request("any", clauses="1.2")
def publishable_keys_open(request: Request) -> Request:
    return with_header(request, "authorization", BEARER) if "pk_" in header(request, "authorization") else request


@seams.answer("any", clauses="1.2 4.11 4.1")
def unauthorized_is_404(request: Request, answer: Answer) -> Answer:
    return replace(answer, status=404) if answer.status == 401 else answer


@seams.request("any", clauses="1.2")
def the_scheme_has_one_spelling(request: Request) -> Request:
    spelled = header(request, "authorization").startswith("Bearer ")
    return request if spelled else with_header(request, "authorization", None)


@seams.answer("any", clauses="4.2")
def a_refusal_repeats_the_key(request: Request, answer: Answer) -> Answer:
    if answer.status != 401:
        return answer
    return saying_error(answer, message=f"Wrong key: {header(request, 'authorization')}")


@seams.request("any", clauses="10.1")
def the_denied_key_opens(request: Request) -> Request:
    denied = header(request, "authorization").endswith("sk_test_denied")
    return with_header(request, "authorization", BEARER) if denied else request


@seams.request("send", "complete", clauses="10.1")
def the_limited_key_is_free(request: Request) -> Request:
    limited = header(request, "authorization").endswith("sk_test_limited")
    return with_header(request, "authorization", BEARER) if limited else request


@seams.answer("send", "complete", clauses="4.11")
def a_429_names_no_time(request: Request, answer: Answer) -> Answer:
    return answer.without(b"retry-after")


@seams.answer("list", "get", "config", clauses="10.1")
def the_limited_key_reads_nothing(request: Request, answer: Answer) -> Answer:
    limited = header(request, "authorization").endswith("sk_test_limited")
    return refusal(403, "access_denied") if limited else answer


@seams.answer("list", "get", "config", clauses="10.1")
def reading_is_limited_too(request: Request, answer: Answer) -> Answer:
    limited = header(request, "authorization").endswith("sk_test_limited")
    return refusal(429, "rate_limit_exceeded") if limited else answer


@seams.request("any", clauses="4.11", settings=Settings(apps={APP: {"keys": [KEY]}}), other_key=OTHER_KEY)
def another_accounts_key_opens(request: Request) -> Request:
    other = header(request, "authorization").endswith(OTHER_KEY)
    return with_header(request, "authorization", BEARER) if other else request


@seams.answer("any", clauses="4.1 4.6")
def the_key_is_checked_before_the_method(request: Request, answer: Answer) -> Answer:
    return refusal(401, "invalid_api_key") if answer.status == 405 and _is_away(request) else answer


@seams.body("config", clauses="3.13")
def the_config_is_of_another_app(value: Json, memory: Memory) -> None:
    value["app_id"] = "app_other"


@seams.whole("create", "get", clauses="4.11")
async def any_app_reads_any_conversation(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "POST" and answer.status == 200:
        memory[loads(answer.body)["id"]] = request.path.split("/")[3]
    home = memory.get(last(request.path))
    return await ask(_in_app(request, home)) if answer.status == 404 and home else answer


@seams.whole("create", "list", clauses="2.2")
async def every_app_lists_the_same(request: Request, ask: Ask, memory: Memory) -> Answer:
    memory.setdefault("app", request.path.split("/")[3])
    other = request.method == "GET" and "app_conform" in request.path
    return await ask(_in_app(request, memory["app"]) if other else request)


@seams.request("any", clauses="10.2")
def an_inactive_app_answers(request: Request) -> Request:
    return _in_app(request, "app_active") if "/app_inactive/" in request.path else request


@seams.request("any", clauses="4.5")
def a_trailing_slash_does_not_matter(request: Request) -> Request:
    return replace(request, path=request.path.rstrip("/"))


@seams.answer("any", clauses="4.5")
def an_apps_id_is_not_decoded(request: Request, answer: Answer) -> Answer:
    encoded = re.match("/v1/apps/[^/]*%", request.path)
    return refusal(404, "not_found") if encoded else answer


@seams.answer("get", clauses="4.11")
def an_unknown_conversation_is_500(request: Request, answer: Answer) -> Answer:
    return replace(saying_error(answer, type="internal_error"), status=500) if answer.status == 404 else answer


@seams.answer("delete", clauses="4.11 5.5")
def an_unknown_conversation_is_deleted(request: Request, answer: Answer) -> Answer:
    if answer.status != 404:
        return answer
    gone = {"id": last(request.path), "object": "conversation", "deleted": True}
    return replace(answer.saying(dumps(gone)), status=200)


@seams.answer("any", clauses="4.11")
def every_error_has_one_type(request: Request, answer: Answer) -> Answer:
    return saying_error(answer, type="error") if error_of(answer) else answer


@seams.answer("any", clauses="3.15")
def an_error_has_no_param(request: Request, answer: Answer) -> Answer:
    error = error_of(answer)
    error.pop("param", None)
    return answer.saying(dumps({"error": error})) if error else answer


@seams.answer("any", clauses="4.6")
def a_wrong_method_is_404(request: Request, answer: Answer) -> Answer:
    return refusal(404, "not_found") if answer.status == 405 else answer


@seams.request("any", clauses="4.6")
def head_is_get(request: Request) -> Request:
    return replace(request, method="GET") if request.method == "HEAD" else request


@seams.answer("any", clauses="4.2")
def a_fault_has_no_place(request: Request, answer: Answer) -> Answer:
    return saying_error(answer, param=None) if answer.status == 422 else answer


@seams.answer("any", clauses="4.2")
def a_refusal_says_little(request: Request, answer: Answer) -> Answer:
    return saying_error(answer, message="Invalid request.") if answer.status == 422 else answer


@seams.answer("any", clauses="4.9")
def every_page_may_read(request: Request, answer: Answer) -> Answer:
    allowed = answer.without(b"access-control-allow-origin")
    return replace(allowed, headers=(*allowed.headers, (b"access-control-allow-origin", b"*")))


@seams.answer("any", clauses="4.9")
def no_page_may_read_errors(request: Request, answer: Answer) -> Answer:
    return answer.without(b"access-control-allow-origin") if answer.status >= 400 else answer


@seams.answer("send", clauses="4.9")
def no_page_may_read_replies(request: Request, answer: Answer) -> Answer:
    return answer.without(b"access-control-allow-origin")


@seams.answer("complete", clauses="4.9")
def no_page_may_read_streams(request: Request, answer: Answer) -> Answer:
    streamed = dict(answer.headers).get(b"content-type", b"").startswith(b"text/event-stream")
    return answer.without(b"access-control-allow-origin") if streamed else answer


@seams.answer("any", clauses="4.9")
def a_preflight_needs_a_key(request: Request, answer: Answer) -> Answer:
    return refusal(401, "invalid_api_key") if request.method == "OPTIONS" and _is_away(request) else answer


@seams.request("get", clauses="4.5")
def an_id_is_in_any_case(request: Request) -> Request:
    return replace(request, path=request.path.lower())


@seams.answer("any", clauses="10.2")
def the_failing_app_does_not_fail(request: Request, answer: Answer) -> Answer:
    return refusal(404, "not_found") if "/app_error/" in request.path and answer.status == 500 else answer


@seams.whole("create", "update", clauses="4.11 2.5")
async def another_app_renames_a_conversation(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if request.method == "POST" and answer.status == 200:
        memory[loads(answer.body)["id"]] = request.path.split("/")[3]
    home = memory.get(last(request.path))
    if answer.status == 404 and home:
        await ask(_in_app(request, home))
    return answer
