"""Reads server-sent events as the standard says, and remembers how they were written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.conformance.exchange import read_json

MOST_EVENTS = 20_000

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: its name, its data, and the lines that it was written in."""

    name: str
    text: str
    lines: tuple[str, ...]

    @cached_property
    def json(self) -> Any:
        """The data read as JSON; None where it isn't."""
        return read_json(self.text.encode())

    @property
    def data(self) -> dict[str, Any]:
        """The data read as a JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}


def read(body: bytes) -> tuple[Event, ...]:
    """Return the events of a stream, so many at most; an unfinished one at its end is none."""
    events: list[Event] = []
    lines: list[str] = []
    for raw in _lines(body):
        if len(events) == MOST_EVENTS or len(lines) > MOST_EVENTS:
            break
        line = raw.decode("utf-8", "replace")
        if line:
            lines.append(line)
            continue
        if event := _event(lines):
            events.append(event)
        lines = []
    return tuple(events)


def _lines(body: bytes) -> Iterator[bytes]:
    start = 0
    for end in _LINE_END.finditer(body):
        yield body[start : end.start()]
        start = end.end()
    yield body[start:]


def _event(lines: list[str]) -> Event | None:
    name, data = "message", []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return Event(name=name, text="\n".join(data), lines=tuple(lines)) if data else None
