"""Bodies that nobody should send: refused clearly or echoed faithfully, and the server goes on as before (4.3)."""

from __future__ import annotations

import json
from itertools import product

import pytest
from httpx2 import Client
from hypothesis import given, settings

from tests.contract.strategies import NUMBER_TEXTS
from tests.support.errors import assert_error
from tests.support.not_json import NOT_JSON
from tests.support.request_spec import GOOD, WITH_BODY, RequestSpec, opened
from tests.support.requirements import examples

pytestmark = pytest.mark.clause("4.3")

MIB = 1024 * 1024
CREATE = GOOD["create_conversation"]


def nested(levels: int, inner: str = "1") -> bytes:
    """Return a body of so many levels, itself and its metadata among them."""
    return f'{{"metadata":{{"a":{"[" * (levels - 2)}{inner}{"]" * (levels - 2)}}}}}'.encode()


# Each row: a body, and the code of its refusal.
REFUSED = {
    **{name: (content, "invalid_json") for name, content in NOT_JSON.items()},
    "invalid UTF-8 in a title": (b'{"title": "\xff\xfe"}', "invalid_json"),
    "invalid UTF-8 in a field that nobody knows": (b'{"x": "\xc3("}', "invalid_json"),
    "beyond a double": (b'{"metadata": {"a": [1, NaN, 1e999999]}}', "invalid_json"),
    "lone surrogate": (rb'{"title": "\ud83d"}', "invalid_json"),
    "lone surrogate as a key of metadata": (rb'{"metadata": {"\udc00": 1}}', "invalid_json"),
    "one hundred thousand open brackets": (b"[" * 100_000, "too_deep"),
    "one hundred thousand nested arrays": (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
    "one hundred thousand nested objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_deep"),
    "nested arrays in metadata": (nested(101), "too_deep"),
    "nested in a field that nobody knows": (b'{"x":' + b"[" * 100 + b"]" * 100 + b"}", "too_deep"),
    "one mebibyte of quotes": (b'"' * (MIB - 1), "invalid_json"),
    "one mebibyte of backslashes": (b'"' + b"\\" * (MIB - 2), "invalid_json"),
    "one mebibyte of digits": (b"9" * MIB, None),
    "one mebibyte of NUL": (b"\x00" * MIB, "invalid_json"),
    "a zip bomb's beginning": (b"PK\x03\x04" + b"\x00" * 1_000, "invalid_json"),
}


def test_what_cannot_be_kept_is_refused(apps: Client, subtests: pytest.Subtests) -> None:
    for (name, (content, code)), operation in product(REFUSED.items(), WITH_BODY):
        with subtests.test(name, operation=operation):
            answer = WITH_BODY[operation].replace(content=content).send(apps)
            assert_error(answer, 422, "invalid_request_error", param=None, **({"code": code} if code else {}))


@pytest.mark.parametrize("levels", [3, 99, 100])
def test_a_hundred_levels_come_back(apps: Client, levels: int) -> None:
    sent = nested(levels)
    answer = CREATE.replace(content=sent).send(apps)
    assert answer.status_code == 200
    assert sent[1:-1] in answer.content


def test_a_hundred_levels_come_back_from_the_history_and_the_list(apps: Client) -> None:
    mine = CREATE.replace(app_id="app_deep", content=nested(100))
    one = mine.send(apps).json()["id"]
    for spec in (GOOD["get_conversation"], GOOD["list_conversations"]):
        assert nested(100)[1:-1] in spec.replace(app_id="app_deep").send(apps, one).content


def test_a_body_has_at_most_a_mebibyte(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[tuple[int, int]] = [(MIB - 1, 200), (MIB, 200), (MIB + 1, 413), (20 * MIB, 413)]
    for operation, (size, status) in product(WITH_BODY, rows):
        with subtests.test(operation=operation, size=size, status=status):
            good = WITH_BODY[operation].content or b""
            answer = WITH_BODY[operation].replace(content=good + b" " * (size - len(good))).send(apps)
            assert answer.status_code == status
            if status == 413:
                assert_error(answer, 413, "payload_too_large", param=None, code=None)


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b'{"title": "a", "title": "b"}', "b"),
        (b'{"title": 5, "title": "b"}', "b"),
        (b'{"title": "a", "metadata": {"x": 1.0}, "title": null}', None),
        (rb'{"title": "a", "titl\u0065": "b"}', "b"),
    ],
)
def test_of_duplicate_keys_the_last_wins(apps: Client, content: bytes, title: str | None) -> None:
    assert CREATE.replace(content=content).send(apps).json()["title"] == title


def test_of_duplicate_keys_in_metadata_the_last_wins_too(apps: Client) -> None:
    content = b'{"metadata": {"a": 1.50, "b": 2, "a": {"c": 3.0, "c": 4.0}}}'
    assert b'"metadata":{"a":{"c":4.0},"b":2}' in CREATE.replace(content=content).send(apps).content


@pytest.mark.clause("4.2")
def test_unknown_fields_hide_no_fault(apps: Client) -> None:
    body = {**{f"f{number}": 1 for number in range(70_000)}, "title": 5, "metadata": 5}
    error = assert_error(CREATE.saying(body).send(apps), 422, "invalid_request_error", param="title")
    assert error["message"].count("expected") == 2


@pytest.mark.clause("4.2")
def test_a_hundred_thousand_faults_are_twenty_and_a_number(apps: Client) -> None:
    """The API's own bodies have few fields; of the control API's, a list of keys can be wrong in every place."""
    answer = apps.patch("/_sandbox/apps/app_x", json={"keys": [5] * 100_000})
    error = assert_error(answer, 422, "invalid_request_error")
    assert error["message"].count("expected") == 20
    assert error["message"].rstrip(".").endswith(" more")
    assert len(error["message"]) <= 4_000


# Numbers


@settings(max_examples=examples(150, quick=37))
@given(number=NUMBER_TEXTS)
def test_a_number_comes_back_as_it_was_sent_or_is_refused(apps: Client, number: str) -> None:
    sent = f'"metadata":{{"n":{number},"l":[{number}]}}'
    answer = CREATE.replace(content=f"{{{sent}}}".encode()).send(apps)
    if answer.status_code == 200:
        assert sent in answer.text
    else:
        assert_error(answer, 422, "invalid_request_error", code="invalid_json")


# What a double or a 64-bit integer would round, or write in another way.
NUMBERS = [
    *("0", "-0", "-0.0", "0.1", "1.10", "1e2", "1E+2", "0.1e-10", "1e-400", "1" + "0" * 400),
    *("9007199254740993", "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"),
    "0.1000000000000000055511151231257827",
]


@pytest.mark.clause("5.2")
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_a_message_come_back_in_the_snapshot(apps: Client, number: str) -> None:
    one = opened(apps, "app_wire")
    content = f'{{"message":{{"content":"x"}},"metadata":{{"n":{number}}}}}'.encode()
    sent = GOOD["send_message"].replace(content=content).send(apps, one)
    if len(number) < 400:  # an integer of 400 digits may be refused, and must not be rounded
        assert sent.status_code == 200
    shown = GOOD["get_conversation"].send(apps, one).text
    assert (f'"metadata":{{"n":{number}}}' in shown) == (sent.status_code == 200)


@pytest.mark.parametrize("field", ["title", "external_user_id", "metadata"])
def test_an_integer_of_four_hundred_digits_is_refused_where_none_belongs(apps: Client, field: str) -> None:
    answer = CREATE.replace(content=f'{{"{field}": {"9" * 400}}}'.encode()).send(apps)
    error = assert_error(answer, 422, "invalid_request_error")
    assert len(error["message"]) < 300


# Metadata


def of_bytes(size: int, letter: str = "x") -> dict[str, str]:
    """Return metadata that is so many bytes long as compact UTF-8 JSON."""
    room = size - len('{"k":""}')
    width = len(letter.encode())
    return {"k": letter * (room // width) + "x" * (room % width)}


METADATA: dict[str, RequestSpec] = {
    "create_conversation": CREATE.saying({"metadata": "M"}),
    "send_message": GOOD["send_message"].saying({"message": {"content": "x"}, "metadata": "M"}),
    "create_completion": GOOD["create_completion"].saying({"prompt": "x", "metadata": "M"}),
}


@pytest.mark.clause("5.2", "3.1", "3.8", "3.11")
def test_metadata_has_at_most_16384_bytes(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[tuple[int, int]] = [(16_384, 200), (16_385, 422)]
    for (size, status), spaced, letter, operation in product(
        rows, [False, True], ["x", "\u00e9", "\u20ac", "\U0001f600"], METADATA
    ):
        with subtests.test(size=size, status=status, spaced=spaced, letter=letter, operation=operation):
            sent = json.dumps(of_bytes(size, letter), ensure_ascii=spaced, indent=9 if spaced else None)
            content = (METADATA[operation].content or b"").replace(b'"M"', sent.encode())
            answer = METADATA[operation].replace(content=content).send(apps)
            assert answer.status_code == status
            if status == 422:
                error = assert_error(answer, 422, "invalid_request_error", param="metadata", code="too_large")
                assert "16,384" in error["message"]
                assert "16,385" in error["message"]


@pytest.mark.clause("5.2")
def test_a_number_counts_with_every_digit_that_was_sent(apps: Client) -> None:
    for digits, status in ((16_384 - 8, 200), (16_384 - 7, 422)):
        content = b'{"metadata": {"n": 0.%b}}' % (b"1" * digits)
        assert CREATE.replace(content=content).send(apps).status_code == status


@pytest.mark.clause("5.2")
def test_a_control_character_counts_with_its_escape(apps: Client) -> None:
    room = 16_384 - len('{"k":""}')
    for count, status in ((room // 6, 200), (room // 6 + 1, 422)):
        assert CREATE.saying({"metadata": {"k": "\x01" * count}}).send(apps).status_code == status


# Texts

TEXTS = [
    "",
    " ",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\U0010ffff",
    "<script>",
    "{0} %s",
    "x" * 900_000,
]


@pytest.mark.clause("5.1")
def test_any_text_is_a_title(apps: Client, subtests: pytest.Subtests) -> None:
    for text in TEXTS:
        with subtests.test(text=text):
            assert CREATE.saying({"title": text}).send(apps).json()["title"] == text


def test_any_text_is_a_message(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[str] = [*TEXTS, "[[" * 200_000, "[[slow 0" + "9" * 5_000, "\n" * 400_000]
    for text in rows:
        with subtests.test(text=text):
            one = opened(apps, "app_wire")
            answer = GOOD["send_message"].saying({"message": {"content": text}}).send(apps, one)
            assert answer.status_code == 200
            assert GOOD["get_conversation"].send(apps, one).json()["items"][0]["parts"][0]["text"] == text
