"""Reads a large JSON object element by element, for a thread beside the event loop.

One call that parses or validates tens of megabytes holds Python's lock until it is done, in whatever thread it runs.
Element by element the lock is free in between, so that other requests get their turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sandbox.contract.json import MAX_DEPTH, Document, decode
from sandbox.contract.validation import Validator, Violation

_SPACE = re.compile(r"[ \t\r\n]*")
# Tells where a value ends; what it says is read by `decode`, which is stricter.
_SCAN = json.JSONDecoder().raw_decode


def decode_in_pieces(raw: bytes, max_depth: int = MAX_DEPTH) -> Document:
    """Parse a JSON object whose size is in the elements of its lists, as `decode` would.

    Raises:
        InvalidJson: with line and column where the text breaks, or naming the depth that is taken.
    """
    try:
        document = _Reader(raw, max_depth).document()
    except (_NotAnObject, ValueError, RecursionError):
        document = None
    # What can't be read in pieces is read whole, or refused with the place.
    return document or decode(raw, max_depth)


class _NotAnObject(Exception):
    """The text is not a JSON object, or not valid."""


class _Reader:
    """Goes once over the text of an object."""

    def __init__(self, raw: bytes, max_depth: int) -> None:
        self._raw = raw
        self._text = raw.decode()
        self._max_depth = max_depth
        self._at = 0

    def document(self) -> Document:
        """Read all of it."""
        value: dict[str, Any] = {}
        exact: dict[str, Any] = {}
        for _ in self._members("{", "}"):
            name = self._value(1).value
            if not isinstance(name, str):
                raise _NotAnObject
            self._expect(":")
            if self._next() == "[":
                elements = [self._value(2) for _ in self._members("[", "]")]
                value[name] = [element.value for element in elements]
                exact[name] = [element.exact for element in elements]
            else:
                element = self._value(1)
                value[name], exact[name] = element.value, element.exact
        if self._next():
            raise _NotAnObject
        return Document(self._raw, value, exact)

    def _members(self, begin: str, end: str) -> Iterator[None]:
        """Stand before each member in turn; read what begins, separates and ends them."""
        self._expect(begin)
        if self._next() == end:
            self._at += 1
            return
        while True:
            yield
            if self._expect("," + end) == end:
                return

    def _value(self, above: int) -> Document:
        self._next()
        start = self._at
        _, self._at = _SCAN(self._text, start)
        return decode(self._text[start : self._at].encode(), self._max_depth - above)

    def _next(self) -> str:
        """Go to the next character that is no space, and return it; nothing at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, characters: str) -> str:
        character = self._next()
        if not character or character not in characters:
            raise _NotAnObject
        self._at += 1
        return character


def validate_in_pieces(validator: Validator, document: Document) -> list[Violation]:
    """Return the violations of a document, as `Validator.validate` does; only those of the first invalid element."""
    if not isinstance(document.value, dict):
        return validator.validate(document)
    lists = {name: each for name, each in validator.elements.items() if isinstance(document.value.get(name), list)}
    empty: dict[str, Any] = {name: [] for name in lists}
    outline = Document(b"", {**document.value, **empty}, {**document.exact, **empty})
    if violations := validator.validate(outline):
        return violations
    for name, element in lists.items():
        for index, both in enumerate(zip(document.value[name], document.exact[name], strict=True)):
            if violations := element.validate(Document(b"", *both)):
                return [violation._replace(path=(name, index, *violation.path)) for violation in violations]
    for name in document.value.keys() - lists.keys():
        # What stands right below may have been made an integer in the outline; all else is the same object.
        document.value[name], document.exact[name] = outline.value[name], outline.exact[name]
    return []
