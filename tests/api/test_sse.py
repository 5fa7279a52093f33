"""The tests' own reader of streams goes red where it must: what it lets pass, a broken server could send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.sse import Event, parse, read, read_cut

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("response.created", {"id": "resp_1", "object": "response", "status": "in_progress", "conversation_id": "c"}),
    ("response.output_text.delta", {"delta": "Hi ", "output_index": 0, "content_index": 0}),
    ("response.output_text.delta", {"delta": "you", "output_index": 0, "content_index": 0}),
    ("response.output_text.done", {"text": "Hi you", "output_index": 0, "content_index": 0}),
    (
        "response.output_item.done",
        {
            "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi you"}]},
            "output_index": 0,
        },
    ),
    ("response.function_call.start", {"name": "map", "call_id": "call_1", "output_index": 1}),
    ("response.function_call_arguments.delta", {"delta": "{}", "call_id": "call_1", "output_index": 1}),
    (
        "response.function_call_arguments.done",
        {"name": "map", "arguments": "{}", "call_id": "call_1", "output_index": 1},
    ),
    (
        "response.output_item.done",
        {"item": {"type": "function_call", "name": "map", "arguments": "{}", "call_id": "call_1"}, "output_index": 1},
    ),
    ("response.data_spec", {"data": {"type": "patch", "patch": {}}, "output_index": 2}),
    (
        "response.output_item.done",
        {"item": {"type": "data_spec", "data": {"type": "patch", "patch": {}}}, "output_index": 2},
    ),
    ("response.completed", {"id": "resp_1", "status": "completed"}),
]
DELTA, TEXT_DONE, ITEM_DONE, START, ARGUMENT, CALL_DONE, SPEC, LAST = 2, 3, 4, 5, 6, 7, 9, 11


def good() -> list[Event]:
    """Return a fresh stream with every kind of item."""
    copied: list[tuple[str, dict[str, Any]]] = json.loads(json.dumps(GOOD))
    return [Event(name, {"type": name, **data}) for name, data in copied]


def test_a_good_stream_is_read() -> None:
    said = read(good())

    assert (said.id, said.conversation_id, said.status) == ("resp_1", "c", "completed")
    assert [item["type"] for item in said.output] == ["message", "function_call", "data_spec"]


@pytest.mark.parametrize("length", range(1, len(GOOD)))
def test_every_beginning_of_it_is_a_cut_stream_and_no_whole_one(length: int) -> None:
    read_cut(good()[:length])
    with pytest.raises(AssertionError):
        read(good()[:length])


def without(place: int) -> Callable[[list[Event]], object]:
    return lambda events: events.pop(place)


def swapped(place: int) -> Callable[[list[Event]], object]:
    return lambda events: events.insert(place, events.pop(place + 1))


def changed(place: int, **data: Any) -> Callable[[list[Event]], object]:
    return lambda events: events[place].data.update(data)


BROKEN: dict[str, Callable[[list[Event]], object]] = {
    "nothing begins it": without(0),
    "a delta is lost": without(DELTA),
    "a delta is empty": changed(DELTA, delta=""),
    "deltas are swapped": swapped(1),
    "a text is not done": without(TEXT_DONE),
    "a text says more than its deltas": changed(TEXT_DONE, text="Hi you!"),
    "an item is not done": without(ITEM_DONE),
    "an item differs from what was streamed": changed(ITEM_DONE, item={"type": "message"}),
    "an index is skipped": changed(START, output_index=2),
    "a content index is not 0": changed(DELTA, content_index=1),
    "items interleave": swapped(ITEM_DONE),
    "a call does not start": without(START),
    "a call changes its id": changed(ARGUMENT, call_id="call_2"),
    "a call changes its name": changed(CALL_DONE, name="other"),
    "arguments are null after deltas": changed(CALL_DONE, arguments=None),
    "a patch comes twice": lambda events: events.insert(SPEC, events[SPEC]),
    "it ends under another id": changed(LAST, id="resp_2"),
    "it ends with another status": changed(LAST, status="failed"),
    "it ends twice": lambda events: events.append(events[LAST]),
    "something follows its end": lambda events: events.append(events[DELTA]),
    "it begins twice": lambda events: events.insert(1, events[0]),
    "the type is not the name": changed(DELTA, type="response.output_text.done"),
    "there is a key too many": changed(DELTA, item_id="x"),
    "there is a key too few": lambda events: events[DELTA].data.pop("content_index"),
    "it is in progress no more": changed(0, status="completed"),
    "it has an unknown event": lambda events: events.insert(1, Event("response.ping", {"type": "response.ping"})),
}


def test_a_broken_stream_is_not(subtests: pytest.Subtests) -> None:
    for what in BROKEN:
        with subtests.test(what=what):
            events = good()
            BROKEN[what](events)

            with pytest.raises(AssertionError):
                read(events)


def test_a_completion_has_neither_items_nor_a_conversation() -> None:
    created = Event("response.created", {key: good()[0].data[key] for key in ("type", "id", "object", "status")})
    text, last = good()[1:4], good()[LAST]

    assert read([created, *text, last], completion=True).text == "Hi you"
    for events in ([good()[0], *text, last], [created, *text, good()[ITEM_DONE], last], [created, *text, *text, last]):
        with pytest.raises(AssertionError):
            read(events, completion=True)


BYTES = b'event: response.created\ndata: {"type":"x"}\n\n'


def test_bytes_that_are_not_written_as_the_contract_writes_them_are_refused(subtests: pytest.Subtests) -> None:
    rows: list[bytes] = [
        BYTES[:-1],
        BYTES.replace(b"\n", b"\r\n"),
        b": ping\n\n" + BYTES,
        b"id: 1\n" + BYTES,
        b"retry: 1\n\n" + BYTES,
        b"\xef\xbb\xbf" + BYTES,
        b"\n" + BYTES,
        BYTES + b"data: [DONE]\n\n",
        BYTES.replace(b"data: ", b"data:"),
        BYTES.replace(b"event: ", b"event:"),
        BYTES.replace(b"{", b"{\ndata: "),
        BYTES.replace(b"}", b""),
    ]
    for raw in rows:
        with subtests.test(raw=raw), pytest.raises((AssertionError, ValueError)):
            parse(raw)


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse(BYTES.replace(b"x", b"\xff"))
