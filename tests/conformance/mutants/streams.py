"""Breaks of streams: how events are written, what they hold, in which order they come."""

from __future__ import annotations

import json

from tests.conformance import breaks
from tests.conformance.mutants import seams
from tests.conformance.mutants.seams import Events

SPEAKING = ("send", "complete")
TEXT = "response.output_text.delta"
TEXT_DONE = "response.output_text.done"
CALL_DELTA, CALL_DONE = "response.function_call_arguments.delta", "response.function_call_arguments.done"
ITEM_DONE = "response.output_item.done"

an_event_has_another_name = seams.of_break(breaks.an_event_has_another_name, *SPEAKING, clauses="6.4")


@seams.stream(*SPEAKING, clauses="6.1 6.4")
def an_events_data_are_no_json(body: bytes) -> bytes:
    return body.replace(b'"status":"completed"}', b"'status':'completed'}")


@seams.events(*SPEAKING, clauses="6.4 6.3")
def the_text_is_done_before_it_begins(events: Events) -> Events:
    done = [event for event in events if event[0] == TEXT_DONE]
    rest = [event for event in events if event[0] != TEXT_DONE]
    return [*rest[:1], *done, *rest[1:]]


@seams.events(*SPEAKING, clauses="6.1 6.4")
def data_have_no_type(events: Events) -> Events:
    return [(name, {key: value for key, value in data.items() if key != "type"}) for name, data in events]


@seams.stream(*SPEAKING, clauses="6.1")
def events_have_no_name(body: bytes) -> bytes:
    return b"\n".join(line for line in body.split(b"\n") if not line.startswith(b"event:"))


@seams.stream(*SPEAKING, clauses="6.1 6.3")
def a_stream_ends_with_done(body: bytes) -> bytes:
    return body + b"data: [DONE]\n\n"


@seams.stream(*SPEAKING, clauses="6.1")
def lines_end_as_on_windows(body: bytes) -> bytes:
    return body.replace(b"\n", b"\r\n")


@seams.stream(*SPEAKING, clauses="6.1")
def a_comment_comes_first(body: bytes) -> bytes:
    return b": hello\n\n" + body


@seams.stream(*SPEAKING, clauses="6.1")
def events_have_ids(body: bytes) -> bytes:
    return body.replace(b"event: ", b"id: 1\nevent: ")


@seams.stream("send", clauses="6.1")
def a_stream_is_latin_1(body: bytes) -> bytes:
    return body.decode().encode("latin-1", "replace")


@seams.events(*SPEAKING, clauses="6.4")
def a_stream_has_no_beginning(events: Events) -> Events:
    return events[1:]


@seams.events(*SPEAKING, clauses="6.4")
def a_stream_ends_twice(events: Events) -> Events:
    return [*events, events[-1]]


@seams.events(*SPEAKING, clauses="6.4 6.3")
def a_stream_has_no_end(events: Events) -> Events:
    return events[:-1]


@seams.events(*SPEAKING, clauses="6.4")
def a_stream_changes_its_id(events: Events) -> Events:
    name, data = events[-1]
    return [*events[:-1], (name, {**data, "id": data["id"][:-1] + "x"})]


@seams.events("send", clauses="6.4")
def a_stream_names_no_conversation(events: Events) -> Events:
    (name, data), *rest = events
    return [(name, {key: value for key, value in data.items() if key != "conversation_id"}), *rest]


@seams.events("complete", clauses="6.4")
def a_completion_names_a_conversation(events: Events) -> Events:
    (name, data), *rest = events
    return [(name, {**data, "conversation_id": "none"}), *rest]


@seams.events(*SPEAKING, clauses="6.4")
def the_whole_text_is_shorter(events: Events) -> Events:
    return [(name, {**data, "text": data["text"][:-1]} if name == TEXT_DONE else data) for name, data in events]


@seams.events(*SPEAKING, clauses="6.4")
def a_delta_is_lost(events: Events) -> Events:
    lost = next((event for event in events if event[0] == TEXT), None)
    return [event for event in events if event is not lost]


@seams.events(*SPEAKING, clauses="6.3")
def a_text_comes_at_once(events: Events) -> Events:
    told: Events = []
    for name, data in events:
        if name == TEXT and told[-1][0] == TEXT:
            told[-1] = (TEXT, {**data, "delta": told[-1][1]["delta"] + data["delta"]})
        else:
            told.append((name, data))
    return told


@seams.events(*SPEAKING, clauses="6.3")
def deltas_are_code_points(events: Events) -> Events:
    told: Events = []
    for name, data in events:
        told += [(TEXT, {**data, "delta": letter}) for letter in data["delta"]] if name == TEXT else [(name, data)]
    return told


@seams.events("send", clauses="6.3")
def every_item_is_the_first(events: Events) -> Events:
    return [(name, {**data, "output_index": 0} if "output_index" in data else data) for name, data in events]


@seams.events("send", clauses="6.3")
def items_are_counted_from_one(events: Events) -> Events:
    return [
        (name, {**data, "output_index": data["output_index"] + 1} if "output_index" in data else data)
        for name, data in events
    ]


@seams.events("send", clauses="6.4")
def a_calls_deltas_are_lost(events: Events) -> Events:
    return [event for event in events if event[0] != CALL_DELTA]


@seams.events("send", clauses="6.4")
def a_call_never_ends(events: Events) -> Events:
    return [event for event in events if event[0] != CALL_DONE]


@seams.events("send", clauses="6.3 6.4")
def a_client_tool_has_arguments(events: Events) -> Events:
    return [
        (name, {**data, "arguments": data["arguments"] or "{}"} if name == CALL_DONE else data) for name, data in events
    ]


@seams.events("send", clauses="6.4")
def a_calls_item_is_left_out(events: Events) -> Events:
    return [event for event in events if event[0] != ITEM_DONE or event[1]["item"]["type"] != "function_call"]


@seams.events("send", clauses="6.4")
def a_texts_item_is_left_out(events: Events) -> Events:
    return [event for event in events if event[0] != ITEM_DONE or event[1]["item"]["type"] != "message"]


@seams.events("complete", clauses="6.2 6.4")
def a_completion_has_items(events: Events) -> Events:
    item = {"type": ITEM_DONE, "output_index": 0, "item": {"type": "message", "role": "assistant", "content": []}}
    return [*events[:-1], (ITEM_DONE, item), events[-1]]


@seams.events("complete", clauses="6.2")
def a_completion_uses_tools(events: Events) -> Events:
    if "[[tool]]" not in json.dumps(events):
        start = {"type": "response.function_call.start", "name": "x", "call_id": "call_1", "output_index": 1}
        return [*events[:-1], ("response.function_call.start", start), events[-1]]
    return events


@seams.events(*SPEAKING, clauses="10.3 6.4")
def a_failed_stream_gives_no_reason(events: Events) -> Events:
    return [(name, {**data, "error": {"message": ""}} if name == "response.failed" else data) for name, data in events]


@seams.events(*SPEAKING, clauses="10.3 6.4")
def a_failed_stream_completes(events: Events) -> Events:
    return [
        ("response.completed", {**data, "type": "response.completed", "status": "completed"})
        if name == "response.failed"
        else (name, data)
        for name, data in events
    ]


@seams.events("send", clauses="6.3 10.3")
def a_stream_says_something_else(events: Events) -> Events:
    told = [(name, {**data, "delta": data["delta"].upper()} if name == TEXT else data) for name, data in events]
    return [(name, {**data, "text": data["text"].upper()} if name == TEXT_DONE else data) for name, data in told]


@seams.events("complete", clauses="10.3")
def a_completions_stream_says_something_else(events: Events) -> Events:
    told = [(name, {**data, "delta": data["delta"].upper()} if name == TEXT else data) for name, data in events]
    return [(name, {**data, "text": data["text"].upper()} if name == TEXT_DONE else data) for name, data in told]
