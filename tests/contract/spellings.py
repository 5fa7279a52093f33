"""Whole numbers in other spellings (`2.0`, `2e0`), and where a schema takes them for integers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sandbox.contract import Validator, encode

Place = tuple[str | int, ...]


def respelled(validator: Validator, value: Any, spelling: str) -> tuple[bytes, bytes]:
    """Return a valid value's JSON with each integer spelled otherwise, and the same as it should be kept.

    What the law takes for an integer is kept as one, any other number as it was spelled.
    """
    sent = expected = value
    for place in integers(value):
        number = _at(value, place)
        other = spelling.format(number)
        sent = _put(sent, place, f"#{other}#")
        expected = _put(expected, place, f"#{number if _is_integer(validator, value, place) else other}#")
    return _numbers(sent), _numbers(expected)


def integers(value: Any) -> Iterator[Place]:
    """Yield the places below the top at which integers stand."""
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ((step, *place) for place in integers(child))
            if isinstance(child, int) and not isinstance(child, bool):
                yield (step,)


def _is_integer(validator: Validator, value: Any, place: Place) -> bool:
    """Say whether a law takes no fraction at a place, neither a larger nor a smaller number."""
    return not any(validator.is_valid(_put(value, place, _at(value, place) + more)) for more in (0.5, -0.5))


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _put(value: Any, place: Place, new: Any) -> Any:
    copied = json.loads(json.dumps(value))
    _at(copied, place[:-1])[place[-1]] = new
    return copied


def _numbers(value: Any) -> bytes:
    return re.sub(rb'"#([0-9.e-]+)#"', rb"\1", encode(value))
