"""Bodies and media types: what can't be kept is refused clearly, what can comes back as it was sent."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from sandbox.conformance import expect
from sandbox.conformance.check import check, for_each
from sandbox.conformance.checks.grammar import JSON, STREAM
from sandbox.conformance.http_messages import good
from sandbox.conformance.target import BODIES, MIB, NOBODY, TEXT, WITH_BODY, Op, Target, compact

# Each row: why it can't be kept, and the body. Small enough for anybody's server.
HOSTILE: tuple[tuple[str, bytes], ...] = (
    ("empty", b""),
    ("cut short", b"{"),
    ("no JSON", b"title=Hello"),
    ("an array", b"[]"),
    ("null", b"null"),
    ("a number", b"1"),
    ("a text", b'"{}"'),
    ("two values", b"{}{}"),
    ("invalid UTF-8", b'{"title": "\xff\xfe", "prompt": "\xff", "message": {"content": "\xff"}}'),
    ("UTF-16", '{"title": "x"}'.encode("utf-16")),
    ("NUL bytes", b"\x00" * 16),
    ("NaN", b'{"metadata": {"a": NaN}}'),
    ("Infinity", b'{"metadata": {"a": -Infinity}}'),
    ("lone surrogate", rb'{"title": "\ud83d", "prompt": "\ud83d", "message": {"content": "\udc00"}}'),
    ("nested 10,000 deep", b'{"metadata": {"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}"),
)


def with_mark(server: Target, field: bytes) -> bytes:
    """Return a body to create a conversation, with more metadata written out by hand."""
    return compact({"metadata": server.with_mark()})[:-2] + b"," + field + b"}}"


# A real server's agent must not be asked by mistake: messages go to a conversation that nobody has.
HOSTILE_CASES = [
    *((op, *row) for op in (Op.UPDATE, Op.SEND) for row in HOSTILE),
    *((Op.CREATE, *row) for row in HOSTILE[:8]),
]


@check("BODY-1", "V", "4.11", cases=HOSTILE_CASES)
def no_body_breaks_the_server(server: Target, op: Op, why: str, raw: bytes) -> None:
    """No body makes the server fail: what can't be used is a clear 4xx, never a 5xx, never a lost connection."""
    answer = server.ask(op, raw=raw)
    is_clear = answer.status is not None and 400 <= answer.status < 500
    # What doesn't violate the schema may be taken: a lone surrogate, a NaN.
    is_taken = answer.is_good and why in ("NaN", "Infinity", "lone surrogate", "nested 10,000 deep")
    expect.that(is_clear or is_taken, f"a 4xx ({why})", answer, about=why)


# What isn't JSON as RFC 8259 has it.
NOT_JSON = (
    b"",
    b"{",
    b"{'title': 1}",
    b'{"title": "x",}',
    b'{"title": "\xff"}',
    b'{"x": "\xc3("}',
    b"\xef\xbb\xbf{}",
    b'{"metadata": {"a": NaN}}',
    b'{"metadata": {"a": Infinity}}',
    rb'{"title": "\ud83d"}',
    rb'{"metadata": {"\udc00": 1}}',
    b'{"title": "a\nb"}',
)


@check("BODY-2", "D", "4.3", cases=product(NOT_JSON, WITH_BODY))
def what_is_not_json_is_refused(server: Target, raw: bytes, op: Op) -> None:
    """What isn't JSON (cut short, invalid UTF-8, `NaN`, lone surrogates, nothing at all) is 422 `invalid_json`."""
    expect.invalid(server, server.ask(op, raw=raw), param=None, code="invalid_json")


@check("BODY-3", "D", "4.3")
def a_body_has_at_most_a_mebibyte(server: Target) -> None:
    """A body has at most 1 MiB: one byte more is 413 `payload_too_large`, and the client sees that answer."""
    body = compact({"title": "Large", "metadata": server.with_mark()})
    expect.status(server.ask(Op.CREATE, raw=body + b" " * (MIB - len(body))), 200, why="exactly 1 MiB")

    def verify(size: int, op: Op) -> None:
        answer = server.ask(op, raw=body + b" " * (size - len(body)))
        expect.error(answer, 413, "payload_too_large", why=f"{size:,} bytes")

    for_each(product((MIB + 1, 2 * MIB), WITH_BODY), verify)


@check("BODY-4", "D", "4.3")
def json_has_at_most_a_hundred_levels(server: Target) -> None:
    """JSON of 100 levels is kept, JSON of 101 is 422 `too_deep` before anything is stored."""

    def nested(levels: int) -> bytes:
        return with_mark(server, b'"a":' + b"[" * (levels - 2) + b"]" * (levels - 2))

    expect.status(server.ask(Op.CREATE, raw=nested(100)), 200, why="100 levels")
    before = server.ask(Op.METRICS)
    answer = server.ask(Op.CREATE, raw=nested(101))
    expect.invalid(server, answer, code="too_deep")
    expect.no_growth(server, before, server.ask(Op.METRICS), answer)


@check("BODY-5", "D", "4.3")
def the_last_of_duplicate_keys_counts(server: Target) -> None:
    """Of duplicate keys the last counts."""
    mark = compact({"metadata": server.with_mark()})[1:-1]
    answer = expect.ok(server.ask(Op.CREATE, raw=b'{"title":"first",' + mark + b',"title":"last"}'))
    expect.field(answer, "title", "last")


# Numbers that a careless reader rounds.
NUMBERS = ("0", "-0", "1.10", "1e2", "9007199254740993", "-12345678901234567890", "0.1e-10", "1E+2", "3.0")


@check("BODY-6", "D", "4.3", cases=NUMBERS)
def numbers_are_never_rounded(server: Target, number: str) -> None:
    """A number comes back exactly as it was sent, or is refused; it is never rounded."""
    answer = server.ask(Op.CREATE, raw=with_mark(server, f'"n":{number}'.encode()))
    if answer.status == server.invalid:
        return
    expect.status(answer, 200)
    for shown in (answer, server.get(answer.id)):
        match = re.search(rb'"n":\s*([^,}\s]+)', shown.body)
        came = match[1].decode("utf-8", "replace") if match else "nothing"
        expect.that(came == number, f"the number {number}", answer, shown, got=came)


@check("BODY-7", "D", "3.16")
def unknown_fields_are_ignored(server: Target) -> None:
    """Unknown fields of a body are ignored."""
    extra = {"titel": 1, "__proto__": [], "": None, "id": "mine", "created_at": 1, "deleted": True}
    created = expect.ok(server.ask(Op.CREATE, body={**extra, "metadata": server.with_mark()}))
    expect.that(created.id != "mine", "an id of the server's", created)
    updated = expect.ok(server.update(created.id, {**extra, "title": "Renamed", "metadata": {"other": 1}}))
    expect.field(server.get(created.id), "metadata", server.with_mark(), created, updated)


@check("BODY-8", "D", "4.4")
def a_body_where_none_belongs_is_ignored(server: Target) -> None:
    """An operation without a body ignores a body and its type."""
    path = server.path(Op.GET, conversation=good(server.create()).id)

    def verify(method: str, media_type: str) -> None:
        answer = server.raw(method, path, body=b"{", headers={"Content-Type": media_type})
        expect.status(answer, 200, why=f"{method} with a body of {media_type}")

    for_each((("GET", "application/json"), ("GET", "text/plain"), ("DELETE", "application/json")), verify)


@check("BODY-9", "D", "4.1")
def a_refused_request_leaves_nothing(server: Target) -> None:
    """A refused request leaves nothing behind."""
    before = good(server.ask(Op.METRICS))
    refused = (
        server.ask(Op.CREATE, body={"title": "x", "metadata": 5, "external_user_id": server.user("refused")}),
        server.ask(Op.CREATE, raw=b'{"title": "x"', headers={}),
        server.ask(Op.CREATE, body={"title": "x"}, headers=TEXT),
    )
    expect.no_growth(server, before, good(server.ask(Op.METRICS)), *refused)


JSON_TYPES = (
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8;version=1",
    "APPLICATION/JSON",
    "application/json ; a=b",
    "",
)


@check("TYPE-1", "D", "4.4")
def json_may_have_parameters_or_no_type(server: Target) -> None:
    """A body is `application/json` with any parameters, or has no type."""
    # Each row: an operation, the conversation, a body, and the status that says that the body was read. No message is
    # spent: one goes to a conversation that nobody has, and a prompt is empty.
    table: tuple[tuple[Op, str, dict[str, Any], int], ...] = (
        (Op.CREATE, NOBODY, {"metadata": server.with_mark()}, 200),
        (Op.UPDATE, server.samples()[0].id, {"title": "Number 1"}, 200),
        (Op.SEND, NOBODY, BODIES[Op.SEND], 404),
        (Op.COMPLETE, NOBODY, {"prompt": ""}, server.invalid),
    )

    def verify(media_type: str, op: Op, conversation: str, body: dict[str, Any], status: int) -> None:
        answer = server.ask(op, conversation=conversation, body=body, headers={"Content-Type": media_type})
        expect.status(answer, status, why=media_type or "no Content-Type")

    for_each([(media_type, *row) for media_type in JSON_TYPES for row in table], verify)


OTHER_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/merge-patch+json",
    "text/json",
    "json",
    "*/*",
)


@check("TYPE-2", "D", "4.4", cases=product(OTHER_TYPES, WITH_BODY))
def other_types_are_refused(server: Target, media_type: str, op: Op) -> None:
    """Any other type of a body is 415 `unsupported_media_type`."""
    answer = server.ask(op, raw=b"{}", headers={"Content-Type": media_type})
    expect.error(answer, 415, "unsupported_media_type", why=media_type)


@check("TYPE-3", "D", "4.4", cases=product(("gzip", "br", "deflate"), (Op.CREATE, Op.SEND)))
def encoded_bodies_are_refused(server: Target, encoding: str, op: Op) -> None:
    """A body with a `Content-Encoding` is 415 `unsupported_media_type`."""
    answer = server.ask(op, body={"metadata": server.with_mark()}, headers={"Content-Encoding": encoding})
    expect.error(answer, 415, "unsupported_media_type", why=f"Content-Encoding: {encoding}")


ACCEPTS = (
    "*/*",
    "application/json, text/plain, */*",
    "text/html",
    "text/event-stream",
    "image/png;q=0.5",
    "nonsense",
    "",
)


@check("TYPE-4", "D", "4.7", writes=False)
def accept_decides_nothing(server: Target) -> None:
    """`Accept` decides nothing: whatever it says, or if there is none, the answer is the same."""
    plain = server.ask(Op.CONFIG)

    def verify(accept: str) -> None:
        answer = server.ask(Op.CONFIG, headers={"Accept": accept})
        expect.status(answer, 200, why=f"Accept: {accept}")
        expect.that(answer.body == plain.body, "the same body as ever", plain, answer)

    for_each(ACCEPTS, verify)


@check("TYPE-5", "S", "1.3", writes=False, cases=(Op.CONFIG, Op.LIST, Op.METRICS, Op.USER_LIST))
def answers_are_json(server: Target, op: Op) -> None:
    """A good answer that isn't a stream is `application/json`."""
    answer = expect.ok(server.ask(op))
    expect.media_type(answer, JSON)
    expect.that(answer.json is not None, "a body in JSON and UTF-8", answer)


@check("TYPE-6", "D", "4.7")
def accept_is_no_switch_of_streams(server: Target) -> None:
    """`Accept: application/json` doesn't turn a stream off, `Accept: text/event-stream` doesn't turn it on."""
    for stream, accept, wanted in ((True, JSON, STREAM), (False, STREAM, JSON)):
        body = {"prompt": "[[echo]] x", "stream": stream}
        answer = expect.ok(server.ask(Op.COMPLETE, body=body, headers={"Accept": accept}))
        expect.media_type(answer, wanted)
