"""Reads event streams as strictly as the contract writes them, and holds them against its grammar (clauses 6.1 to 6.4).

`parse` knows the bytes, `read` the order of the events. Both fail with a sentence that says what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# Every event with the keys of its data: these and no others.
KEYS: Mapping[str, frozenset[str]] = {
    "response.output_text.delta": frozenset({"type", "delta", "output_index", "content_index"}),
    "response.output_text.done": frozenset({"type", "text", "output_index", "content_index"}),
    "response.function_call.start": frozenset({"type", "name", "call_id", "output_index"}),
    "response.function_call_arguments.delta": frozenset({"type", "delta", "call_id", "output_index"}),
    "response.function_call_arguments.done": frozenset({"type", "name", "arguments", "call_id", "output_index"}),
    "response.output_item.done": frozenset({"type", "item", "output_index"}),
    "response.data_spec": frozenset({"type", "data", "output_index"}),
    "response.completed": frozenset({"type", "id", "status"}),
    "response.failed": frozenset({"type", "id", "status", "error"}),
}
CREATED = frozenset({"type", "id", "object", "status"})
LAST = ("response.completed", "response.failed")

_BLOCK = re.compile(r"event: ([a-z_.]+)\ndata: (\{[^\r\n]*\})\n\n")


class Event(NamedTuple):
    """One event: its name and the JSON of its data."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """What a stream said, put together from its pieces."""

    id: str
    conversation_id: str | None
    status: str
    output: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None

    @property
    def text(self) -> str:
        """The text of a completion."""
        return "".join(item["content"][0]["text"] for item in self.output)


def parse(raw: bytes) -> list[Event]:
    """Read a stream in which nothing stands but `event:`, one `data:` and a blank line, again and again."""
    text = raw.decode("utf-8", "strict")
    events: list[Event] = []
    place = 0
    while place < len(text):
        block = _BLOCK.match(text, place)
        assert block, f"no event: {text[place : place + 100]!r}"
        events.append(Event(block[1], json.loads(block[2])))
        place = block.end()
    return events


def read(events: Sequence[Event], *, completion: bool = False) -> Streamed:
    """Hold a whole stream against the grammar and return what it said."""
    return _Reader(events, completion).whole()


def read_cut(events: Sequence[Event], *, completion: bool = False) -> None:
    """Hold the beginning of a stream against the grammar: it may stop anywhere but after a last event."""
    assert events, "nothing came"
    _Reader(events, completion).beginning()


class _Reader:
    """Walks over the events of one stream."""

    def __init__(self, events: Sequence[Event], completion: bool) -> None:
        self._events = events
        self._completion = completion
        self._place = 0

    def whole(self) -> Streamed:
        assert self._events, "nothing came"
        assert self._events[0].name == "response.created", f"it begins with {self._events[0]}"
        for event in self._events:
            _check_keys(event, self._completion)
        created, last = self._events[0], self._events[-1]
        assert last.name in LAST, f"the last event is {last.name}"
        inner = Streamed(
            id=created.data["id"],
            conversation_id=created.data.get("conversation_id"),
            status=last.data["status"],
            output=self._output(),
            error=last.data["error"]["message"] if last.name == "response.failed" else None,
        )
        assert last.data["id"] == inner.id, "the stream ends under another id"
        assert self._place == len(self._events) - 1, f"out of place: {self._events[self._place]}"
        return inner

    def beginning(self) -> None:
        for event in self._events:
            _check_keys(event, self._completion)
            assert event.name not in LAST, f"a cut stream has a last event: {event.name}"
        try:
            self._output()
        except _Exhausted:
            return
        assert self._place == len(self._events), f"out of place: {self._events[self._place]}"

    def _output(self) -> list[dict[str, Any]]:
        self._take("response.created")
        output: list[dict[str, Any]] = []
        while self._place < len(self._events) and self._events[self._place].name not in LAST:
            output.append(self._item(len(output)))
        assert not self._completion or len(output) <= 1, "a completion has one text"
        return output

    def _item(self, index: int) -> dict[str, Any]:
        name = self._events[self._place].name
        if name.startswith("response.output_text."):
            item = self._text(index)
        elif name == "response.function_call.start":
            item = self._call(index)
        else:
            spec = self._take("response.data_spec", output_index=index)
            item = {"type": "data_spec", "data": spec["data"]}
        if not self._completion:
            done = self._take("response.output_item.done", output_index=index)
            assert done["item"] == item, f"the item {done['item']} was streamed as {item}"
        return item

    def _text(self, index: int) -> dict[str, Any]:
        text = self._joined("response.output_text.delta", output_index=index, content_index=0)
        done = self._take("response.output_text.done", output_index=index, content_index=0)
        assert done["text"] == text, f"the deltas say {text!r}, done says {done['text']!r}"
        return {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}

    def _call(self, index: int) -> dict[str, Any]:
        start = self._take("response.function_call.start", output_index=index)
        call = {"call_id": start["call_id"], "output_index": index}
        joined = self._joined("response.function_call_arguments.delta", **call)
        done = self._take("response.function_call_arguments.done", name=start["name"], **call)
        arguments = done["arguments"]
        assert (arguments or "") == joined, f"the deltas say {joined!r}, done says {arguments!r}"
        return {"type": "function_call", "name": start["name"], "arguments": arguments, "call_id": start["call_id"]}

    def _joined(self, name: str, /, **expected: Any) -> str:
        pieces: list[str] = []
        while self._place < len(self._events) and self._events[self._place].name == name:
            pieces.append(self._take(name, **expected)["delta"])
        assert all(pieces), "a delta is empty"
        return "".join(pieces)

    def _take(self, name: str, /, **expected: Any) -> dict[str, Any]:
        if self._place == len(self._events):
            raise _Exhausted
        event = self._events[self._place]
        assert event.name == name, f"expected {name} at {self._place}, got {event}"
        for key, value in expected.items():
            assert event.data[key] == value, f"expected {key} {value!r} in {event}"
        self._place += 1
        return event.data


class _Exhausted(Exception):
    """The stream stopped where more had to come."""


def _check_keys(event: Event, completion: bool) -> None:
    """Hold one event against the table of events, whatever stands around it."""
    name, data = event
    if name == "response.created":
        expected = CREATED if completion else CREATED | {"conversation_id"}
        assert data["status"] == "in_progress", data
    else:
        assert name in KEYS, f"unknown event {name}"
        expected = KEYS[name]
    assert data.keys() == expected, f"the data of {name} has the keys {sorted(data)}"
    assert data["type"] == name, f"{name} calls itself {data['type']}"
    if name in LAST:
        assert data["status"] == name.removeprefix("response."), data
