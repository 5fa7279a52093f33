"""Streams: how events are written, what they hold, in which order they come, and the deltas that make a text."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.checks.grammar import (
    CALL,
    CALL_DELTA,
    CALL_DONE,
    ITEM_DONE,
    LAST,
    TEXT,
    TEXT_DONE,
    Stream,
    events_of,
    output_of,
    streams,
)
from sandbox.conformance.http_messages import ApiResponse, read_json
from sandbox.conformance.output import redact_keys, redacted_slice
from sandbox.conformance.target import TOOLS, Op, SentMessage, Target
from sandbox.contract import Document


@check("STREAM-1", "V", "6.1", cases=streams)
def events_are_written_plainly(_: Target, stream: Stream) -> None:
    """An event is a line `event: <type>`, one line `data: <JSON>` and an empty line."""
    for event in stream.events:
        fields = [line.partition(":")[0] for line in event.lines]
        is_right = fields.count("event") == 1 and fields.count("data") == 1
        expect.that(is_right, "one line event and one line data", stream.answer, value=event.lines)
        expect.that(bool(event.data), "data of a JSON object", stream.answer, value=event.text)


@check("STREAM-2", "D", "6.1", cases=streams)
def a_stream_has_nothing_else(_: Target, stream: Stream) -> None:
    """A stream has nothing else: no `id:`, no `retry:`, no comment, no `[DONE]`; it is UTF-8 with plain line
    feeds."""
    body = stream.answer.body
    plain = "".join(f"event: {event.name}\ndata: {event.text}\n\n" for event in stream.events).encode()
    if body != plain:
        at = next((n for n, (a, b) in enumerate(zip(body, plain, strict=False)) if a != b), len(plain))
        part = _part(stream.answer, max(at - 40, 0), at + 80)
        expect.that(False, "event, data, an empty line and nothing else", stream.answer, value=part)


@check("STREAM-3", "V", "6.1", cases=streams)
def a_stream_is_utf_8(_: Target, stream: Stream) -> None:
    """A stream is UTF-8, and whole characters arrive."""
    is_whole = not any("\ufffd" in event.text for event in stream.events)
    try:
        stream.answer.body.decode("utf-8")
    except UnicodeDecodeError as error:
        expect.that(False, "UTF-8", stream.answer, got=str(error))
    expect.that(is_whole, "whole characters", stream.answer, got="U+FFFD")


@check("STREAM-5", "V", "6.1", cases=streams)
def events_repeat_their_type(_: Target, stream: Stream) -> None:
    """The data of every event repeats its `type`."""
    for event in stream.events:
        expect.equal(event.data.get("type"), event.name, "type", stream.answer)


@check("STREAM-18", "D", "6.3", cases=streams)
def a_stream_ends_well(_: Target, stream: Stream) -> None:
    """The body of a stream ends right after the last event, and ends well."""
    answer, last = stream.answer, stream.events[-1].name
    expect.that(answer.is_whole, "a body that ends well", answer, got=answer.trouble)
    end = _part(answer, max(len(answer.body) - 80, 0), len(answer.body))
    expect.that(answer.body.endswith(b"}\n\n"), "nothing after the last event", answer, value=end)
    expect.that(last in LAST, "a last event", answer, got=last)


def _part(answer: ApiResponse, start: int, end: int) -> bytes:
    return redacted_slice(answer.body.decode("latin-1"), start, end).encode("latin-1")


@check("STREAM-4", "V", "6.4", cases=streams)
def events_are_of_the_table(server: Target, stream: Stream) -> None:
    """Every event is one of the table, with the fields that it has there."""
    schemas = server.operations[Op.COMPLETE if stream.is_completion else Op.SEND].events
    for event in stream.events:
        expect.that(event.name in schemas, f"one of {', '.join(schemas)}", stream.answer, got=event.name, about="name")
        # What is wrong is told of short values: keys are hidden before they are cut.
        text = redact_keys(event.text)
        data = event.json if text == event.text else read_json(text.encode())
        violations = schemas[event.name].violations(Document(text.encode(), data))
        wrong = "; ".join(map(str, violations[:3]))
        expect.that(not violations, f"{event.name} as in the table", stream.answer, got=wrong, about=event.name)


@check("STREAM-6", "V", "6.4", cases=streams)
def a_stream_has_its_beginning_and_end(_: Target, stream: Stream) -> None:
    """A stream begins with `response.created` and ends with `response.completed` or `response.failed`, each once."""
    names = [event.name for event in stream.events]
    expect.that(names[0] == "response.created", "response.created first", stream.answer, got=names[0])
    expect.that(names[-1] in LAST, "response.completed or response.failed last", stream.answer, got=names[-1])
    ends = [name for name in names if name in (*LAST, "response.created")]
    expect.that(len(ends) == 2, "one beginning and one end", stream.answer, value=ends)


@check("STREAM-7", "V", "6.4", cases=streams)
def a_stream_keeps_its_id(_: Target, stream: Stream) -> None:
    """A stream ends under the id that it began with: `resp_…` of a reply, `cmpl_…` of a completion."""
    first, last = stream.events[0].data.get("id"), stream.events[-1].data.get("id")
    prefix = "cmpl_" if stream.is_completion else "resp_"
    expect.that(str(first).startswith(prefix), f"an id {prefix}…", stream.answer, value=first)
    expect.equal(last, first, "id of the last event", stream.answer)


@check("STREAM-8", "V", "6.4")
def a_reply_names_its_conversation(server: Target) -> None:
    """The first event of a reply names its conversation; that of a completion names none."""
    reply = server.streamed()
    first = events_of(reply.answer)[0]
    expect.equal(first.data.get("conversation_id"), reply.conversation, "conversation_id", *reply.proof)
    answer = server.completion(stream=True)
    expect.that("conversation_id" not in events_of(answer)[0].data, "no conversation_id", answer)


@check("STREAM-10", "V", "6.4", cases=streams)
def calls_are_streamed_whole(_: Target, stream: Stream) -> None:
    """A call is streamed whole: start, deltas, done, under one call id and one name; the deltas joined are its
    arguments."""
    names: dict[object, object] = {}
    joined: dict[object, str] = {}
    for event in stream.events:
        call = event.data.get("call_id")
        if event.name == CALL:
            names[call] = event.data.get("name")
        elif event.name == CALL_DELTA:
            expect.that(call in names, "a start before its deltas", stream.answer, value=call)
            joined[call] = joined.get(call, "") + str(event.data.get("delta"))
        elif event.name == CALL_DONE:
            expect.equal(event.data.get("name"), names.pop(call, None), "name", stream.answer)
            arguments = event.data.get("arguments")
            expect.equal(joined.pop(call, None), arguments or None, "the deltas joined", stream.answer)
    unfinished = f"none for {expect.format_value(list(names.values()))}"
    expect.that(not names, "a done for every call", stream.answer, got=unfinished)


@check("STREAM-11", "D", "6.3")
def client_tools_have_no_arguments(server: Target) -> None:
    """A client tool streams its start, then done with `arguments: null`, and no delta."""
    reply = server.reply_to(TOOLS, stream=True)
    events = events_of(reply.answer)
    done = [event for event in events if event.name == CALL_DONE]
    nulls = {event.data.get("call_id") for event in done if event.data.get("arguments", "") is None}
    expect.that(bool(nulls), "a call with arguments null", *reply.proof, value=[event.text for event in done])
    deltas = [event.text for event in events if event.name == CALL_DELTA and event.data.get("call_id") in nulls]
    expect.that(not deltas, "no delta of it", *reply.proof, value=deltas)


@check("STREAM-12", "D", "6.3", cases=streams)
def items_follow_one_another(_: Target, stream: Stream) -> None:
    """Items follow one another whole: `output_index` counts them from 0, `content_index` is 0."""
    indexes = [event.data["output_index"] for event in stream.events if "output_index" in event.data]
    expect.that(indexes == sorted(indexes), "items one after the other", stream.answer, value=indexes)
    # A completion is one text, and has no event for the end of an item.
    items = 1 if stream.is_completion else [event.name for event in stream.events].count(ITEM_DONE)
    expect.equal(sorted(set(indexes)), list(range(items)), "output_index of the items", stream.answer)
    contents = {event.data["content_index"] for event in stream.events if "content_index" in event.data}
    expect.that(contents <= {0}, "content_index 0", stream.answer, value=sorted(contents))


@check("STREAM-13", "V", "6.4", needs_sandbox=True)
def calls_end_with_the_whole_item(server: Target) -> None:
    """A function call ends with `output_item.done`, which holds it whole."""
    _items_are_whole(server.reply_to(TOOLS, stream=True).answer, {"function_call"})


@check("STREAM-14", "D", "6.4", cases=lambda server: (server.streamed(), server.reply_to("[[unicode]]", stream=True)))
def items_end_whole(_: Target, reply: SentMessage) -> None:
    """Every item of a reply ends with `output_item.done`, which holds it whole."""
    _items_are_whole(reply.answer, {"message", "function_call", "data_spec"})


def _items_are_whole(answer: ApiResponse, kinds: set[str]) -> None:
    events = events_of(answer)
    done = {event.data.get("output_index"): event.data.get("item") for event in events if event.name == ITEM_DONE}
    for index, item in enumerate(output_of(answer)):
        if item.get("type") in kinds:
            expect.equal(done.get(index), item, f"item {index}", answer)
            last = [event.name for event in events if event.data.get("output_index") == index][-1]
            expect.equal(last, ITEM_DONE, f"the last event of item {index}", answer)


@check("STREAM-15", "V", "6.2")
def completions_have_few_events(server: Target) -> None:
    """A stream of a completion has the events created, text deltas, text done, completed or failed, and no others."""
    answer = server.completion(stream=True)
    strange = {event.name for event in events_of(answer)} - {"response.created", TEXT, TEXT_DONE, *LAST}
    expect.that(not strange, "no other event", answer, got=", ".join(sorted(strange)))


def failed_streams(server: Target) -> tuple[ApiResponse, ...]:
    """Return the streams of a reply and of a completion that fail."""
    return server.reply_to("[[fail]]", stream=True).answer, server.completion("[[fail]]", stream=True)


@check("STREAM-19", "D", "10.3", cases=failed_streams)
def a_failed_stream_says_so(_: Target, answer: ApiResponse) -> None:
    """A stream that fails ends with `response.failed`, whose `error` has a message."""
    last = events_of(answer)[-1]
    expect.equal(last.name, "response.failed", "the last event", answer)
    error = last.data.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    expect.that(isinstance(message, str) and message != "", "error.message", answer, got=last.text)
    expect.equal(last.data.get("status"), "failed", "status", answer)


@check("STREAM-9", "V", "6.4", cases=streams)
def deltas_make_the_text(_: Target, stream: Stream) -> None:
    """The text of `output_text.done` is its deltas joined."""
    joined: dict[object, str] = {}
    for event in stream.events:
        index = event.data.get("output_index")
        if event.name == TEXT:
            joined[index] = joined.get(index, "") + str(event.data.get("delta"))
        elif event.name == TEXT_DONE:
            expect.equal(event.data.get("text"), joined.get(index, ""), "text", stream.answer)
    texts = {event.data.get("output_index") for event in stream.events if event.name == TEXT_DONE}
    unfinished = f"none for {expect.format_value(sorted(map(str, joined)))}"
    expect.that(set(joined) <= texts, "a done for every text", stream.answer, got=unfinished)


@check("STREAM-16", "D", "6.3", cases=streams)
def deltas_are_about_a_word(_: Target, stream: Stream) -> None:
    """A delta is about a word: a text comes in many, none of them empty or long."""
    expect.that(all(stream.deltas), "no empty delta", stream.answer, value=stream.deltas)
    is_short = all(len(delta.split()) <= 2 for delta in stream.deltas)
    longest = max(stream.deltas, key=len, default="")
    expect.that(is_short, "about a word a delta", stream.answer, value=longest)


@check("STREAM-17", "D", "6.3", cases=streams)
def deltas_split_no_character(_: Target, stream: Stream) -> None:
    """A delta never splits a character or an emoji sequence."""
    for pair in pairwise(stream.deltas):
        expect.that(not _splits(*pair), "whole characters", stream.answer, value=pair)


def _splits(before: str, after: str) -> bool:
    """Say whether a character goes on from one delta to the next: combining marks, joiners, skin tones, pairs."""
    first, last = after[:1], before[-1:]
    joins = first in ("\u200d", "\ufe0f", "\u20e3") or "\U0001f3fb" <= first <= "\U0001f3ff"
    surrogates = "\ud800" <= last <= "\udbff" or "\udc00" <= first <= "\udfff"
    return joins or surrogates or last == "\u200d" or (first != "" and unicodedata.combining(first) > 0)
