"""What a reply says, whether as JSON or as a stream: its events, its items, the parts that the history keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.conformance import expect
from sandbox.conformance.http_messages import ApiResponse, StreamEvent, objects_in, read_events
from sandbox.conformance.target import DIFFICULT, TOOLS, Target

JSON, STREAM = "application/json", "text/event-stream"
LAST = ("response.completed", "response.failed")
TEXT, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
CALL, CALL_DELTA = "response.function_call.start", "response.function_call_arguments.delta"
CALL_DONE, SPEC, ITEM_DONE = "response.function_call_arguments.done", "response.data_spec", "response.output_item.done"


@dataclass(frozen=True)
class Stream:
    """One streamed answer."""

    answer: ApiResponse
    is_completion: bool = False

    @cached_property
    def events(self) -> Sequence[StreamEvent]:
        """Its events; an answer that is no stream is a violation."""
        return events_of(self.answer)

    @property
    def deltas(self) -> list[str]:
        """The deltas of its texts."""
        return [str(event.data.get("delta")) for event in self.events if event.name == TEXT]


def streams(server: Target) -> Iterator[Stream]:
    """Yield every stream of the run's own making."""
    yield Stream(server.streamed().answer)
    yield Stream(server.completion(stream=True), is_completion=True)
    if server.sandbox_rules:
        for message in (TOOLS, "[[unicode]]", "[[echo]] " + DIFFICULT):
            yield Stream(server.reply_to(message, stream=True).answer)


def events_of(answer: ApiResponse) -> Sequence[StreamEvent]:
    """Return the events of a stream; an answer that is none is a violation."""
    expect.media_type(answer, STREAM)
    events = read_events(answer.body)
    expect.that(len(events) > 0, "events", answer)
    return events


def parts_of(answer: ApiResponse) -> list[dict[str, Any]]:
    """Return the output of a reply as the parts that the history keeps."""
    return [_part(item) for item in output_of(answer)]


def text_of_reply(answer: ApiResponse) -> str:
    """Return the words of a reply."""
    return "".join(str(part["text"]) for part in parts_of(answer) if part.get("type") == "text")


def output_of(answer: ApiResponse) -> list[dict[str, Any]]:
    """Return the output of a reply; that of a stream is put together from its events, by `output_index`."""
    if answer.media_type != STREAM:
        return objects_in(answer.object.get("output"))
    items: dict[int, dict[str, Any]] = {}
    for event in read_events(answer.body):
        index = event.data.get("output_index")
        if isinstance(index, int) and (item := _finished(event.name, event.data)):
            items[index] = item
    return [items[index] for index in sorted(items)]


def well_formed(text: object, prefix: str) -> bool:
    """Say whether an id has its prefix and 24 hex digits."""
    return isinstance(text, str) and re.fullmatch(rf"{prefix}_[0-9a-f]{{24}}", text) is not None


def _finished(name: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    if name == TEXT_DONE:
        content = [{"type": "text", "text": data.get("text")}]
        return {"type": "message", "role": "assistant", "content": content}
    if name == CALL_DONE:
        return {"type": "function_call", **{key: data.get(key) for key in ("name", "arguments", "call_id")}}
    if name == SPEC:
        return {"type": "data_spec", "data": data.get("data")}
    return None


def _part(item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("type") == "function_call":
        return {
            "type": "tool-call",
            "toolCallId": item.get("call_id"),
            "toolName": item.get("name"),
            "input": _arguments(item.get("arguments")),
        }
    if item.get("type") == "data_spec":
        return {"type": "data-spec", "data": item.get("data")}
    texts = [str(part.get("text")) for part in objects_in(item.get("content"))]
    return {"type": "text", "text": "".join(texts)}


def _arguments(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return text
