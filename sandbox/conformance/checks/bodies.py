"""Bodies and media types: what can't be kept is refused clearly, what can comes back as it was sent."""

from __future__ import annotations

import re
from typing import Any

from sandbox.conformance.check import (
    check,
    expect,
    expect_equal,
    expect_error,
    expect_no_growth,
    expect_status,
    expect_type,
    for_each,
)
from sandbox.conformance.checks.grammar import JSON, STREAM
from sandbox.conformance.http_messages import ApiResponse, good, id_of
from sandbox.conformance.target import (
    BODIES,
    COMPLETE,
    CONFIG,
    CREATE,
    GET,
    LIST,
    METRICS,
    MIB,
    NOBODY,
    SEND,
    UPDATE,
    USER_LIST,
    WITH_BODY,
    Target,
    compact,
)

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


@check("BODY-1", source="V", clause="4.11")
def no_body_breaks_the_server(server: Target) -> None:
    """No body makes the server fail: what can't be used is a clear 4xx, never a 5xx, never a lost connection."""

    def verify(case: tuple[str, str, bytes]) -> None:
        operation, why, raw = case
        answer = server.ask(operation, raw=raw)
        clear = answer.status is not None and 400 <= answer.status < 500
        # What is no fault of the schema may be taken: a lone surrogate, a NaN.
        taken = answer.is_good and why in ("NaN", "Infinity", "lone surrogate", "nested 10,000 deep")
        expect(clear or taken, f"a 4xx ({why})", answer.summary, answer, about=why)

    # A real server's agent must not be asked by mistake: messages go to a conversation that nobody has.
    cases = [(operation, why, raw) for operation in (UPDATE, SEND) for why, raw in HOSTILE]
    for_each([*cases, *((CREATE, why, raw) for why, raw in HOSTILE[:8])], verify)


# Each row: a body that isn't JSON as RFC 8259 has it, with the code that it is refused with.
NOT_JSON: tuple[tuple[bytes, str], ...] = (
    (b"", "invalid_json"),
    (b"{", "invalid_json"),
    (b"{'title': 1}", "invalid_json"),
    (b'{"title": "x",}', "invalid_json"),
    (b'{"title": "\xff"}', "invalid_json"),
    (b'{"x": "\xc3("}', "invalid_json"),
    (b"\xef\xbb\xbf{}", "invalid_json"),
    (b'{"metadata": {"a": NaN}}', "invalid_json"),
    (b'{"metadata": {"a": Infinity}}', "invalid_json"),
    (rb'{"title": "\ud83d"}', "invalid_json"),
    (rb'{"metadata": {"\udc00": 1}}', "invalid_json"),
    (b'{"title": "a\nb"}', "invalid_json"),
)


@check("BODY-2", source="D", clause="4.3")
def what_is_not_json_is_refused(server: Target) -> None:
    """What isn't JSON (cut short, invalid UTF-8, `NaN`, lone surrogates, nothing at all) is 422 `invalid_json`."""
    cases = [(operation, *row) for row in NOT_JSON for operation in WITH_BODY]

    def verify(case: tuple[str, bytes, str]) -> None:
        operation, raw, code = case
        answer = server.ask(operation, raw=raw)
        expect_error(answer, server.invalid, "invalid_request_error", param=None, code=code)

    for_each(cases, verify)


@check("BODY-3", source="D", clause="4.3")
def a_body_has_at_most_a_mebibyte(server: Target) -> None:
    """A body has at most 1 MiB: one byte more is 413 `payload_too_large`, and the client sees that answer."""
    body = compact({"title": "Large", "metadata": server.with_mark()})
    expect_status(server.ask(CREATE, raw=body + b" " * (MIB - len(body))), 200, why="exactly 1 MiB")

    def verify(case: tuple[str, int]) -> None:
        operation, size = case
        answer = server.ask(operation, raw=body + b" " * (size - len(body)))
        expect_error(answer, 413, "payload_too_large", why=f"{size:,} bytes")

    for_each([(operation, size) for size in (MIB + 1, 2 * MIB) for operation in WITH_BODY], verify)


@check("BODY-4", source="D", clause="4.3")
def json_has_at_most_a_hundred_levels(server: Target) -> None:
    """JSON of 100 levels is kept, JSON of 101 is 422 `too_deep` before anything is stored."""

    def nested(levels: int) -> bytes:
        return with_mark(server, b'"a":' + b"[" * (levels - 2) + b"]" * (levels - 2))

    expect_status(server.ask(CREATE, raw=nested(100)), 200, why="100 levels")
    before = server.ask(METRICS)
    answer = server.ask(CREATE, raw=nested(101))
    expect_error(answer, server.invalid, "invalid_request_error", code="too_deep")
    after = server.ask(METRICS)
    expect_no_growth(server, before, after, answer)


@check("BODY-5", source="D", clause="4.3")
def the_last_of_duplicate_keys_counts(server: Target) -> None:
    """Of duplicate keys the last counts."""
    mark = compact({"metadata": server.with_mark()})[1:-1]
    answer = server.ask(CREATE, raw=b'{"title":"first",' + mark + b',"title":"last"}')
    expect_status(answer, 200)
    expect_equal(answer.object.get("title"), "last", "title", answer)


# Numbers that a careless reader rounds.
NUMBERS = ("0", "-0", "1.10", "1e2", "9007199254740993", "-12345678901234567890", "0.1e-10", "1E+2", "3.0")


@check("BODY-6", source="D", clause="4.3", cases=NUMBERS)
def numbers_are_never_rounded(server: Target, number: str) -> None:
    """A number comes back exactly as it was sent, or is refused; it is never rounded."""
    answer = server.ask(CREATE, raw=with_mark(server, f'"n":{number}'.encode()))
    if answer.status == server.invalid:
        return
    expect_status(answer, 200)
    for format_value in (answer, server.get(id_of(answer))):
        found = re.search(rb'"n":\s*([^,}\s]+)', format_value.body)
        came = found[1].decode("utf-8", "replace") if found else "nothing"
        expect(
            came == number,
            f"the number {number}",
            came,
            *((answer,) if format_value is not answer else ()),
            format_value,
        )


@check("BODY-7", source="D", clause="3.16")
def unknown_fields_are_ignored(server: Target) -> None:
    """Unknown fields of a body are ignored."""
    extra = {"titel": 1, "__proto__": [], "": None, "id": "mine", "created_at": 1, "deleted": True}
    created = server.ask(CREATE, body={**extra, "metadata": server.with_mark()})
    expect_status(created, 200)
    expect(id_of(created) != "mine", "an id of the server's", created.summary, created)
    updated = server.update(id_of(created), {**extra, "title": "Renamed", "metadata": {"other": 1}})
    expect_status(updated, 200)
    format_value = server.get(id_of(created))
    expect_equal(format_value.object.get("metadata"), server.with_mark(), "metadata", created, updated, format_value)


@check("BODY-8", source="D", clause="4.4")
def a_body_where_none_belongs_is_ignored(server: Target) -> None:
    """An operation without a body ignores a body and its type."""
    one = id_of(good(server.create()))

    def verify(case: tuple[str, str]) -> None:
        method, media_type = case
        answer = server.raw(method, server.path(GET, conversation=one), body=b"{", headers={"Content-Type": media_type})
        expect_status(answer, 200, why=f"{method} with a body of {media_type}")

    for_each((("GET", "application/json"), ("GET", "text/plain"), ("DELETE", "application/json")), verify)


@check("BODY-9", source="D", clause="4.1")
def a_refused_request_leaves_nothing(server: Target) -> None:
    """A refused request leaves nothing behind."""
    before = good(server.ask(METRICS))
    refused: list[ApiResponse] = [
        server.ask(CREATE, body={"title": "x", "metadata": 5, "external_user_id": server.user("refused")}),
        server.ask(CREATE, raw=b'{"title": "x"', headers={}),
        server.ask(CREATE, body={"title": "x"}, headers={"Content-Type": "text/plain"}),
    ]
    after = good(server.ask(METRICS))
    expect_no_growth(server, before, after, *refused)


@check("TYPE-1", source="D", clause="4.4")
def json_may_have_parameters_or_no_type(server: Target) -> None:
    """A body is `application/json` with any parameters, or has no type."""
    one = id_of(server.samples()[0])
    types = (
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8;version=1",
        "APPLICATION/JSON",
        "application/json ; a=b",
        "",
    )

    # Each row: an operation, the conversation, a body, and the status that says that the body was read. No message is
    # spent: one goes to a conversation that nobody has, and a prompt is empty.
    table: tuple[tuple[str, str, dict[str, Any], int], ...] = (
        (CREATE, NOBODY, {"metadata": server.with_mark()}, 200),
        (UPDATE, one, {"title": "Number 1"}, 200),
        (SEND, NOBODY, BODIES[SEND], 404),
        (COMPLETE, NOBODY, {"prompt": ""}, server.invalid),
    )

    def verify(case: tuple[str, tuple[str, str, dict[str, Any], int]]) -> None:
        media_type, (operation, conversation, body, status) = case
        answer = server.ask(operation, conversation=conversation, body=body, headers={"Content-Type": media_type})
        expect_status(answer, status, why=media_type or "no Content-Type")

    for_each([(media_type, row) for media_type in types for row in table], verify)


@check("TYPE-2", source="D", clause="4.4")
def other_types_are_refused(server: Target) -> None:
    """Any other type of a body is 415 `unsupported_media_type`."""
    types = (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "text/json",
        "json",
        "*/*",
    )
    cases = [(operation, media_type) for media_type in types for operation in WITH_BODY]

    def verify(case: tuple[str, str]) -> None:
        operation, media_type = case
        answer = server.ask(operation, raw=b"{}", headers={"Content-Type": media_type})
        expect_error(answer, 415, "unsupported_media_type", why=media_type)

    for_each(cases, verify)


@check("TYPE-3", source="D", clause="4.4")
def encoded_bodies_are_refused(server: Target) -> None:
    """A body with a `Content-Encoding` is 415 `unsupported_media_type`."""
    cases = [(operation, encoding) for encoding in ("gzip", "br", "deflate") for operation in (CREATE, SEND)]

    def verify(case: tuple[str, str]) -> None:
        operation, encoding = case
        raw = compact({"metadata": server.with_mark()})
        answer = server.ask(operation, raw=raw, headers={"Content-Encoding": encoding})
        expect_error(answer, 415, "unsupported_media_type", why=f"Content-Encoding: {encoding}")

    for_each(cases, verify)


@check("TYPE-4", source="D", clause="4.7", writes=False)
def accept_decides_nothing(server: Target) -> None:
    """`Accept` decides nothing: whatever it says, or if there is none, the answer is the same."""
    accepts = (
        "*/*",
        "application/json, text/plain, */*",
        "text/html",
        "text/event-stream",
        "image/png;q=0.5",
        "nonsense",
        "",
    )
    plain = server.ask(CONFIG)

    def verify(accept: str) -> None:
        answer = server.ask(CONFIG, headers={"Accept": accept})
        expect_status(answer, 200, why=f"Accept: {accept}")
        expect(answer.body == plain.body, "the same body as ever", answer.summary, plain, answer)

    for_each(accepts, verify)


@check("TYPE-5", source="S", clause="1.3", writes=False, cases=(CONFIG, LIST, METRICS, USER_LIST))
def answers_are_json(server: Target, operation: str) -> None:
    """A good answer that isn't a stream is `application/json`."""
    answer = server.ask(operation)
    expect_status(answer, 200)
    expect_type(answer, JSON)
    expect(answer.json is not None, "a body in JSON and UTF-8", answer.summary, answer)


@check("TYPE-6", source="D", clause="4.7")
def accept_is_no_switch_of_streams(server: Target) -> None:
    """`Accept: application/json` doesn't turn a stream off, `Accept: text/event-stream` doesn't turn it on."""
    for stream, accept, wanted in ((True, JSON, STREAM), (False, STREAM, JSON)):
        body = {"prompt": "[[echo]] x", "stream": stream}
        answer = server.ask(COMPLETE, body=body, headers={"Accept": accept})
        expect_status(answer, 200)
        expect_type(answer, wanted)
