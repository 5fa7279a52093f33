"""Reads a stream of events as it was sent, in any framing, by the rules of the HTML standard (9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class SentEvent(NamedTuple):
    """One event with data; `at_ms` is when its last byte left."""

    name: str
    data: bytes
    at_ms: float


def parse(chunks: Iterable[tuple[float, bytes]]) -> Iterator[SentEvent]:
    """Yield the events of a stream's pieces; an empty piece stands for some that are missing."""
    unended, lines, begins, is_cut, after_cr = b"", list[bytes](), True, False, False
    for at_ms, chunk in chunks:
        if not chunk:
            unended, lines, is_cut = b"", [], True
            continue
        rest = chunk[1:] if after_cr and chunk.startswith(b"\n") else chunk
        after_cr = chunk.endswith(b"\r")
        *ended, unended = _LINE_END.split(unended + rest)
        for line in ended:
            lines.append(line.removeprefix(_BOM) if begins else line)
            begins = False
            if line:
                continue
            # What follows missing pieces begins anywhere: up to the first blank line it is no event.
            if not is_cut and (event := _event(lines, at_ms)):
                yield event
            lines, is_cut = [], False


def _event(lines: list[bytes], at_ms: float) -> SentEvent | None:
    name, data = "message", list[bytes]()
    for line in lines:
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.removeprefix(b" ").decode("utf-8", "replace")
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    return SentEvent(name, b"\n".join(data), at_ms) if data else None
