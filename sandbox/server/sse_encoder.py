"""Writes events onto the wire: plainly, or in legal but hostile forms that a correct parser reads alike."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from sandbox.contract import encode
from sandbox.server.reply_events import Event

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


class SseEncoder:
    """One stream's way of writing events, of one form or several at once; `rng` decides where a form strikes."""

    def __init__(self, forms: str | Collection[str], rng: Callable[[], random.Random]) -> None:
        self._forms = frozenset([forms] if isinstance(forms, str) else forms) - {"plain"}
        self._make_rng = rng
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

    def pieces(self, event: Event) -> Iterator[bytes]:
        """Yield what is written for one event, a piece a write."""
        text = self._ended(self._noise() + self._text(event))
        if "bom" in self._forms and not self._written:
            text = _BOM + text
        self._written += 1
        for part in _BEFORE_LF.split(text) if "cut_crlf" in self._forms else (text,):
            if "split" in self._forms:
                yield from self._split(part)
            else:
                yield part

    def _text(self, event: Event) -> bytes:
        if not self._forms & {"multiline", "fields"}:
            return plain(event)
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

    def _ended(self, text: bytes) -> bytes:
        """Give each line its end."""
        if len(self._line_ends) == 1:
            return text.replace(b"\n", self._line_ends[0])
        return b"".join(self._varied(text)) if self._line_ends else text

    def _varied(self, text: bytes) -> Iterator[bytes]:
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


def plain(event: Event) -> bytes:
    """Return an event as it is written where no form is asked for."""
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), encode(event.data))
