"""Streams: how events are written, what they hold, in which order they come, and the deltas that make a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from sandbox.conformance.check import CheckViolation, check, expect, expect_equal, for_each, format_value
from sandbox.conformance.checks.grammar import (
    CALL,
    CALL_DELTA,
    CALL_DONE,
    ITEM_DONE,
    LAST,
    TEXT,
    TEXT_DONE,
    events_of,
    output_of,
    stream_check,
)
from sandbox.conformance.http_messages import ApiResponse, StreamEvent, read_json
from sandbox.conformance.output import redact_keys, redacted_slice
from sandbox.conformance.target import COMPLETE, SEND, Target
from sandbox.contract import Document


@stream_check("STREAM-1", source="V", clause="6.1")
def events_are_written_plainly(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """An event is a line `event: <type>`, one line `data: <JSON>` and an empty line."""
    for event in events:
        fields = [line.partition(":")[0] for line in event.lines]
        named = fields.count("event") == 1 and fields.count("data") == 1
        expect(named, "one line event and one line data", format_value(event.lines), answer)
        expect(bool(event.data), "data of a JSON object", format_value(event.text), answer)


@stream_check("STREAM-2", source="D", clause="6.1")
def a_stream_has_nothing_else(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A stream has nothing else: no `id:`, no `retry:`, no comment, no `[DONE]`; it is UTF-8 with plain line
    feeds."""
    plain = "".join(f"event: {event.name}\ndata: {event.text}\n\n" for event in events).encode()
    if answer.body != plain:
        at = next((n for n, (a, b) in enumerate(zip(answer.body, plain, strict=False)) if a != b), len(plain))
        raise CheckViolation(
            "event, data, an empty line and nothing else", format_value(_part(answer, max(at - 40, 0), at + 80)), answer
        )


@stream_check("STREAM-3", source="V", clause="6.1")
def a_stream_is_utf_8(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A stream is UTF-8, and whole characters arrive."""
    try:
        answer.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckViolation("UTF-8", str(error), answer) from None
    expect(not any("\ufffd" in event.text for event in events), "whole characters", "U+FFFD", answer)


@stream_check("STREAM-5", source="V", clause="6.1")
def events_repeat_their_type(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """The data of every event repeats its `type`."""
    for event in events:
        expect_equal(event.data.get("type"), event.name, "type", answer)


@stream_check("STREAM-18", source="D", clause="6.3")
def a_stream_ends_well(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """The body of a stream ends right after the last event, and ends well."""
    expect(answer.is_whole, "a body that ends well", answer.trouble, answer)
    expect(
        answer.body.endswith(b"}\n\n"),
        "nothing after the last event",
        format_value(_part(answer, max(len(answer.body) - 80, 0), len(answer.body))),
        answer,
    )
    expect(events[-1].name in LAST, "a last event", events[-1].name, answer)


def _part(answer: ApiResponse, start: int, end: int) -> bytes:
    return redacted_slice(answer.body.decode("latin-1"), start, end).encode("latin-1")


@check("STREAM-4", source="V", clause="6.4")
def events_are_of_the_table(server: Target) -> None:
    """Every event is one of the table, with the fields that it has there."""

    def verify(case: tuple[ApiResponse, bool]) -> None:
        answer, is_completion = case
        schemas = server.operations[COMPLETE if is_completion else SEND].events
        for event in events_of(answer):
            expect(event.name in schemas, f"one of {', '.join(schemas)}", event.name, answer, about="name")
            # What is wrong is told of short values: keys are hidden before they are cut.
            text = redact_keys(event.text)
            data = event.json if text == event.text else read_json(text.encode())
            faults = schemas[event.name].violations(Document(text.encode(), data))
            wrong = "; ".join(map(str, faults[:3]))
            expect(not faults, f"{event.name} as in the table", wrong, answer, about=event.name)

    for_each(server.streams(), verify)


@stream_check("STREAM-6", source="V", clause="6.4")
def a_stream_has_its_beginning_and_end(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A stream begins with `response.created` and ends with `response.completed` or `response.failed`, each once."""
    names = [event.name for event in events]
    expect(names[0] == "response.created", "response.created first", names[0], answer)
    expect(names[-1] in LAST, "response.completed or response.failed last", names[-1], answer)
    ends = [name for name in names if name in (*LAST, "response.created")]
    expect(len(ends) == 2, "one beginning and one end", format_value(ends), answer)


@stream_check("STREAM-7", source="V", clause="6.4")
def a_stream_keeps_its_id(answer: ApiResponse, events: Sequence[StreamEvent], completion: bool) -> None:
    """A stream ends under the id that it began with: `resp_…` of a reply, `cmpl_…` of a completion."""
    first, last = events[0].data.get("id"), events[-1].data.get("id")
    prefix = "cmpl_" if completion else "resp_"
    expect(str(first).startswith(prefix), f"an id {prefix}…", format_value(first), answer)
    expect_equal(last, first, "id of the last event", answer)


@check("STREAM-8", source="V", clause="6.4")
def a_reply_names_its_conversation(server: Target) -> None:
    """The first event of a reply names its conversation; that of a completion names none."""
    reply = server.streamed()
    first = events_of(reply.answer)[0]
    wanted = reply.conversation
    expect_equal(first.data.get("conversation_id"), wanted, "conversation_id", reply.created, reply.answer)
    answer = server.completion(stream=True)
    expect("conversation_id" not in events_of(answer)[0].data, "no conversation_id", answer.summary, answer)


@stream_check("STREAM-10", source="V", clause="6.4")
def calls_are_streamed_whole(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A call is streamed whole: start, deltas, done, under one call id and one name; the deltas joined are its
    arguments."""
    names: dict[object, object] = {}
    joined: dict[object, str] = {}
    for event in events:
        call = event.data.get("call_id")
        if event.name == CALL:
            names[call] = event.data.get("name")
        elif event.name == CALL_DELTA:
            expect(call in names, "a start before its deltas", format_value(call), answer)
            joined[call] = joined.get(call, "") + str(event.data.get("delta"))
        elif event.name == CALL_DONE:
            expect_equal(event.data.get("name"), names.pop(call, None), "name", answer)
            arguments = event.data.get("arguments")
            expect_equal(joined.pop(call, None), arguments or None, "the deltas joined", answer)
    expect(not names, "a done for every call", f"none for {format_value(list(names.values()))}", answer)


@check("STREAM-11", source="D", clause="6.3")
def client_tools_have_no_arguments(server: Target) -> None:
    """A client tool streams its start, then done with `arguments: null`, and no delta."""
    reply = server.reply_to("[[tool]] [[human]]", stream=True)
    events = events_of(reply.answer)
    done = [event for event in events if event.name == CALL_DONE]
    nulls = {event.data.get("call_id") for event in done if event.data.get("arguments", "") is None}
    expect(
        bool(nulls),
        "a call with arguments null",
        format_value([event.text for event in done]),
        reply.created,
        reply.answer,
    )
    deltas = [event.text for event in events if event.name == CALL_DELTA and event.data.get("call_id") in nulls]
    expect(not deltas, "no delta of it", format_value(deltas), reply.created, reply.answer)


@stream_check("STREAM-12", source="D", clause="6.3")
def items_follow_one_another(answer: ApiResponse, events: Sequence[StreamEvent], completion: bool) -> None:
    """Items follow one another whole: `output_index` counts them from 0, `content_index` is 0."""
    indexes = [event.data["output_index"] for event in events if "output_index" in event.data]
    expect(indexes == sorted(indexes), "items one after the other", format_value(indexes), answer)
    # A completion is one text, and has no event for the end of an item.
    items = 1 if completion else [event.name for event in events].count(ITEM_DONE)
    expect_equal(sorted(set(indexes)), list(range(items)), "output_index of the items", answer)
    contents = {event.data["content_index"] for event in events if "content_index" in event.data}
    expect(contents <= {0}, "content_index 0", format_value(sorted(contents)), answer)


@check("STREAM-13", source="V", clause="6.4", needs_sandbox=True)
def calls_end_with_the_whole_item(server: Target) -> None:
    """A function call ends with `output_item.done`, which holds it whole."""
    reply = server.reply_to("[[tool]] [[human]]", stream=True)
    _items_are_whole(reply.answer, {"function_call"})


@check("STREAM-14", source="D", clause="6.4")
def items_end_whole(server: Target) -> None:
    """Every item of a reply ends with `output_item.done`, which holds it whole."""
    for_each(
        (server.streamed().answer, server.reply_to("[[unicode]]", stream=True).answer),
        lambda answer: _items_are_whole(answer, {"message", "function_call", "data_spec"}),
    )


def _items_are_whole(answer: ApiResponse, kinds: set[str]) -> None:
    done = {
        event.data.get("output_index"): event.data.get("item") for event in events_of(answer) if event.name == ITEM_DONE
    }
    streamed = dict(enumerate(output_of(answer)))
    for index, item in streamed.items():
        if item.get("type") in kinds:
            expect_equal(done.get(index), item, f"item {index}", answer)
            last = [event.name for event in events_of(answer) if event.data.get("output_index") == index][-1]
            expect_equal(last, ITEM_DONE, f"the last event of item {index}", answer)


@check("STREAM-15", source="V", clause="6.2")
def completions_have_fewevents_of(server: Target) -> None:
    """A stream of a completion has the events created, text deltas, text done, completed or failed, and no others."""
    answer = server.completion(stream=True)
    names = {event.name for event in events_of(answer)}
    strange = names - {"response.created", TEXT, TEXT_DONE, *LAST}
    expect(not strange, "no other event", ", ".join(sorted(strange)), answer)


@check("STREAM-19", source="D", clause="10.3")
def a_failed_stream_says_so(server: Target) -> None:
    """A stream that fails ends with `response.failed`, whose `error` has a message."""

    def verify(answer: ApiResponse) -> None:
        last = events_of(answer)[-1]
        expect_equal(last.name, "response.failed", "the last event", answer)
        error = last.data.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        expect(isinstance(message, str) and message != "", "error.message", last.text, answer)
        expect_equal(last.data.get("status"), "failed", "status", answer)

    for_each((server.reply_to("[[fail]]", stream=True).answer, server.completion("[[fail]]", stream=True)), verify)


@stream_check("STREAM-9", source="V", clause="6.4")
def deltas_make_the_text(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """The text of `output_text.done` is its deltas joined."""
    joined: dict[object, str] = {}
    for event in events:
        index = event.data.get("output_index")
        if event.name == TEXT:
            joined[index] = joined.get(index, "") + str(event.data.get("delta"))
        elif event.name == TEXT_DONE:
            expect_equal(event.data.get("text"), joined.get(index, ""), "text", answer)
    texts = {event.data.get("output_index") for event in events if event.name == TEXT_DONE}
    expect(set(joined) <= texts, "a done for every text", f"none for {format_value(sorted(map(str, joined)))}", answer)


@stream_check("STREAM-16", source="D", clause="6.3")
def deltas_are_about_a_word(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A delta is about a word: a text comes in many, none of them empty or long."""
    deltas = [str(event.data.get("delta")) for event in events if event.name == TEXT]
    words = [len(delta.split()) for delta in deltas]
    expect(all(deltas), "no empty delta", format_value(deltas), answer)
    expect(max(words, default=0) <= 2, "about a word a delta", format_value(max(deltas, key=len, default="")), answer)


@stream_check("STREAM-17", source="D", clause="6.3")
def deltas_split_no_character(answer: ApiResponse, events: Sequence[StreamEvent], _: bool) -> None:
    """A delta never splits a character or an emoji sequence."""
    deltas = [str(event.data.get("delta")) for event in events if event.name == TEXT]
    for before, delta in pairwise(deltas):
        expect(not _splits(before, delta), "whole characters", format_value((before, delta)), answer)


def _splits(before: str, after: str) -> bool:
    """Say whether a character goes on from one delta to the next: combining marks, joiners, skin tones, pairs."""
    first, last = after[:1], before[-1:]
    joins = first in ("\u200d", "\ufe0f", "\u20e3") or "\U0001f3fb" <= first <= "\U0001f3ff"
    surrogates = "\ud800" <= last <= "\udbff" or "\udc00" <= first <= "\udfff"
    return joins or surrogates or last == "\u200d" or (first != "" and unicodedata.combining(first) > 0)
