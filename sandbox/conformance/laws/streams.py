"""Streams: what events hold, and in which order they come."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.conformance.caller import COMPLETE, SEND
from sandbox.conformance.exchange import Answer, read_json
from sandbox.conformance.law import expect, expect_equal, for_each, law, shown
from sandbox.conformance.laws.grammar import (
    BOTH,
    CALL,
    CALL_DELTA,
    CALL_DONE,
    ITEM_DONE,
    LAST,
    TEXT,
    TEXT_DONE,
    events_of,
    in_every_stream,
    output_of,
)
from sandbox.conformance.shown import hidden
from sandbox.conformance.sse import Event
from sandbox.conformance.subject import Subject
from sandbox.contract import Document


@law("STREAM-4", source="V", clause="6.4", operations=BOTH)
def events_are_of_the_table(server: Subject) -> None:
    """Every event is one of the table, with the fields that it has there."""

    def check(answer: Answer, events: Sequence[Event], completion: bool) -> None:
        schemas = server.operations[COMPLETE if completion else SEND].events
        for event in events:
            expect(event.name in schemas, f"one of {', '.join(schemas)}", event.name, answer, about="name")
            # What is wrong is told of short values: keys are hidden before they are cut.
            text = hidden(event.text)
            data = event.json if text == event.text else read_json(text.encode())
            faults = schemas[event.name].violations(Document(text.encode(), data))
            expect(
                not faults, f"{event.name} as in the table", "; ".join(map(str, faults[:3])), answer, about=event.name
            )

    in_every_stream(server, check)


@law("STREAM-6", source="V", clause="6.4", operations=BOTH)
def a_stream_has_its_beginning_and_end(server: Subject) -> None:
    """A stream begins with `response.created` and ends with `response.completed` or `response.failed`, each once."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        names = [event.name for event in events]
        expect(names[0] == "response.created", "response.created first", names[0], answer)
        expect(names[-1] in LAST, "response.completed or response.failed last", names[-1], answer)
        ends = [name for name in names if name in (*LAST, "response.created")]
        expect(len(ends) == 2, "one beginning and one end", shown(ends), answer)

    in_every_stream(server, check)


@law("STREAM-7", source="V", clause="6.4", operations=BOTH)
def a_stream_keeps_its_id(server: Subject) -> None:
    """A stream ends under the id that it began with: `resp_…` of a reply, `cmpl_…` of a completion."""

    def check(answer: Answer, events: Sequence[Event], completion: bool) -> None:
        first, last = events[0].data.get("id"), events[-1].data.get("id")
        prefix = "cmpl_" if completion else "resp_"
        expect(str(first).startswith(prefix), f"an id {prefix}…", shown(first), answer)
        expect_equal(last, first, "id of the last event", answer)

    in_every_stream(server, check)


@law("STREAM-8", source="V", clause="6.4", operations=BOTH)
def a_reply_names_its_conversation(server: Subject) -> None:
    """The first event of a reply names its conversation; that of a completion names none."""
    reply = server.streamed()
    first = events_of(reply.answer)[0]
    wanted = reply.conversation
    expect_equal(first.data.get("conversation_id"), wanted, "conversation_id", reply.created, reply.answer)
    answer = server.completion(stream=True)
    expect("conversation_id" not in events_of(answer)[0].data, "no conversation_id", answer.summary, answer)


@law("STREAM-10", source="V", clause="6.4", operations=(SEND,))
def calls_are_streamed_whole(server: Subject) -> None:
    """A call is streamed whole: start, deltas, done, under one call id and one name; the deltas joined are its
    arguments."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        names: dict[object, object] = {}
        joined: dict[object, str] = {}
        for event in events:
            call = event.data.get("call_id")
            if event.name == CALL:
                names[call] = event.data.get("name")
            elif event.name == CALL_DELTA:
                expect(call in names, "a start before its deltas", shown(call), answer)
                joined[call] = joined.get(call, "") + str(event.data.get("delta"))
            elif event.name == CALL_DONE:
                expect_equal(event.data.get("name"), names.pop(call, None), "name", answer)
                arguments = event.data.get("arguments")
                expect_equal(joined.pop(call, None), arguments or None, "the deltas joined", answer)
        expect(not names, "a done for every call", f"none for {shown(list(names.values()))}", answer)

    in_every_stream(server, check)


@law("STREAM-11", source="D", clause="6.3", operations=(SEND,))
def client_tools_have_no_arguments(server: Subject) -> None:
    """A client tool streams its start, then done with `arguments: null`, and no delta."""
    reply = server.said("[[tool]] [[human]]", stream=True)
    events = events_of(reply.answer)
    done = [event for event in events if event.name == CALL_DONE]
    nulls = {event.data.get("call_id") for event in done if event.data.get("arguments", "") is None}
    expect(
        bool(nulls), "a call with arguments null", shown([event.text for event in done]), reply.created, reply.answer
    )
    deltas = [event.text for event in events if event.name == CALL_DELTA and event.data.get("call_id") in nulls]
    expect(not deltas, "no delta of it", shown(deltas), reply.created, reply.answer)


@law("STREAM-12", source="D", clause="6.3", operations=BOTH)
def items_follow_one_another(server: Subject) -> None:
    """Items follow one another whole: `output_index` counts them from 0, `content_index` is 0."""

    def check(answer: Answer, events: Sequence[Event], completion: bool) -> None:
        indexes = [event.data["output_index"] for event in events if "output_index" in event.data]
        expect(indexes == sorted(indexes), "items one after the other", shown(indexes), answer)
        # A completion is one text, and has no event for the end of an item.
        items = 1 if completion else [event.name for event in events].count(ITEM_DONE)
        expect_equal(sorted(set(indexes)), list(range(items)), "output_index of the items", answer)
        contents = {event.data["content_index"] for event in events if "content_index" in event.data}
        expect(contents <= {0}, "content_index 0", shown(sorted(contents)), answer)

    in_every_stream(server, check)


@law("STREAM-13", source="V", clause="6.4", operations=(SEND,), needs_sandbox=True)
def calls_end_with_the_whole_item(server: Subject) -> None:
    """A function call ends with `output_item.done`, which holds it whole."""
    reply = server.said("[[tool]] [[human]]", stream=True)
    _items_are_whole(reply.answer, {"function_call"})


@law("STREAM-14", source="D", clause="6.4", operations=(SEND,))
def items_end_whole(server: Subject) -> None:
    """Every item of a reply ends with `output_item.done`, which holds it whole."""
    for_each(
        (server.streamed().answer, server.said("[[unicode]]", stream=True).answer),
        lambda answer: _items_are_whole(answer, {"message", "function_call", "data_spec"}),
    )


def _items_are_whole(answer: Answer, kinds: set[str]) -> None:
    done = {
        event.data.get("output_index"): event.data.get("item") for event in events_of(answer) if event.name == ITEM_DONE
    }
    streamed = dict(enumerate(output_of(answer)))
    for index, item in streamed.items():
        if item.get("type") in kinds:
            expect_equal(done.get(index), item, f"item {index}", answer)
            last = [event.name for event in events_of(answer) if event.data.get("output_index") == index][-1]
            expect_equal(last, ITEM_DONE, f"the last event of item {index}", answer)


@law("STREAM-15", source="V", clause="6.2", operations=(COMPLETE,))
def completions_have_fewevents_of(server: Subject) -> None:
    """A stream of a completion has the events created, text deltas, text done, completed or failed, and no others."""
    answer = server.completion(stream=True)
    names = {event.name for event in events_of(answer)}
    strange = names - {"response.created", TEXT, TEXT_DONE, *LAST}
    expect(not strange, "no other event", ", ".join(sorted(strange)), answer)


@law("STREAM-19", source="D", clause="10.3", operations=BOTH)
def a_failed_stream_says_so(server: Subject) -> None:
    """A stream that fails ends with `response.failed`, whose `error` has a message."""

    def check(answer: Answer) -> None:
        last = events_of(answer)[-1]
        expect_equal(last.name, "response.failed", "the last event", answer)
        error = last.data.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        expect(isinstance(message, str) and message != "", "error.message", last.text, answer)
        expect_equal(last.data.get("status"), "failed", "status", answer)

    for_each((server.said("[[fail]]", stream=True).answer, server.completion("[[fail]]", stream=True)), check)
