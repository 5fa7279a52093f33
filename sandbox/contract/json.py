"""JSON in and out, without losing anything: a number comes back as it was sent, or is refused (docs/contract.md 4.3).

orjson is fast and strict (invalid UTF-8, NaN and lone surrogates are errors), but rounds what a double can't hold and
writes `1.10` as `1.1`. Bodies with numbers that it might change are read a second time with these kept as their text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import orjson

MAX_DEPTH = 100

# A fraction, an exponent, more digits than a double surely holds, a minus zero; inside a string it costs time alone.
_FRAGILE_NUMBER = re.compile(rb"\d[.eE]|\d{16}|-0")
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


class InvalidJson(ValueError):
    """A text that isn't JSON, or nested too deeply; `code` is the stable word of docs/contract.md 4.2."""

    def __init__(self, message: str, code: str = "invalid_json") -> None:
        super().__init__(message)
        self.code = code


class Document:
    """A parsed JSON text: `value` to validate, `exact` to use and to write again (its numbers are as they were sent).

    Args:
        raw: the text.
        value: what it says.
        exact: the same with exact numbers, where it is known already.
    """

    __slots__ = ("_exact", "raw", "value")

    def __init__(self, raw: bytes, value: Any, exact: Any = None) -> None:
        self.raw = raw
        self.value = value
        self._exact = exact

    @property
    def size(self) -> int:
        """The length of the text as it was sent, in bytes."""
        return len(self.raw)

    @property
    def exact(self) -> Any:
        """The same document for `encode`; read again only where a number might not survive the first reading."""
        if self._exact is None:
            fragile = _FRAGILE_NUMBER.search(self.raw)
            self._exact = EXACT.decode(self.raw.decode()) if fragile else self.value
        return self._exact

    def make_integers(self, places: Sequence[Sequence[str | int]]) -> None:
        """Put integers in place of the whole numbers that stand at these places as floats."""
        for *parents, last in places:
            for root in (self.value, self.exact):
                container = root
                for step in parents:
                    container = container[step]
                container[last] = int(container[last])
        if places:
            self.raw = encode(self.exact)


class _Number(float):
    """A number that remembers its text: it counts like a float and is written as it was sent."""

    text: str

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _integer(text: str) -> int | _Number:
    number = int(text) if len(text) < _MAX_INTEGER_DIGITS else 0
    return number if str(number) == text else _Number(text)


# Texts as long as this are surely beyond 64 bits, or need not be integers.
_MAX_INTEGER_DIGITS = 19
# Reads JSON with exact numbers.
EXACT = json.JSONDecoder(parse_float=_Number, parse_int=_integer)


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


def encode(value: Any, *, indent: bool = False) -> bytes:
    """Write compact UTF-8 JSON (or with indented lines), with no escapes beyond what JSON demands."""
    # orjson's bytes keep the buffer that they were written in, 4 KiB; what is stored must be as long as it says.
    option = orjson.OPT_INDENT_2 if indent else None
    return b"".join((orjson.dumps(value, default=_fragment, option=option), b""))


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
