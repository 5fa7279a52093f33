"""Completions: single prompts, outside of any conversation."""

from __future__ import annotations

from typing import Any

from sandbox.conformance.check import (
    check,
    expect,
    expect_answered,
    expect_equal,
    expect_error,
    expect_no_growth,
    expect_status,
    expect_type,
    for_each,
    format_value,
)
from sandbox.conformance.checks.grammar import JSON, STREAM, text_of_reply, well_formed
from sandbox.conformance.http_messages import ApiResponse, good, ids_of
from sandbox.conformance.target import DIFFICULT, HELLO, LIST, METRICS, Target


@check("COMPLETION-1", source="V", clause="3.12")
def a_completion_has_a_text(server: Target) -> None:
    """A completion has an id `cmpl_…`, a time and a text."""
    answer = server.completion()
    expect_status(answer, 200)
    expect(str(answer.object.get("id")).startswith("cmpl_"), "an id cmpl_…", answer.summary, answer)
    expect(isinstance(answer.object.get("text"), str), "a text", answer.summary, answer)
    expect(isinstance(answer.object.get("created_at"), int), "created_at, a whole number", answer.summary, answer)


@check("COMPLETION-2", source="V", clause="6.1")
def a_completion_streams_on_true_alone(server: Target) -> None:
    """A completion streams on `stream: true` alone: with false, null or nothing it is JSON, whatever the app's
    setting."""

    def verify(case: tuple[ApiResponse, str]) -> None:
        answer, wanted = case
        expect_type(answer, wanted)

    for_each(
        (
            (server.completion(stream=True), STREAM),
            (server.completion(), JSON),
            (server.completion(stream=None), JSON),
            (server.completion(stream=False, fast=True, knowledge_search=False), JSON),
        ),
        verify,
    )


@check("COMPLETION-3", source="V", clause="2.8", needs_sandbox=True)
def a_completion_leaves_no_trace(server: Target) -> None:
    """A completion leaves no trace: no conversation, no count."""
    before, listed = good(server.ask(METRICS)), good(server.ask(LIST))
    answer = good(server.complete("[[echo]] no trace", metadata={"first_name": "Zoé"}))
    after, again = good(server.ask(METRICS)), good(server.ask(LIST))
    expect_no_growth(server, before, after, answer)
    if server.is_alone:
        expect_equal(ids_of(again), ids_of(listed), "ids", answer, again)


@check("COMPLETION-4", source="D", clause="3.11", cases=("x", "😀"))
def a_prompt_may_have_32000_characters(server: Target, letter: str) -> None:
    """A prompt may have 32,000 characters: code points, so emoji count as one."""
    prompt = "[[fail]]" + letter * (32_000 - 8)
    expect_status(server.complete(prompt), 200, why=f"32,000 characters, {letter!r}")


@check(
    "COMPLETION-5",
    source="D",
    clause="3.11",
    cases=(("", "too_short"), ("x" * 32_001, "too_long"), ("😀" * 32_001, "too_long")),
)
def other_prompts_are_refused(server: Target, case: tuple[str, str]) -> None:
    """A prompt of 32,001 characters is refused, 422 `too_long`, and so is an empty one, `too_short`."""
    prompt, code = case
    answer = server.complete(prompt)
    expect_error(answer, server.invalid, "invalid_request_error", param="prompt", code=code)


@check("COMPLETION-6", source="V", clause="6.2", needs_sandbox=True)
def completions_use_no_tools(server: Target) -> None:
    """Completions use no tools: `[[tool]]`, `[[form]]` and `[[human]]` do nothing in a prompt."""
    answer = server.completion("[[tool]] [[form]] [[human]]", stream=True)
    kinds = {event.partition(b"\n")[0].decode() for event in answer.body.split(b"event: ")[1:]}
    strange = sorted(kind for kind in kinds if "function_call" in kind or "data_spec" in kind)
    expect(not strange, "no call and no form", ", ".join(strange), answer)


@check("COMPLETION-7", source="D", clause="3.12")
def a_failed_completion_is_empty(server: Target) -> None:
    """A completion that fails is 200 with `status: failed` and an empty text."""
    answer = expect_answered(lambda: server.completion("[[fail]]"))
    expect_equal(answer.object.get("status"), "failed", "status", answer)
    expect_equal(answer.object.get("text"), "", "text", answer)


@check("COMPLETION-8", source="D", clause="10.3")
def stream_and_json_say_the_same(server: Target) -> None:
    """Stream and JSON of the same prompt have the same text: `[[echo]]` is exact in both."""
    prompt = "[[echo]] " + DIFFICULT
    plain, streamed = server.completion(prompt), server.completion(prompt, stream=True)
    expect_equal(plain.object.get("text"), DIFFICULT, "text", plain)
    expect_equal(text_of_reply(streamed), DIFFICULT, "text", streamed)


@check("COMPLETION-9", source="D", clause="5.7")
def ids_are_well_formed(server: Target) -> None:
    """Every completion has an id of its own, `cmpl_` and 24 hex digits."""
    answers: tuple[ApiResponse, ...] = (
        server.completion(),
        server.completion(stream=None),
        server.completion("[[fail]]"),
    )
    ids: list[Any] = [answer.object.get("id") for answer in answers]
    for one, answer in zip(ids, answers, strict=True):
        expect(well_formed(one, "cmpl"), "cmpl_ and 24 hex digits", format_value(one), answer)
    expect(
        len(set(ids)) == len(ids),
        f"different ids ({HELLO!r} asked again is another completion)",
        format_value(ids),
        *answers,
    )
