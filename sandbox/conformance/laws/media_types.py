"""Media types: what a body may be sent as, and that `stream` alone decides what comes back."""

from __future__ import annotations

from typing import Any

from sandbox.conformance.caller import COMPLETE, CONFIG, CREATE, LIST, METRICS, NOBODY, SEND, UPDATE, USER_LIST, compact
from sandbox.conformance.evidence import id_of
from sandbox.conformance.law import expect, expect_error, expect_status, expect_type, for_each, law
from sandbox.conformance.laws.grammar import JSON, STREAM
from sandbox.conformance.laws.samples import BODIES, WITH_BODY
from sandbox.conformance.subject import Subject


@law("TYPE-1", source="D", clause="4.4", operations=WITH_BODY)
def json_may_have_parameters_or_no_type(server: Subject) -> None:
    """A body is `application/json` with any parameters, or has no type."""
    one = id_of(server.shelf()[0])
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
        (CREATE, NOBODY, {"metadata": server.marked()}, 200),
        (UPDATE, one, {"title": "Number 1"}, 200),
        (SEND, NOBODY, BODIES[SEND], 404),
        (COMPLETE, NOBODY, {"prompt": ""}, server.invalid),
    )

    def check(case: tuple[str, tuple[str, str, dict[str, Any], int]]) -> None:
        media_type, (operation, conversation, body, status) = case
        answer = server.ask(operation, conversation=conversation, body=body, headers={"Content-Type": media_type})
        expect_status(answer, status, why=media_type or "no Content-Type")

    for_each([(media_type, row) for media_type in types for row in table], check)


@law("TYPE-2", source="D", clause="4.4", operations=WITH_BODY)
def other_types_are_refused(server: Subject) -> None:
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

    def check(case: tuple[str, str]) -> None:
        operation, media_type = case
        answer = server.ask(operation, raw=b"{}", headers={"Content-Type": media_type})
        expect_error(answer, 415, "unsupported_media_type", why=media_type)

    for_each(cases, check)


@law("TYPE-3", source="D", clause="4.4", operations=(CREATE, SEND))
def encoded_bodies_are_refused(server: Subject) -> None:
    """A body with a `Content-Encoding` is 415 `unsupported_media_type`."""
    cases = [(operation, encoding) for encoding in ("gzip", "br", "deflate") for operation in (CREATE, SEND)]

    def check(case: tuple[str, str]) -> None:
        operation, encoding = case
        raw = compact({"metadata": server.marked()})
        answer = server.ask(operation, raw=raw, headers={"Content-Encoding": encoding})
        expect_error(answer, 415, "unsupported_media_type", why=f"Content-Encoding: {encoding}")

    for_each(cases, check)


@law("TYPE-4", source="D", clause="4.7", operations=(CONFIG,), writes=False)
def accept_decides_nothing(server: Subject) -> None:
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

    def check(accept: str) -> None:
        answer = server.ask(CONFIG, headers={"Accept": accept})
        expect_status(answer, 200, why=f"Accept: {accept}")
        expect(answer.body == plain.body, "the same body as ever", answer.summary, plain, answer)

    for_each(accepts, check)


@law("TYPE-5", source="S", clause="1.3", operations=(CONFIG, METRICS, LIST, USER_LIST), writes=False)
def answers_are_json(server: Subject) -> None:
    """A good answer that isn't a stream is `application/json`."""

    def check(operation: str) -> None:
        answer = server.ask(operation)
        expect_status(answer, 200)
        expect_type(answer, JSON)
        expect(answer.json is not None, "a body in JSON and UTF-8", answer.summary, answer)

    for_each((CONFIG, LIST, METRICS, USER_LIST), check)


@law("TYPE-6", source="D", clause="4.7", operations=(COMPLETE,))
def accept_is_no_switch_of_streams(server: Subject) -> None:
    """`Accept: application/json` doesn't turn a stream off, `Accept: text/event-stream` doesn't turn it on."""
    for stream, accept, wanted in (
        (True, JSON, STREAM),
        (False, STREAM, JSON),
    ):
        body = {"prompt": "[[echo]] x", "stream": stream}
        answer = server.ask(COMPLETE, body=body, headers={"Accept": accept})
        expect_status(answer, 200)
        expect_type(answer, wanted)
