"""What is read and checked in pieces is what is read and checked whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.contract import Document, InvalidJson, Validator, decode, encode
from sandbox.contract.pieces import decode_in_pieces, validate_in_pieces
from tests.contract.strategies import NUMBER_TEXTS
from tests.support.not_json import NOT_JSON
from tests.support.strategies import json_values

VALIDATOR = Validator(
    {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        },
        "required": ["rows"],
    },
    {},
)


def outcome(read: Any, raw: bytes) -> Any:
    """Return what a reader says of a text: its value as it would be written again, or why it can't be read."""
    try:
        document = read(raw)
    except InvalidJson as error:
        return str(error), error.code
    return encode(document.value), encode(document.exact), document.raw


@given(st.dictionaries(st.text(), json_values | st.lists(json_values)), st.sampled_from([None, 1]))
def test_an_object_in_pieces_is_the_object(value: dict[str, Any], indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    assert outcome(decode_in_pieces, raw) == outcome(decode, raw)


@given(st.lists(NUMBER_TEXTS))
def test_numbers_in_pieces_are_as_they_were_sent(numbers: list[str]) -> None:
    raw = f'{{"rows": [{", ".join(numbers)}], "rows twice": 1, "rows": {numbers[0] if numbers else 0}}}'.encode()
    assert outcome(decode_in_pieces, raw) == outcome(decode, raw)


def test_what_is_no_json_is_refused_alike() -> None:
    deep = b'{"rows": [' + b"[" * 99 + b"]" * 99 + b"]}"
    texts = {
        **NOT_JSON,
        "deep": deep,
        "a list": b"[1]",
        "cut": b'{"a": [1,',
        "no colon": b'{"a" 1}',
        "no name": b"{1: 2}",
    }
    different = [name for name, raw in texts.items() if outcome(decode_in_pieces, raw) != outcome(decode, raw)]
    assert not different


@pytest.mark.parametrize(
    "text",
    [
        '{"rows": [{"n": 1}, {"n": 2.0}], "count": 3.0}',
        '{"rows": [{"n": 1}, {"n": "x"}], "count": 3}',
        '{"rows": [], "count": "x"}',
        '{"rows": 5}',
        '{"count": 5}',
        "[]",
    ],
)
def test_faults_in_pieces_are_the_faults(text: str) -> None:
    whole, pieces = decode(text.encode()), decode_in_pieces(text.encode())
    assert [str(fault) for fault in validate_in_pieces(VALIDATOR, pieces)] == [
        str(fault) for fault in VALIDATOR.validate(whole)
    ]
    assert encode(pieces.value) == encode(whole.value)
    assert encode(pieces.exact) == encode(whole.exact)
    assert isinstance(pieces, Document)
