"""Metadata: the latest snapshot, whole and to the byte, and the context of the reply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from sandbox.conformance import expect
from sandbox.conformance.check import check, for_each
from sandbox.conformance.checks.grammar import text_of_reply
from sandbox.conformance.http_messages import ApiResponse, good
from sandbox.conformance.target import OTHER_METADATA, Op, Target, compact

MAX_BYTES = 16_384


def metadata_of_size(size: int, letter: str = "x") -> dict[str, str]:
    """Return metadata that is so many bytes of compact UTF-8 JSON."""
    room = size - len('{"k":""}')
    width = len(letter.encode())
    return {"k": letter * (room // width) + "x" * (room % width)}


@check("META-1", "S", "5.2")
def a_message_replaces_the_snapshot(server: Target) -> None:
    """The metadata of a message replaces the snapshot as a whole: keys of the former one are gone."""
    first, second = server.two_messages()
    expect.field(second.after, "metadata", server.with_mark(OTHER_METADATA), first.created, second.answer)


@check("META-2", "S", "5.2")
def lists_show_the_latest_snapshot(server: Target) -> None:
    """The lists show the latest snapshot too."""
    first, second = server.two_messages()
    wanted = second.after.object.get("metadata")
    proof = (first.created, second.answer)
    listed = expect.ok(server.users_list(server.user("talk")))
    rows = [row.get("metadata") for row in listed.rows if row.get("id") == first.conversation]
    expect.equal(rows, [wanted], "metadata", *proof, listed)
    page, row = server.in_the_list(first.conversation)
    expect.equal((row or {}).get("metadata"), wanted, "metadata in the list", *proof, page)


@check("META-3", "D", "5.2")
def null_and_nothing_keep_the_snapshot(server: Target) -> None:
    """A message with metadata null, or without any, keeps the snapshot."""
    created = good(server.create(metadata={"plan": "term_life"}))

    def verify(more: dict[str, None]) -> None:
        sent = good(server.send(created.id, "[[echo]] x", **more))
        read = good(server.get(created.id))
        expect.field(read, "metadata", server.with_mark({"plan": "term_life"}), created, sent)

    for_each(({}, {"metadata": None}), verify)


@check("META-4", "D", "5.2")
def an_empty_snapshot_replaces(server: Target) -> None:
    """A message with `metadata: {}` replaces the snapshot by an empty one."""
    created = good(server.create(metadata={"plan": "term_life"}))
    sent = good(server.send(created.id, "[[echo]] x", metadata={}))
    expect.field(good(server.get(created.id)), "metadata", {}, created, sent)


ANY_METADATA: tuple[dict[str, Any], ...] = (
    {"text": "x", "number": 1, "fraction": 1.5, "negative": -3, "yes": True, "no": False, "nothing": None},
    {"list": [], "object": {}, "nested": {"a": {"b": [1, [2, [3, {"c": None}]]]}}},
    {"": "empty key", " ": "space", "a.b": 1, "$ref": "#/x", "__proto__": 1, "é": "é", "emoji 😀": ["😀"]},
    {"zero": 0, "big": 9_007_199_254_740_991, "string": "0", "true": "true", "null": "null"},
)


@check("META-5", "S", "3.1", cases=ANY_METADATA)
def any_value_comes_back(server: Target, metadata: dict[str, Any]) -> None:
    """Metadata may have any keys and any JSON values, and comes back as it was sent."""
    created = expect.ok(server.create(metadata=metadata))
    for answer in (created, good(server.get(created.id))):
        expect.field(answer, "metadata", server.with_mark(metadata), created)


# Each row: an operation, and a body in which metadata takes the place of M.
PLACES: tuple[tuple[Op, dict[str, Any]], ...] = (
    (Op.CREATE, {"metadata": "M"}),
    (Op.SEND, {"message": {"content": "[[echo]] x"}, "metadata": "M"}),
    (Op.COMPLETE, {"prompt": "[[echo]] x", "metadata": "M"}),
)


def fill_metadata(body: dict[str, Any], metadata: bytes) -> bytes:
    """Return a body with its metadata written out by hand."""
    return compact(body).replace(b'"M"', metadata)


def answers_to_metadata(server: Target, size: int) -> Iterator[ApiResponse]:
    """Yield what a creation, a message and a completion answer to metadata of so many bytes."""
    created, metadata = good(server.create()), compact(metadata_of_size(size))
    for op, body in PLACES:
        yield server.ask(op, conversation=created.id, raw=fill_metadata(body, metadata))


@check("META-6", "D", "5.2", cases=partial(answers_to_metadata, size=MAX_BYTES))
def metadata_of_16384_bytes_is_taken(_: Target, answer: ApiResponse) -> None:
    """Metadata may have 16,384 bytes: creation, message and completion take it."""
    expect.status(answer, 200)


@check("META-7", "D", "5.2", cases=partial(answers_to_metadata, size=MAX_BYTES + 1))
def metadata_of_16385_bytes_is_refused(server: Target, answer: ApiResponse) -> None:
    """Metadata of 16,385 bytes is 422 `too_large`, `param` metadata: in a creation, a message, a completion."""
    expect.invalid(server, answer, param="metadata", code="too_large")


@check(
    "META-8", "D", "5.2", cases=[(letter, size) for letter in ("x", "é", "€") for size in (MAX_BYTES, MAX_BYTES + 1)]
)
def bytes_are_of_compact_json(server: Target, letter: str, size: int) -> None:
    """Bytes of metadata are those of compact UTF-8 JSON: spaces and needless escapes of the request don't count."""
    text = json.dumps(metadata_of_size(size, letter)["k"])
    answer = server.ask(Op.CREATE, raw=fill_metadata({"metadata": "M"}, f'{{ "k" :\n\t{text} }}'.encode()))
    status = 200 if size == MAX_BYTES else server.invalid
    expect.status(answer, status, why=f"{size:,} bytes of {letter!r}, spaced and escaped")


@check("META-9", "D", "5.2")
def the_first_reply_greets_by_name(server: Target) -> None:
    """The first reply of a conversation contains a `first_name` that isn't empty."""
    first, _ = server.two_messages()
    expect.that("Zoé" in text_of_reply(first.answer), "a reply with Zoé", *first.proof)
