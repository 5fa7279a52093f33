"""Metadata: the latest snapshot, whole and to the byte, and the context of the reply."""

from __future__ import annotations

from typing import Any

from sandbox.conformance.check import check, expect, expect_equal, expect_error, expect_status, for_each
from sandbox.conformance.checks.grammar import text_of_reply
from sandbox.conformance.http_messages import good, id_of, rows_of
from sandbox.conformance.target import COMPLETE, CREATE, SEND, Target, compact

MAX_BYTES = 16_384


def metadata_of_size(size: int, letter: str = "x") -> dict[str, str]:
    """Return metadata that is so many bytes of compact UTF-8 JSON."""
    room = size - len('{"k":""}')
    width = len(letter.encode())
    return {"k": letter * (room // width) + "x" * (room % width)}


@check("META-1", source="S", clause="5.2")
def a_message_replaces_the_snapshot(server: Target) -> None:
    """The metadata of a message replaces the snapshot as a whole: keys of the former one are gone."""
    first, second = server.two_messages()
    wanted = server.with_mark({"first_name": "Zoé", "city": "Québec", "nested": {"a": [1, None, True]}})
    expect_equal(second.after.object.get("metadata"), wanted, "metadata", first.created, second.answer, second.after)


@check("META-2", source="S", clause="5.2")
def lists_show_the_latest_snapshot(server: Target) -> None:
    """The lists show the latest snapshot too."""
    first, second = server.two_messages()
    wanted = second.after.object.get("metadata")
    proof = (first.created, second.answer)
    listed = server.users_list(server.user("talk"))
    expect_status(listed, 200)
    rows = [row.get("metadata") for row in rows_of(listed) if row.get("id") == first.conversation]
    expect_equal(rows, [wanted], "metadata", *proof, listed)
    page, row = server.in_the_list(first.conversation)
    expect_equal((row or {}).get("metadata"), wanted, "metadata in the list", *proof, page)


@check("META-3", source="D", clause="5.2")
def null_and_nothing_keep_the_snapshot(server: Target) -> None:
    """A message with metadata null, or without any, keeps the snapshot."""
    created = good(server.create(metadata={"plan": "term_life"}))
    one = id_of(created)

    def verify(more: dict[str, None]) -> None:
        sent = good(server.send(one, "[[echo]] x", **more))
        read = good(server.get(one))
        wanted = server.with_mark({"plan": "term_life"})
        expect_equal(read.object.get("metadata"), wanted, "metadata", created, sent, read)

    for_each(({}, {"metadata": None}), verify)


@check("META-4", source="D", clause="5.2")
def an_empty_snapshot_replaces(server: Target) -> None:
    """A message with `metadata: {}` replaces the snapshot by an empty one."""
    created = good(server.create(metadata={"plan": "term_life"}))
    sent = good(server.send(id_of(created), "[[echo]] x", metadata={}))
    read = good(server.get(id_of(created)))
    expect_equal(read.object.get("metadata"), {}, "metadata", created, sent, read)


@check("META-5", source="S", clause="3.1")
def any_value_comes_back(server: Target) -> None:
    """Metadata may have any keys and any JSON values, and comes back as it was sent."""
    values: tuple[Any, ...] = (
        {"text": "x", "number": 1, "fraction": 1.5, "negative": -3, "yes": True, "no": False, "nothing": None},
        {"list": [], "object": {}, "nested": {"a": {"b": [1, [2, [3, {"c": None}]]]}}},
        {"": "empty key", " ": "space", "a.b": 1, "$ref": "#/x", "__proto__": 1, "é": "é", "emoji 😀": ["😀"]},
        {"zero": 0, "big": 9_007_199_254_740_991, "string": "0", "true": "true", "null": "null"},
    )

    def verify(value: dict[str, Any]) -> None:
        created = server.create(metadata=value)
        expect_status(created, 200)
        read = good(server.get(id_of(created)))
        for answer in (created, read):
            expect_equal(answer.object.get("metadata"), server.with_mark(value), "metadata", created, answer)

    for_each(values, verify)


# Each row: an operation, and a body in which metadata takes the place of M.
PLACES: tuple[tuple[str, dict[str, Any]], ...] = (
    (CREATE, {"metadata": "M"}),
    (SEND, {"message": {"content": "[[echo]] x"}, "metadata": "M"}),
    (COMPLETE, {"prompt": "[[echo]] x", "metadata": "M"}),
)


def fill_metadata(body: dict[str, Any], metadata: bytes) -> bytes:
    """Return a body with its metadata written out by hand."""
    return compact(body).replace(b'"M"', metadata)


@check("META-6", source="D", clause="5.2")
def metadata_of_16384_bytes_is_taken(server: Target) -> None:
    """Metadata may have 16,384 bytes: creation, message and completion take it."""
    one = id_of(good(server.create()))

    def verify(place: tuple[str, dict[str, Any]]) -> None:
        operation, body = place
        answer = server.ask(operation, conversation=one, raw=fill_metadata(body, compact(metadata_of_size(MAX_BYTES))))
        expect_status(answer, 200)

    for_each(PLACES, verify)


@check("META-7", source="D", clause="5.2")
def metadata_of_16385_bytes_is_refused(server: Target) -> None:
    """Metadata of 16,385 bytes is 422 `too_large`, `param` metadata: in a creation, a message, a completion."""
    one = id_of(good(server.create()))

    def verify(place: tuple[str, dict[str, Any]]) -> None:
        operation, body = place
        answer = server.ask(
            operation, conversation=one, raw=fill_metadata(body, compact(metadata_of_size(MAX_BYTES + 1)))
        )
        expect_error(answer, server.invalid, "invalid_request_error", param="metadata", code="too_large")

    for_each(PLACES, verify)


@check("META-8", source="D", clause="5.2")
def bytes_are_of_compact_json(server: Target) -> None:
    """Bytes of metadata are those of compact UTF-8 JSON: spaces and needless escapes of the request don't count."""

    def spaced(size: int, letter: str) -> bytes:
        text = metadata_of_size(size, letter)["k"].encode("ascii", "backslashreplace") if letter == "x" else b""
        escaped = "".join(
            f"\\u{ord(c):04x}" if ord(c) > 127 else c for c in metadata_of_size(size, letter)["k"]
        ).encode()
        return b'{ "k" :\n\t"' + (text or escaped) + b'" }'

    def verify(case: tuple[str, int, int]) -> None:
        letter, size, status = case
        answer = server.ask(CREATE, raw=fill_metadata({"metadata": "M"}, spaced(size, letter)))
        expect_status(answer, status, why=f"{size:,} bytes of {letter!r}, spaced and escaped")

    cases = [
        (letter, *row) for letter in ("x", "é", "€") for row in ((MAX_BYTES, 200), (MAX_BYTES + 1, server.invalid))
    ]
    for_each(cases, verify)


@check("META-9", source="D", clause="5.2")
def the_first_reply_greets_by_name(server: Target) -> None:
    """The first reply of a conversation contains a `first_name` that isn't empty."""
    first, _ = server.two_messages()
    expect("Zoé" in text_of_reply(first.answer), "a reply with Zoé", first.answer.summary, first.created, first.answer)
