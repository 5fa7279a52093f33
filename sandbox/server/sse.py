"""The two forms of a reply, a JSON body and server-sent events, which say the same (docs/contract.md 6).

Also: what a fault makes of the stream, and how an event is written.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from sandbox.contract import encode
from sandbox.handler_types import ReplyResult
from sandbox.reply import FunctionCall, Message, OutputItem

MAX_DELTA = 24
STREAM_FAULTS = frozenset({"stream_cut", "stream_stall", "stream_fail", "stream_garble"})

_WORD = re.compile(rf"\S{{1,{MAX_DELTA}}}\s*|\s+")
_BOM = b"\xef\xbb\xbf"
# How lines end in each form that changes it; where there are several, chance decides line by line.
_LINE_ENDS = {
    "crlf": (b"\r\n",),
    "cr": (b"\r",),
    "cut_crlf": (b"\r\n",),
    "mixed": (b"\n", b"\r\n", b"\r"),
}
_NOISE = (b": still here\n", b":\n\n", b"event: nothing\n\n", b"\n\n", b"mood: fine\n\n", b": data: {}\n\n")
_BEFORE_LF = re.compile(rb"(?<=\r)(?=\n)")


class ReplyEvent(NamedTuple):
    """One event of a stream; its data carries the name as `type` too."""

    name: str
    data: dict[str, Any]

    @property
    def is_delta(self) -> bool:
        """Whether it is one of the small pieces that a pace slows down: of a text, of arguments, of a form."""
        return self.name.endswith(".delta") or self.name == "response.data_spec"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so many milliseconds, or until the fault `gate` is released."""

    ms: float = 0
    gate: str | None = None


@dataclass(frozen=True, slots=True)
class PartialEvent:
    """Only the first half of an event is sent."""

    event: ReplyEvent


@dataclass(frozen=True, slots=True)
class Abort:
    """The connection ends without the end of the response."""


Step = ReplyEvent | Pause | PartialEvent | Abort


# The reply as JSON


def response_body(result: ReplyResult) -> dict[str, Any]:
    """Return the JSON form: a Response, or a Completion (docs/contract.md 3.9 and 3.12)."""
    status = "completed" if result.reply.failure is None else "failed"
    body: dict[str, Any] = {"id": result.id, "created_at": result.created_at}
    if result.conversation_id is None:
        return {**body, "text": _completion_text(result), "object": "completion", "status": status}
    output = [output_item(item) for item in result.reply.output]
    conversation = {"conversation_id": result.conversation_id}
    return {**body, **conversation, "object": "response", "output": output, "status": status}


def output_item(item: OutputItem) -> dict[str, Any]:
    """Return one output item with the keys of its type alone (docs/contract.md 3.10)."""
    if isinstance(item, Message):
        return {"type": "message", "role": "assistant", "content": [{"type": "text", "text": item.text}]}
    if isinstance(item, FunctionCall):
        return {"type": "function_call", "name": item.name, "arguments": _arguments(item), "call_id": item.call_id}
    return {"type": "data_spec", "data": {"type": "patch", "patch": item.patch}}


def _completion_text(result: ReplyResult) -> str:
    return "\n\n".join(item.text for item in result.reply.output if isinstance(item, Message))


def _arguments(item: FunctionCall) -> str | None:
    return None if item.arguments is None else encode(item.arguments).decode()


# The reply as events


def reply_events(result: ReplyResult) -> Iterator[ReplyEvent]:
    """Yield every event of a reply, first to last."""
    created: dict[str, Any] = {"id": result.id, "object": "response", "status": "in_progress"}
    if result.conversation_id is None:
        yield _event("response.created", {**created, "object": "completion"})
        yield from _text_events(0, _completion_text(result)) if result.reply.failure is None else ()
    else:
        yield _event("response.created", {**created, "conversation_id": result.conversation_id})
        for index, item in enumerate(result.reply.output):
            yield from _item_events(index, item)
    if result.reply.failure is None:
        yield _event("response.completed", {"id": result.id, "status": "completed"})
    else:
        yield failed_event(result.id, result.reply.failure)


def failed_event(response_id: str, reason: str) -> ReplyEvent:
    """Return the last event of a stream that fails."""
    return _event("response.failed", {"id": response_id, "status": "failed", "error": {"message": reason}})


def split_deltas(text: str) -> Iterator[str]:
    """Split a text into pieces of about a word, never inside a character or an emoji sequence."""
    if text.isascii():
        yield from (word[0] for word in _WORD.finditer(text))
    else:
        yield from split_graphemes(text)


def split_graphemes(text: str) -> Iterator[str]:
    """Split a text as `split_deltas` does one beyond ASCII: more text behind it changes the last delta alone."""
    # Imported late: only texts beyond ASCII need to know where characters end.
    import regex

    delta = ""
    for match in regex.finditer(r"\X", text):
        cluster = match[0]
        delta_ends = delta[-1:].isspace() and not cluster[0].isspace()
        if delta and (delta_ends or len(delta) >= MAX_DELTA):
            yield delta
            delta = ""
        delta += cluster
    if delta:
        yield delta


def delta_event(delta: str) -> ReplyEvent:
    """Return the event of a piece of the first text."""
    return _event("response.output_text.delta", {"delta": delta, "output_index": 0, "content_index": 0})


def _item_events(index: int, item: OutputItem) -> Iterator[ReplyEvent]:
    if isinstance(item, Message):
        yield from _text_events(index, item.text)
    elif isinstance(item, FunctionCall):
        yield from _call_events(index, item)
    else:
        yield _event("response.data_spec", {"data": {"type": "patch", "patch": item.patch}, "output_index": index})
    yield _event("response.output_item.done", {"item": output_item(item), "output_index": index})


def _text_events(index: int, text: str) -> Iterator[ReplyEvent]:
    place = {"output_index": index, "content_index": 0}
    for delta in split_deltas(text):
        yield _event("response.output_text.delta", {"delta": delta, **place})
    yield _event("response.output_text.done", {"text": text, **place})


def _call_events(index: int, item: FunctionCall) -> Iterator[ReplyEvent]:
    place = {"call_id": item.call_id, "output_index": index}
    yield _event("response.function_call.start", {"name": item.name, **place})
    arguments = _arguments(item)
    for delta in split_deltas(arguments or ""):
        yield _event("response.function_call_arguments.delta", {"delta": delta, **place})
    yield _event("response.function_call_arguments.done", {"name": item.name, "arguments": arguments, **place})


def _event(name: str, fields: dict[str, Any]) -> ReplyEvent:
    return ReplyEvent(name, {"type": name, **fields})


# What a fault makes of the stream


def stream_steps(result: ReplyResult, fault: Mapping[str, Any] | None) -> Iterator[Step]:
    """Yield what a stream does; only a `fault` of the kinds of `STREAM_FAULTS` changes it."""
    events = reply_events(result)
    if result.reply.cut:
        yield from islice(events, _count_events(result) // 2)
        yield Abort()
        return
    if fault is None or fault["kind"] not in STREAM_FAULTS:
        yield from events
        return
    total = _count_events(result)
    # Before the last event at the latest: a fault after it would never be seen.
    yield from islice(events, min(fault.get("events", total // 2), total - 1))
    if fault["kind"] == "stream_stall":
        yield Pause(gate=fault["id"]) if "until" in fault else Pause(fault["ms"])
        yield from events
    elif fault["kind"] == "stream_fail":
        yield failed_event(result.id, "The reply failed (a fault of the sandbox).")
    else:
        if fault["kind"] == "stream_garble":
            yield PartialEvent(next(events))
        yield Abort()


def _count_events(result: ReplyResult) -> int:
    return sum(1 for _ in reply_events(result))


# How an event is written


def encode_event(event: ReplyEvent) -> bytes:
    """Return an event as it is written where no hostile form is asked for."""
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), encode(event.data))


class SseEncoder:
    """Writes the events of one stream: plainly, or in legal but hostile forms that a correct parser reads alike.

    Args:
        forms: one form of `AppSettings.framing`, or several at once.
        make_rng: makes the generator that decides where a form strikes.
    """

    def __init__(self, forms: str | Collection[str], make_rng: Callable[[], random.Random]) -> None:
        self._forms = frozenset([forms] if isinstance(forms, str) else forms) - {"plain"}
        self._make_rng = make_rng
        self._line_ends = sorted({end for form in self._forms for end in _LINE_ENDS.get(form, ())}, reverse=True)
        self._last_end = b""
        self._written = 0

    @property
    def is_plain(self) -> bool:
        """Whether each event is written as it is, in one piece."""
        return not self._forms

    @cached_property
    def _rng(self) -> random.Random:
        return self._make_rng()

    def encode(self, event: ReplyEvent) -> Iterator[bytes]:
        """Yield what is written for one event, a piece a write."""
        text = self._end_lines(self._noise() + self._fields(event))
        if "bom" in self._forms and not self._written:
            text = _BOM + text
        self._written += 1
        for part in _BEFORE_LF.split(text) if "cut_crlf" in self._forms else (text,):
            if "split" in self._forms:
                yield from self._split(part)
            else:
                yield part

    def _fields(self, event: ReplyEvent) -> bytes:
        if not self._forms & {"multiline", "fields"}:
            return encode_event(event)
        data = encode(event.data, indent="multiline" in self._forms)
        lines = [(b"event", event.name.encode()), *((b"data", line) for line in data.split(b"\n"))]
        if "fields" not in self._forms:
            return b"".join(b"%b: %b\n" % line for line in lines) + b"\n"
        # No space after the colon; none is missed where the value begins with one.
        more = [(b"id", b"%d" % (self._written + 1)), (b"retry", b"3000")]
        return b"".join(b"%b:%b\n" % line for line in [*more, *lines]) + b"\n"

    def _noise(self) -> bytes:
        """Return what a parser must read over: comments, blank lines, events without data, unknown fields."""
        return self._rng.choice(_NOISE) if "comments" in self._forms else b""

    def _end_lines(self, text: bytes) -> bytes:
        """Give each line the end that the forms ask for."""
        if len(self._line_ends) == 1:
            return text.replace(b"\n", self._line_ends[0])
        return b"".join(self._mix_line_ends(text)) if self._line_ends else text

    def _mix_line_ends(self, text: bytes) -> Iterator[bytes]:
        for line in text.split(b"\n")[:-1]:
            end = self._rng.choice(self._line_ends)
            # An empty line that is LF alone after CR alone would be the second half of CR LF.
            if not line and end == b"\n" and self._last_end == b"\r":
                end = b"\r"
            self._last_end = end
            yield line + end

    def _split(self, text: bytes) -> Iterator[bytes]:
        """Cut anywhere: inside lines, inside the bytes of one character."""
        start = 0
        while start < len(text):
            end = start + self._rng.randint(1, 17)
            yield text[start:end]
            start = end
