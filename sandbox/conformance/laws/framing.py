"""Framing: how the events of a stream are written, to the byte."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import Broken, expect, expect_equal, law, shown
from sandbox.conformance.laws.grammar import BOTH, LAST, in_every_stream
from sandbox.conformance.shown import piece
from sandbox.conformance.sse import Event
from sandbox.conformance.subject import Subject


@law("STREAM-1", source="V", clause="6.1", operations=BOTH)
def events_are_written_plainly(server: Subject) -> None:
    """An event is a line `event: <type>`, one line `data: <JSON>` and an empty line."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        for event in events:
            fields = [line.partition(":")[0] for line in event.lines]
            named = fields.count("event") == 1 and fields.count("data") == 1
            expect(named, "one line event and one line data", shown(event.lines), answer)
            expect(bool(event.data), "data of a JSON object", shown(event.text), answer)

    in_every_stream(server, check)


@law("STREAM-2", source="D", clause="6.1", operations=BOTH)
def a_stream_has_nothing_else(server: Subject) -> None:
    """A stream has nothing else: no `id:`, no `retry:`, no comment, no `[DONE]`; it is UTF-8 with plain line
    feeds."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        plain = "".join(f"event: {event.name}\ndata: {event.text}\n\n" for event in events).encode()
        if answer.body != plain:
            at = next((n for n, (a, b) in enumerate(zip(answer.body, plain, strict=False)) if a != b), len(plain))
            raise Broken(
                "event, data, an empty line and nothing else", shown(_part(answer, max(at - 40, 0), at + 80)), answer
            )

    in_every_stream(server, check)


@law("STREAM-3", source="V", clause="6.1", operations=BOTH)
def a_stream_is_utf_8(server: Subject) -> None:
    """A stream is UTF-8, and whole characters arrive."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        try:
            answer.body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Broken("UTF-8", str(error), answer) from None
        expect(not any("\ufffd" in event.text for event in events), "whole characters", "U+FFFD", answer)

    in_every_stream(server, check)


@law("STREAM-5", source="V", clause="6.1", operations=BOTH)
def events_repeat_their_type(server: Subject) -> None:
    """The data of every event repeats its `type`."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        for event in events:
            expect_equal(event.data.get("type"), event.name, "type", answer)

    in_every_stream(server, check)


@law("STREAM-18", source="D", clause="6.3", operations=BOTH)
def a_stream_ends_well(server: Subject) -> None:
    """The body of a stream ends right after the last event, and ends well."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        expect(answer.is_whole, "a body that ends well", answer.trouble, answer)
        expect(
            answer.body.endswith(b"}\n\n"),
            "nothing after the last event",
            shown(_part(answer, max(len(answer.body) - 80, 0), len(answer.body))),
            answer,
        )
        expect(events[-1].name in LAST, "a last event", events[-1].name, answer)

    in_every_stream(server, check)


def _part(answer: Answer, start: int, end: int) -> bytes:
    return piece(answer.body.decode("latin-1"), start, end).encode("latin-1")
