"""Breaks of bodies, media types and what requests may say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import Memory
from tests.conformance.mutants.values import Json, error_of, fields, header, refusal, with_fields, with_header
from tests.conformance.wire import Answer, Ask, Request


def _code(answer: Answer) -> object:
    return error_of(answer).get("code")


@seams.whole("create", clauses="4.11 3.2")
async def an_odd_title_is_500(request: Request, ask: Ask, memory: Memory) -> Answer:
    title = fields(request).get("title")
    odd = isinstance(title, str) and not title.isascii()
    return refusal(500, "internal_error") if odd else await ask(request)


@seams.whole("create", clauses="3.1 4.2 4.3")
async def invalid_input_is_accepted(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    return await ask(with_fields(request, {})) if answer.status == 422 else answer


@seams.answer("create", "update", "send", clauses="4.11")
def a_wrong_json_is_500(request: Request, answer: Answer) -> Answer:
    return refusal(500, "internal_error") if _code(answer) == "invalid_json" else answer


@seams.request("create", clauses="4.3")
def not_a_number_is_null(request: Request) -> Request:
    text = request.body.replace(b"NaN", b"null")
    return replace(with_header(request, "content-length", str(len(text))), body=text)


@seams.whole("create", clauses="4.3")
async def a_body_may_be_of_any_size(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    return await ask(with_fields(request, {})) if answer.status == 413 else answer


@seams.whole("create", clauses="4.3")
async def json_may_be_of_any_depth(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    return await ask(with_fields(request, {})) if _code(answer) == "too_deep" else answer


@seams.request("create", clauses="4.3")
def of_duplicate_keys_the_first_counts(request: Request) -> Request:
    def first(pairs: list[tuple[str, Any]]) -> Json:
        return dict(reversed(pairs))

    try:
        value = json.loads(request.body, object_pairs_hook=first)
    except ValueError:
        return request
    return with_fields(request, value) if request.body.count(b'"title"') > 1 else request


@seams.request("create", clauses="4.3")
def numbers_are_rounded(request: Request) -> Request:
    try:
        value = json.loads(request.body, parse_int=lambda digits: int(float(digits)))
    except (ValueError, OverflowError, RecursionError):
        return request
    return with_fields(request, value) if b'"metadata"' in request.body and isinstance(value, dict) else request


@seams.answer("create", clauses="3.16")
def unknown_fields_are_refused(request: Request, answer: Answer) -> Answer:
    unknown = set(fields(request)) - {"external_user_id", "title", "metadata"}
    return refusal(422, "invalid_request_error") if unknown else answer


@seams.answer("get", "list", "config", "metrics", clauses="4.4")
def reading_with_a_type_is_415(request: Request, answer: Answer) -> Answer:
    typed = header(request, "content-type") not in ("", "application/json")
    return refusal(415, "unsupported_media_type") if typed else answer


@seams.whole("create", clauses="4.1")
async def a_refused_creation_creates(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status == 422:
        await ask(with_fields(request, {}))
    return answer


@seams.whole("send", clauses="4.1")
async def a_refused_message_is_kept(request: Request, ask: Ask, memory: Memory) -> Answer:
    answer = await ask(request)
    if answer.status == 422:
        await ask(with_fields(request, {"message": {"content": "kept"}}))
    return answer


@seams.answer("update", clauses="4.4")
def a_charset_is_415(request: Request, answer: Answer) -> Answer:
    return refusal(415, "unsupported_media_type") if ";" in header(request, "content-type") else answer


@seams.answer("create", clauses="4.4")
def a_charset_of_a_creation_is_415(request: Request, answer: Answer) -> Answer:
    return refusal(415, "unsupported_media_type") if ";" in header(request, "content-type") else answer


@seams.request("create", "send", clauses="4.4")
def any_type_is_json(request: Request) -> Request:
    return with_header(request, "content-type", "application/json")


@seams.request("create", clauses="4.4")
def an_encoding_is_overlooked(request: Request) -> Request:
    return with_header(request, "content-encoding", None)


@seams.request("complete", clauses="4.7")
def accept_turns_streams_off(request: Request) -> Request:
    plain = header(request, "accept") == "application/json" and fields(request).get("stream") is True
    return with_fields(request, {**fields(request), "stream": False}) if plain else request


@seams.answer("any", clauses="4.7")
def accept_decides(request: Request, answer: Answer) -> Answer:
    strange = header(request, "accept").startswith(("text/html", "image/"))
    return refusal(406, "invalid_request_error") if strange else answer


@seams.answer("metrics", clauses="1.3")
def a_good_answer_is_text(request: Request, answer: Answer) -> Answer:
    return answer.saying(answer.body, b"text/plain") if answer.status == 200 else answer
