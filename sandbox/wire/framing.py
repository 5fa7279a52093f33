"""Writes events onto the wire: plainly, or in legal but hostile forms that a correct parser reads alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cached_property

from sandbox.contract import encode
from sandbox.wire.events import Event


class Framing:
    """One stream's way of writing events; what `lots` makes decides where a hostile form strikes."""

    def __init__(self, style: str, lots: Callable[[], random.Random]) -> None:
        self._style = style
        self._make_lots = lots

    @property
    def is_plain(self) -> bool:
        """Whether each event is written as it is, in one piece."""
        return self._style == "plain"

    @cached_property
    def _lots(self) -> random.Random:
        return self._make_lots()

    def pieces(self, event: Event) -> Iterator[bytes]:
        """Yield what is written for one event, a piece a write."""
        text = self._text(event)
        if self._style == "split":
            yield from self._split(text)
        else:
            yield text

    def _text(self, event: Event) -> bytes:
        if self._style == "multiline":
            lines = encode(event.data, indent=True).split(b"\n")
            return b"event: %b\n%b\n" % (event.name.encode(), b"".join(b"data: %b\n" % line for line in lines))
        text = plain(event)
        if self._style == "crlf":
            return text.replace(b"\n", b"\r\n")
        if self._style == "comments":
            return self._noise() + text
        return text

    def _noise(self) -> bytes:
        """Return what a parser must read over: comments, blank lines, events without data, unknown fields."""
        return self._lots.choice(
            (b": still here\n", b":\n\n", b"event: nothing\n\n", b"\n\n", b"mood: fine\n\n", b": data: {}\n\n")
        )

    def _split(self, text: bytes) -> Iterator[bytes]:
        """Cut anywhere: inside lines, inside the bytes of one character."""
        start = 0
        while start < len(text):
            end = start + self._lots.randint(1, 17)
            yield text[start:end]
            start = end


def plain(event: Event) -> bytes:
    """Return an event as it is written where no form is asked for."""
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), encode(event.data))
