"""JSON in and out: nothing is lost, nothing is rounded, what can't be read is refused with its place (4.3)."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.contract import InvalidJson, decode, encode

# What a double or a 64-bit integer would round, or write in another way.
NUMBERS = [
    "1.10",
    "1e2",
    "1E+2",
    "-0",
    "-0.0",
    "0.1",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "1e-400",
]

# Each row: a text that is not JSON as the contract means it, and why.
BROKEN = {
    "nothing": b"",
    "white space alone": b" \n\t ",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16-le"),
    "invalid UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "high surrogate alone": rb'{"a": "\ud800"}',
    "low surrogate alone": rb'{"a": "\udc00"}',
    "surrogates the wrong way round": rb'{"a": "\udc00\ud800"}',
    "lone surrogate in a key": rb'{"\ud800": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "leading zero": b'{"a": 01}',
    "plus sign": b'{"a": +1}',
    "bare fraction": b'{"a": .5}',
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "comment": b"{/* a */}",
    "raw control character": b'{"a": "\x01"}',
    "NUL": b"\x00",
    "two values": b"{} {}",
    "cut short": b'{"a": [1, 2',
    "form data": b"title=Support+inquiry",
}


@pytest.mark.clause("4.3")
def test_what_is_not_json_is_refused(subtests: pytest.Subtests) -> None:
    for name, raw in BROKEN.items():
        with subtests.test(name):
            with pytest.raises(InvalidJson) as refused:
                decode(raw)
            assert refused.value.code == "invalid_json"


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


@pytest.mark.clause("4.3")
def test_these_numbers_come_back(subtests: pytest.Subtests) -> None:
    for text in NUMBERS:
        with subtests.test(text=text):
            raw = f'{{"n":{text}}}'.encode()
            assert back(raw) == raw


def back(raw: bytes) -> bytes | str:
    """Return what was read as it is written again, or the code of its refusal."""
    try:
        return encode(decode(raw).exact)
    except InvalidJson as refused:
        return refused.code


@pytest.mark.clause("5.2")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_compact_and_escapes_no_more_than_it_must(text: str) -> None:
    written = encode({"a": [text]}).decode()
    assert written.startswith('{"a":["')
    assert all(character in written for character in text if character >= " " and character not in '"\\')
