"""Turns a `ReplyResult` answer into its two forms, JSON body and events, which say the same (CONTRACT.md 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sandbox.contract import encode
from sandbox.handler_types import ReplyResult
from sandbox.reply import FunctionCall, Message, OutputItem

LONGEST_DELTA = 24

_WORD = re.compile(rf"\S{{1,{LONGEST_DELTA}}}\s*|\s+")


class Event(NamedTuple):
    """One event of a stream; its data carries the name as `type` too."""

    name: str
    data: dict[str, Any]

    @property
    def is_delta(self) -> bool:
        """Whether it is one of the small pieces that a pace slows down: of a text, of arguments, of a form."""
        return self.name.endswith(".delta") or self.name == "response.data_spec"


def json_body(spoken: ReplyResult) -> dict[str, Any]:
    """Return the JSON form of an answer: a Response, or a Completion (CONTRACT.md 3.9 and 3.12)."""
    status = "completed" if spoken.reply.failure is None else "failed"
    body: dict[str, Any] = {"id": spoken.id, "created_at": spoken.created_at}
    if spoken.conversation_id is None:
        text = "\n\n".join(item.text for item in spoken.reply.output if isinstance(item, Message))
        return {**body, "text": text, "object": "completion", "status": status}
    output = [output_item(item) for item in spoken.reply.output]
    return {
        **body,
        "conversation_id": spoken.conversation_id,
        "object": "response",
        "output": output,
        "status": status,
    }


def output_item(item: OutputItem) -> dict[str, Any]:
    """Return one output item with the keys of its type alone (CONTRACT.md 3.10)."""
    if isinstance(item, Message):
        return {"type": "message", "role": "assistant", "content": [{"type": "text", "text": item.text}]}
    if isinstance(item, FunctionCall):
        return {
            "type": "function_call",
            "name": item.name,
            "arguments": _arguments(item),
            "call_id": item.call_id,
        }
    return {"type": "data_spec", "data": {"type": "patch", "patch": item.patch}}


def events(spoken: ReplyResult) -> Iterator[Event]:
    """Yield every event of an answer, first to last."""
    created: dict[str, Any] = {"id": spoken.id, "object": "response", "status": "in_progress"}
    if spoken.conversation_id is None:
        yield _event("response.created", {**created, "object": "completion"})
        yield from _text_events(0, json_body(spoken)["text"]) if spoken.reply.failure is None else ()
    else:
        yield _event("response.created", {**created, "conversation_id": spoken.conversation_id})
        for index, item in enumerate(spoken.reply.output):
            yield from _item_events(index, item)
    if spoken.reply.failure is None:
        yield _event("response.completed", {"id": spoken.id, "status": "completed"})
    else:
        yield failed(spoken.id, spoken.reply.failure)


def count(spoken: ReplyResult) -> int:
    """Return how many events an answer has, without making them."""
    if spoken.conversation_id is None:
        return 2 + (_text_count(json_body(spoken)["text"]) if spoken.reply.failure is None else 0)
    return 2 + sum(_item_count(item) for item in spoken.reply.output)


def failed(response_id: str, reason: str) -> Event:
    """Return the last event of a stream that fails."""
    return _event("response.failed", {"id": response_id, "status": "failed", "error": {"message": reason}})


def deltas(text: str) -> Iterator[str]:
    """Split a text into pieces of about a word, never inside a character or an emoji sequence."""
    if text.isascii():
        yield from (word[0] for word in _WORD.finditer(text))
    else:
        yield from _grapheme_deltas(text)


def _grapheme_deltas(text: str) -> Iterator[str]:
    # Imported late: only texts beyond ASCII need to know where characters end.
    import regex

    delta = ""
    for found in regex.finditer(r"\X", text):
        cluster = found[0]
        delta_ends = delta[-1:].isspace() and not cluster[0].isspace()
        if delta and (delta_ends or len(delta) >= LONGEST_DELTA):
            yield delta
            delta = ""
        delta += cluster
    if delta:
        yield delta


def _item_events(index: int, item: OutputItem) -> Iterator[Event]:
    if isinstance(item, Message):
        yield from _text_events(index, item.text)
    elif isinstance(item, FunctionCall):
        yield from _call_events(index, item)
    else:
        patch = {"type": "patch", "patch": item.patch}
        yield _event("response.data_spec", {"data": patch, "output_index": index})
    yield _event("response.output_item.done", {"item": output_item(item), "output_index": index})


def _item_count(item: OutputItem) -> int:
    if isinstance(item, Message):
        return _text_count(item.text) + 1
    if isinstance(item, FunctionCall):
        return sum(1 for _ in deltas(_arguments(item) or "")) + 3
    return 2


def _text_count(text: str) -> int:
    return sum(1 for _ in deltas(text)) + 1


def _text_events(index: int, text: str) -> Iterator[Event]:
    place = {"output_index": index, "content_index": 0}
    for delta in deltas(text):
        yield _event("response.output_text.delta", {"delta": delta, **place})
    yield _event("response.output_text.done", {"text": text, **place})


def _call_events(index: int, item: FunctionCall) -> Iterator[Event]:
    place = {"call_id": item.call_id, "output_index": index}
    yield _event("response.function_call.start", {"name": item.name, **place})
    arguments = _arguments(item)
    for delta in deltas(arguments) if arguments is not None else ():
        yield _event("response.function_call_arguments.delta", {"delta": delta, **place})
    yield _event("response.function_call_arguments.done", {"name": item.name, "arguments": arguments, **place})


def _event(name: str, fields: dict[str, Any]) -> Event:
    return Event(name, {"type": name, **fields})


def _arguments(item: FunctionCall) -> str | None:
    return None if item.arguments is None else encode(item.arguments).decode()
