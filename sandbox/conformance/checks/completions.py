"""Completions: single prompts, outside of any conversation."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.checks.grammar import JSON, STREAM, text_of_reply, well_formed
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import DIFFICULT, HELLO, Op, Target


@check("COMPLETION-1", "V", "3.12")
def a_completion_has_a_text(server: Target) -> None:
    """A completion has an id `cmpl_…`, a time and a text."""
    answer = expect.ok(server.completion())
    expect.that(str(answer.object.get("id")).startswith("cmpl_"), "an id cmpl_…", answer)
    expect.that(isinstance(answer.object.get("text"), str), "a text", answer)
    expect.that(isinstance(answer.object.get("created_at"), int), "created_at, a whole number", answer)


def completions_by_type(server: Target) -> tuple[tuple[ApiResponse, str], ...]:
    """Return completions that were asked for in several ways, and the media type that each should have."""
    return (
        (server.completion(stream=True), STREAM),
        (server.completion(), JSON),
        (server.completion(stream=None), JSON),
        (server.completion(stream=False, fast=True, knowledge_search=False), JSON),
    )


@check("COMPLETION-2", "V", "6.1", cases=completions_by_type)
def a_completion_streams_on_true_alone(_: Target, answer: ApiResponse, wanted: str) -> None:
    """A completion streams on `stream: true` alone: with false, null or nothing it is JSON, whatever the app's
    setting."""
    expect.media_type(answer, wanted)


@check("COMPLETION-3", "V", "2.8", needs_sandbox=True)
def a_completion_leaves_no_trace(server: Target) -> None:
    """A completion leaves no trace: no conversation, no count."""
    before, listed = good(server.ask(Op.METRICS)), good(server.ask(Op.LIST))
    answer = good(server.complete("[[echo]] no trace", metadata={"first_name": "Zoé"}))
    after, again = good(server.ask(Op.METRICS)), good(server.ask(Op.LIST))
    expect.no_growth(server, before, after, answer)
    if server.is_alone:
        expect.equal(again.ids, listed.ids, "ids", answer, again)


@check("COMPLETION-4", "D", "3.11", cases=("x", "😀"))
def a_prompt_may_have_32000_characters(server: Target, letter: str) -> None:
    """A prompt may have 32,000 characters: code points, so emoji count as one."""
    prompt = "[[fail]]" + letter * (32_000 - 8)
    expect.status(server.complete(prompt), 200, why=f"32,000 characters, {letter!r}")


WRONG_LENGTHS = (("", "too_short"), ("x" * 32_001, "too_long"), ("😀" * 32_001, "too_long"))


@check("COMPLETION-5", "D", "3.11", cases=WRONG_LENGTHS)
def other_prompts_are_refused(server: Target, prompt: str, code: str) -> None:
    """A prompt of 32,001 characters is refused, 422 `too_long`, and so is an empty one, `too_short`."""
    expect.invalid(server, server.complete(prompt), param="prompt", code=code)


@check("COMPLETION-6", "V", "6.2", needs_sandbox=True)
def completions_use_no_tools(server: Target) -> None:
    """Completions use no tools: `[[tool]]`, `[[form]]` and `[[human]]` do nothing in a prompt."""
    answer = server.completion("[[tool]] [[form]] [[human]]", stream=True)
    kinds = {event.partition(b"\n")[0].decode() for event in answer.body.split(b"event: ")[1:]}
    strange = sorted(kind for kind in kinds if "function_call" in kind or "data_spec" in kind)
    expect.that(not strange, "no call and no form", answer, got=", ".join(strange))


@check("COMPLETION-7", "D", "3.12")
def a_failed_completion_is_empty(server: Target) -> None:
    """A completion that fails is 200 with `status: failed` and an empty text."""
    answer = expect.answered(lambda: server.completion("[[fail]]"))
    expect.field(answer, "status", "failed")
    expect.field(answer, "text", "")


@check("COMPLETION-8", "D", "10.3")
def stream_and_json_say_the_same(server: Target) -> None:
    """Stream and JSON of the same prompt have the same text: `[[echo]]` is exact in both."""
    prompt = "[[echo]] " + DIFFICULT
    plain, streamed = server.completion(prompt), server.completion(prompt, stream=True)
    expect.field(plain, "text", DIFFICULT)
    expect.equal(text_of_reply(streamed), DIFFICULT, "text", streamed)


@check("COMPLETION-9", "D", "5.7")
def ids_are_well_formed(server: Target) -> None:
    """Every completion has an id of its own, `cmpl_` and 24 hex digits."""
    answers = (server.completion(), server.completion(stream=None), server.completion("[[fail]]"))
    ids = [answer.object.get("id") for answer in answers]
    for completion_id, answer in zip(ids, answers, strict=True):
        expect.that(well_formed(completion_id, "cmpl"), "cmpl_ and 24 hex digits", answer, value=completion_id)
    what = f"different ids ({HELLO!r} asked again is another completion)"
    expect.that(len(set(ids)) == len(ids), what, *answers, value=ids)
