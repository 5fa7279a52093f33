"""JSON in and out: how deep it may be, how it is written (4.3). The rest: `tests/server/test_hostile_bodies.py`."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.contract import InvalidJson, decode, encode


@pytest.mark.clause("4.3")
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_levels_are_taken(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    raw = (opening * 100 + ("1" if opening != "[" else "") + closing * 100).encode()
    assert encode(decode(raw).exact) == raw


@pytest.mark.clause("4.3")
def test_more_than_a_hundred_levels_are_too_deep(subtests: pytest.Subtests) -> None:
    for levels, opening in product([101, 254, 255, 1_023, 1_025, 100_000], ["[", '{"a":']):
        with subtests.test(levels=levels, opening=opening):
            closing = "]" if opening == "[" else "}"
            raw = (opening * levels + "1" + closing * levels).encode()
            with pytest.raises(InvalidJson) as refused:
                decode(raw)
            assert refused.value.code == "too_deep"


@pytest.mark.clause("4.3")
@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "' + b"[" * 500 + b'"}',  # brackets of a text
        b'{"a": "\\"' + b"[{" * 500 + b'"}',  # behind an escaped quote
        b'{"a": "\\\\", "b": [' + b"[]," * 500 + b"[]]}",  # side by side; the text before them ends in a backslash
    ],
)
def test_only_nesting_is_depth(raw: bytes) -> None:
    assert decode(raw).value == json.loads(raw)


@pytest.mark.clause("5.2")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_compact_and_escapes_no_more_than_it_must(text: str) -> None:
    written = encode({"a": [text]}).decode()
    assert written.startswith('{"a":["')
    assert all(character in written for character in text if character >= " " and character not in '"\\')
