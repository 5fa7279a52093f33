"""Texts that are not JSON as the contract means it (4.3), by what is wrong with them."""

from __future__ import annotations

NOT_JSON = {
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
