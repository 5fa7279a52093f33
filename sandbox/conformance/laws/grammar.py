"""What a reply says, read from JSON or put together from a stream, in the form of the history's parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.conformance import sse
from sandbox.conformance.exchange import Answer


def parts_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the output of a reply as the parts that the history keeps."""
    return [_part(item) for item in output_of(answer)]


def said_by(answer: Answer) -> str:
    """Return the words of a reply."""
    return "".join(str(part["text"]) for part in parts_of(answer) if part.get("type") == "text")


def output_of(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the output of a reply; that of a stream is put together from its events, by `output_index`."""
    if answer.media_type != "text/event-stream":
        output = answer.object.get("output")
        return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    items: dict[int, Mapping[str, Any]] = {}
    for event in sse.read(answer.body):
        index = event.data.get("output_index")
        if isinstance(index, int) and (item := _finished(event.name, event.data)):
            items[index] = item
    return [items[index] for index in sorted(items)]


def _finished(name: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if name == "response.output_text.done":
        content = [{"type": "text", "text": data.get("text")}]
        return {"type": "message", "role": "assistant", "content": content}
    if name == "response.function_call_arguments.done":
        return {"type": "function_call", **{key: data.get(key) for key in ("name", "arguments", "call_id")}}
    if name == "response.data_spec":
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
    texts = [piece.get("text") for piece in content if isinstance(piece, dict)] if isinstance(content, list) else []
    return {"type": "text", "text": "".join(map(str, texts))}


def _arguments(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return text
