"""What a reply says, whether as JSON or as a stream: its events, its items, the parts that the history keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.conformance.check import Check, Source, check, expect, expect_type, for_each
from sandbox.conformance.http_messages import ApiResponse, StreamEvent, read_events
from sandbox.conformance.target import COMPLETE, SEND, Target

JSON, STREAM = "application/json", "text/event-stream"
BOTH = (SEND, COMPLETE)
LAST = ("response.completed", "response.failed")
TEXT, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
CALL, CALL_DELTA = "response.function_call.start", "response.function_call_arguments.delta"
CALL_DONE, SPEC, ITEM_DONE = "response.function_call_arguments.done", "response.data_spec", "response.output_item.done"


def stream_check(
    name: str, *, source: Source, clause: str
) -> Callable[[Callable[[ApiResponse, Sequence[StreamEvent], bool], None]], Check]:
    """Make a check of every stream of the run: of the answer, its events, and whether it is of a completion."""

    def made(function: Callable[[ApiResponse, Sequence[StreamEvent], bool], None]) -> Check:
        def try_streams(server: Target) -> None:
            for_each(server.streams(), lambda case: function(case[0], events_of(case[0]), case[1]))

        try_streams.__doc__ = function.__doc__
        return check(name, source=source, clause=clause)(try_streams)

    return made


def events_of(answer: ApiResponse) -> Sequence[StreamEvent]:
    """Return the events of a stream; an answer that is none is a violation."""
    expect_type(answer, STREAM)
    events = read_events(answer.body)
    expect(len(events) > 0, "events", answer.summary, answer)
    return events


def parts_of(answer: ApiResponse) -> list[dict[str, Any]]:
    """Return the output of a reply as the parts that the history keeps."""
    return [_part(item) for item in output_of(answer)]


def text_of_reply(answer: ApiResponse) -> str:
    """Return the words of a reply."""
    return "".join(str(part["text"]) for part in parts_of(answer) if part.get("type") == "text")


def output_of(answer: ApiResponse) -> list[Mapping[str, Any]]:
    """Return the output of a reply; that of a stream is put together from its events, by `output_index`."""
    if answer.media_type != STREAM:
        output = answer.object.get("output")
        return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    items: dict[int, Mapping[str, Any]] = {}
    for event in read_events(answer.body):
        index = event.data.get("output_index")
        if isinstance(index, int) and (item := _finished(event.name, event.data)):
            items[index] = item
    return [items[index] for index in sorted(items)]


def well_formed(text: object, prefix: str) -> bool:
    """Say whether an id has its prefix and 24 hex digits."""
    return isinstance(text, str) and re.fullmatch(rf"{prefix}_[0-9a-f]{{24}}", text) is not None


def _finished(name: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
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
    content = item.get("content")
    texts = (
        [redacted_slice.get("text") for redacted_slice in content if isinstance(redacted_slice, dict)]
        if isinstance(content, list)
        else []
    )
    return {"type": "text", "text": "".join(map(str, texts))}


def _arguments(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return text
