"""JSON in and out, without losing anything: a number comes back as it was sent, or is refused (CONTRACT.md 4.3).

orjson is fast and strict (invalid UTF-8, NaN and lone surrogates are errors), but rounds what a double can't hold and
writes `1.10` as `1.1`. Bodies with numbers that it might change are read a second time with every number kept as text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

MAX_DEPTH = 100

# A fraction, an exponent, more digits than a double surely holds, a minus zero; inside a string it costs time alone.
_FRAGILE_NUMBER = re.compile(rb"\d[.eE]|\d{16}|-0")
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


class InvalidJson(ValueError):
    """A text that isn't JSON, or nested too deeply; `code` is the stable word of CONTRACT.md 4.2."""

    def __init__(self, message: str, code: str = "invalid_json") -> None:
        super().__init__(message)
        self.code = code


class Document:
    """A parsed JSON text: `value` to read, `exact` to write again (its numbers are as they were sent)."""

    __slots__ = ("_exact", "_raw", "value")

    def __init__(self, raw: bytes, value: Any) -> None:
        self.value = value
        self._raw = raw
        self._exact: Any = None

    @property
    def size(self) -> int:
        """The length of the text as it was sent, in bytes."""
        return len(self._raw)

    @property
    def exact(self) -> Any:
        """The same document for `encode`; read again only where a number might not survive the first reading."""
        if self._exact is None:
            fragile = _FRAGILE_NUMBER.search(self._raw)
            self._exact = json.loads(self._raw, parse_float=_Number, parse_int=_Number) if fragile else self.value
        return self._exact


class _Number:
    """A number kept as its text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def decode(raw: bytes, max_depth: int = MAX_DEPTH) -> Document:
    """Parse a JSON text of at most so many levels.

    Raises:
        InvalidJson: with line and column where the text breaks, or naming the depth that is taken.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise _too_deep(max_depth) from None
        raise InvalidJson(_explain(raw, error)) from None
    if raw.count(b"[") + raw.count(b"{") > max_depth and _deeper_than(max_depth, raw):
        raise _too_deep(max_depth)
    return Document(raw, value)


def encode(value: Any) -> bytes:
    """Write compact UTF-8 JSON, with no escapes beyond what JSON demands."""
    # orjson's bytes keep the buffer that they were written in, 4 KiB; what is stored must be as long as it says.
    return b"".join((orjson.dumps(value, default=_fragment), b""))


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, _Number):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _explain(raw: bytes, error: orjson.JSONDecodeError) -> str:
    if not raw.strip():
        return "the body is empty, expected a JSON object"
    reason = error.msg.split(": line ")[0]
    return f"the body is not valid JSON: {reason} at line {error.lineno}, column {error.colno}"


def _too_deep(limit: int) -> InvalidJson:
    return InvalidJson(f"the body is nested too deeply, expected at most {limit} levels", "too_deep")


def _deeper_than(limit: int, raw: bytes) -> bool:
    """Peel the innermost brackets off a well-formed text, level by level: each round runs in C."""
    brackets = _STRING.sub(b"", raw).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
