"""What the tests of the contract draw from: numbers as anybody may write them, documents that almost fit a schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.support.strategies import json_values, texts

# Any number of JSON, as its text: orjson would round some of them, and write others in another way.
NUMBER_TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,5})?", fullmatch=True)

# Values that tell two readings of a schema apart.
TELLING = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        20,
        1.0,
        1.5,
        -0.0,
        1e300,
        2**63,
        2**64,
        "",
        " ",
        "x",
        "\n",
        "20",
        [],
        {},
        [1],
        {"a": 1},
    ]
)


def changes(value: Any) -> Iterator[Any]:
    """Yield a value with one place of it changed, in every way that tells two readings of a schema apart."""
    yield value
    yield from (None, True, 0, 1.0, 1.5, "", [], {}, [None], {"": None})
    if isinstance(value, str):
        yield from (value + "\n", "\n" + value, value[:-1], value.upper())
    if isinstance(value, dict):
        for name in value:
            yield {other: value[other] for other in value if other != name}
            yield from ({**value, name: changed} for changed in changes(value[name]))
    if isinstance(value, list):
        # The first two stand for all: the items of a list have one schema.
        for index, expected in enumerate(value[:2]):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in changes(expected))


@st.composite
def near(draw: st.DrawFn, examples: Sequence[Any]) -> Any:
    """One of the examples, changed in up to three places, so that it mostly breaks the schema and sometimes doesn't."""
    value = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 3))):
        value = draw(_changed(value))
    return value


@st.composite
def _changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with one thing in it replaced, removed, added or given another end."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        expected = {other: value[other] for other in value if other != name}
        return expected if draw(st.integers(0, 4)) == 0 else {**expected, name: draw(_changed(value[name]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(_changed(value[index])), *value[index + 1 :]]
    if isinstance(value, str) and draw(st.booleans()):
        # A line feed at the end is where dialects of regular expressions part.
        return draw(st.sampled_from([value + "\n", "\n" + value, value.upper(), value[:-1], value + "é", value * 2]))
    if isinstance(value, dict) and draw(st.booleans()):
        return {**value, draw(texts): draw(TELLING)}
    if isinstance(value, list) and draw(st.booleans()):
        return [*value, draw(TELLING | json_values)]
    return draw(TELLING | json_values)
