"""Bodies: what can't be kept is refused clearly, what can comes back as it was sent, and nothing breaks the server."""

from __future__ import annotations

import re

from sandbox.conformance.caller import CREATE, GET, METRICS, SEND, UPDATE, compact
from sandbox.conformance.evidence import good, id_of
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import expect, expect_equal, expect_error, expect_no_growth, expect_status, for_each, law
from sandbox.conformance.laws.samples import MIB, WITH_BODY
from sandbox.conformance.subject import Subject

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


def marked(server: Subject, field: bytes) -> bytes:
    """Return a body to create a conversation, with more metadata written out by hand."""
    return compact({"metadata": server.marked()})[:-2] + b"," + field + b"}}"


@law("BODY-1", source="V", clause="4.11", operations=(CREATE, UPDATE, SEND))
def no_body_breaks_the_server(server: Subject) -> None:
    """No body makes the server fail: what can't be used is a clear 4xx, never a 5xx, never a lost connection."""

    def check(case: tuple[str, str, bytes]) -> None:
        operation, why, raw = case
        answer = server.ask(operation, raw=raw)
        clear = answer.status is not None and 400 <= answer.status < 500
        # What is no fault of the schema may be taken: a lone surrogate, a NaN.
        taken = answer.is_good and why in ("NaN", "Infinity", "lone surrogate", "nested 10,000 deep")
        expect(clear or taken, f"a 4xx ({why})", answer.summary, answer, about=why)

    # A real server's agent must not be asked by mistake: messages go to a conversation that nobody has.
    cases = [(operation, why, raw) for operation in (UPDATE, SEND) for why, raw in HOSTILE]
    for_each([*cases, *((CREATE, why, raw) for why, raw in HOSTILE[:8])], check)


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


@law("BODY-2", source="D", clause="4.3", operations=WITH_BODY)
def what_is_not_json_is_refused(server: Subject) -> None:
    """What isn't JSON (cut short, invalid UTF-8, `NaN`, lone surrogates, nothing at all) is 422 `invalid_json`."""
    cases = [(operation, *row) for row in NOT_JSON for operation in WITH_BODY]

    def check(case: tuple[str, bytes, str]) -> None:
        operation, raw, code = case
        answer = server.ask(operation, raw=raw)
        expect_error(answer, server.invalid, "invalid_request_error", param=None, code=code)

    for_each(cases, check)


@law("BODY-3", source="D", clause="4.3", operations=WITH_BODY)
def a_body_has_at_most_a_mebibyte(server: Subject) -> None:
    """A body has at most 1 MiB: one byte more is 413 `payload_too_large`, and the client sees that answer."""
    body = compact({"title": "Large", "metadata": server.marked()})
    expect_status(server.ask(CREATE, raw=body + b" " * (MIB - len(body))), 200, why="exactly 1 MiB")

    def check(case: tuple[str, int]) -> None:
        operation, size = case
        answer = server.ask(operation, raw=body + b" " * (size - len(body)))
        expect_error(answer, 413, "payload_too_large", why=f"{size:,} bytes")

    for_each([(operation, size) for size in (MIB + 1, 2 * MIB) for operation in WITH_BODY], check)


@law("BODY-4", source="D", clause="4.3", operations=(CREATE, METRICS))
def json_has_at_most_a_hundred_levels(server: Subject) -> None:
    """JSON of 100 levels is kept, JSON of 101 is 422 `too_deep` before anything is stored."""

    def nested(levels: int) -> bytes:
        return marked(server, b'"a":' + b"[" * (levels - 2) + b"]" * (levels - 2))

    expect_status(server.ask(CREATE, raw=nested(100)), 200, why="100 levels")
    before = server.ask(METRICS)
    answer = server.ask(CREATE, raw=nested(101))
    expect_error(answer, server.invalid, "invalid_request_error", code="too_deep")
    after = server.ask(METRICS)
    expect_no_growth(server, before, after, answer)


@law("BODY-5", source="D", clause="4.3", operations=(CREATE,))
def the_last_of_duplicate_keys_counts(server: Subject) -> None:
    """Of duplicate keys the last counts."""
    mark = compact({"metadata": server.marked()})[1:-1]
    answer = server.ask(CREATE, raw=b'{"title":"first",' + mark + b',"title":"last"}')
    expect_status(answer, 200)
    expect_equal(answer.object.get("title"), "last", "title", answer)


# Numbers that a careless reader rounds.
NUMBERS = ("0", "-0", "1.10", "1e2", "9007199254740993", "-12345678901234567890", "0.1e-10", "1E+2", "3.0")


@law("BODY-6", source="D", clause="4.3", operations=(CREATE, GET))
def numbers_are_never_rounded(server: Subject) -> None:
    """A number comes back exactly as it was sent, or is refused; it is never rounded."""

    def check(number: str) -> None:
        answer = server.ask(CREATE, raw=marked(server, f'"n":{number}'.encode()))
        if answer.status == server.invalid:
            return
        expect_status(answer, 200)
        for shown in (answer, server.get(id_of(answer))):
            found = re.search(rb'"n":\s*([^,}\s]+)', shown.body)
            came = found[1].decode("utf-8", "replace") if found else "nothing"
            expect(came == number, f"the number {number}", came, *((answer,) if shown is not answer else ()), shown)

    for_each(NUMBERS, check)


@law("BODY-7", source="D", clause="3.16", operations=(CREATE, UPDATE))
def unknown_fields_are_ignored(server: Subject) -> None:
    """Unknown fields of a body are ignored."""
    extra = {"titel": 1, "__proto__": [], "": None, "id": "mine", "created_at": 1, "deleted": True}
    created = server.ask(CREATE, body={**extra, "metadata": server.marked()})
    expect_status(created, 200)
    expect(id_of(created) != "mine", "an id of the server's", created.summary, created)
    updated = server.update(id_of(created), {**extra, "title": "Renamed", "metadata": {"other": 1}})
    expect_status(updated, 200)
    shown = server.get(id_of(created))
    expect_equal(shown.object.get("metadata"), server.marked(), "metadata", created, updated, shown)


@law("BODY-8", source="D", clause="4.4", operations=(GET,))
def a_body_where_none_belongs_is_ignored(server: Subject) -> None:
    """An operation without a body ignores a body and its type."""
    one = id_of(good(server.create()))

    def check(case: tuple[str, str]) -> None:
        method, media_type = case
        answer = server.raw(method, server.path(GET, conversation=one), body=b"{", headers={"Content-Type": media_type})
        expect_status(answer, 200, why=f"{method} with a body of {media_type}")

    for_each((("GET", "application/json"), ("GET", "text/plain"), ("DELETE", "application/json")), check)


@law("BODY-9", source="D", clause="4.1", operations=(CREATE, METRICS))
def a_refused_request_leaves_nothing(server: Subject) -> None:
    """A refused request leaves nothing behind."""
    before = good(server.ask(METRICS))
    refused: list[Answer] = [
        server.ask(CREATE, body={"title": "x", "metadata": 5, "external_user_id": server.user("refused")}),
        server.ask(CREATE, raw=b'{"title": "x"', headers={}),
        server.ask(CREATE, body={"title": "x"}, headers={"Content-Type": "text/plain"}),
    ]
    after = good(server.ask(METRICS))
    expect_no_growth(server, before, after, *refused)
