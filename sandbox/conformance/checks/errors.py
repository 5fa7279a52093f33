"""Errors: one envelope, on every path and for every reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.conformance.check import check, expect, expect_equal, expect_error, expect_status, for_each
from sandbox.conformance.http_messages import ApiResponse
from sandbox.conformance.target import (
    ALL,
    COMPLETE,
    CONFIG,
    CREATE,
    GET,
    LARGE,
    LIST,
    READS,
    SEND,
    TEXT,
    UPDATE,
    USER_LIST,
    Target,
)
from sandbox.contract import Operation


def expect_envelope(answer: ApiResponse) -> None:
    """Hold an error to what the vendor says of its envelope."""
    expect(not answer.is_good, "an error", answer.summary, answer)
    error = answer.object.get("error")
    expect(isinstance(error, dict), '{"error": {…}} in JSON', answer.summary, answer)
    expect(answer.media_type == "application/json", "application/json", answer.media_type or "no type", answer)
    for name in ("message", "type"):
        value = answer.object["error"].get(name)
        expect(isinstance(value, str) and value != "", f"error.{name}, a text", answer.summary, answer)
    for name in ("param", "code"):
        value = answer.object["error"].get(name)
        expect(value is None or isinstance(value, str), f"error.{name}, a text or null", answer.summary, answer)


@check("ERROR-1", source="V", clause="3.15", writes=False)
def every_operation_has_the_envelope(server: Target) -> None:
    """Every operation answers an error in the one envelope: `message` and `type` are texts, `param` and `code` too or
    null."""
    for_each(READS, lambda operation: expect_envelope(server.ask(operation, key=None)))
    expect_envelope(server.ask(GET))


def failures(server: Target) -> Iterator[ApiResponse]:
    """Yield an error of every kind that a client can bring about, from every part of a server."""
    for operation in ALL:
        yield server.raw(server.operations[operation].method, server.path(operation), key=None)
        yield server.raw("PUT", server.path(operation))
    yield server.raw("GET", "/nowhere")
    yield server.raw("GET", server.base)
    yield server.ask(GET)
    for operation in (CREATE, UPDATE, SEND, COMPLETE):
        yield server.ask(operation, raw=b"{}", headers=TEXT)
        yield server.ask(operation, raw=LARGE)
        yield server.ask(operation, raw=b"{")
        yield server.ask(operation, raw=b"[]")
    for operation in (LIST, USER_LIST):
        yield server.ask(operation, query="limit=0")
        yield server.ask(operation, query="after=x")
    yield server.ask(SEND, body={"message": {"content": "x"}}, key="sk_test_limited", patient=False)
    for app in ("app_inactive", "app_no_agent", "app_error"):
        yield server.ask(CONFIG, app=app)


@check("ERROR-2", source="D", clause="3.15")
def every_error_has_all_keys(server: Target) -> None:
    """Every error, unknown paths and refused methods included, has the envelope with all four keys."""

    def verify(answer: ApiResponse) -> None:
        expect_envelope(answer)
        expect_equal(sorted(answer.object), ["error"], "keys", answer)
        expect_equal(sorted(answer.object["error"]), ["code", "message", "param", "type"], "keys of error", answer)

    for_each(failures(server), verify)


@check("ERROR-3", source="V", clause="4.11", writes=False)
def the_type_goes_with_the_status(server: Target) -> None:
    """The type of an error goes with its status."""
    expect_error(server.ask(GET), 404, "not_found")
    expect_error(server.ask(LIST, key=None), 401, "invalid_api_key")


@check("ERROR-4", source="D", clause="4.6")
def allow_lists_the_methods(server: Target) -> None:
    """A method that a path doesn't have is 405 `method_not_allowed`, and `Allow` lists exactly those that it has."""

    def verify(operation: Operation) -> None:
        allowed = {other.method for other in server.operations.values() if other.path == operation.path}
        methods = {"PUT", "HEAD", "OPTIONS", "TRACE", "POST", "PATCH", "DELETE", "GET"} - allowed
        for method in sorted(methods):
            answer = server.raw(method, server.path(operation.id))
            expect_status(answer, 405, why=method)
            said = {name.strip() for name in (answer.header("allow") or "").split(",") if name.strip()}
            expect_equal(sorted(said), sorted(allowed), "Allow", answer)

    for_each({operation.path: operation for operation in server.operations.values()}.values(), verify)


# Each row: an operation, a body, the place of its first fault, the code.
FAULTS: tuple[tuple[str, Any, str | None, str], ...] = (
    (CREATE, [], None, "wrong_type"),
    (CREATE, {"title": 5}, "title", "wrong_type"),
    (CREATE, {"external_user_id": ["u"]}, "external_user_id", "wrong_type"),
    (CREATE, {"metadata": [1]}, "metadata", "wrong_type"),
    (CREATE, {"metadata": 5, "title": 5, "external_user_id": 5}, "external_user_id", "wrong_type"),
    (UPDATE, {"title": True}, "title", "wrong_type"),
    (SEND, {}, "message", "missing"),
    (SEND, {"message": {}}, "message.content", "missing"),
    (SEND, {"message": {"content": 5}}, "message.content", "wrong_type"),
    (SEND, {"message": {"content": "x", "role": "assistant"}}, "message.role", "not_allowed"),
    (SEND, {"message": {"content": "x"}, "stream": 1}, "stream", "wrong_type"),
    (SEND, {"message": {"content": "x"}, "metadata": "x"}, "metadata", "wrong_type"),
    (COMPLETE, {}, "prompt", "missing"),
    (COMPLETE, {"prompt": ""}, "prompt", "too_short"),
    (COMPLETE, {"prompt": "x" * 32_001}, "prompt", "too_long"),
    (COMPLETE, {"prompt": "x", "stream": "true"}, "stream", "wrong_type"),
    (COMPLETE, {"prompt": "x", "fast": None}, "fast", "wrong_type"),
    (COMPLETE, {"prompt": "x", "knowledge_search": 0}, "knowledge_search", "wrong_type"),
)


@check("ERROR-5", source="D", clause="4.2", cases=FAULTS)
def the_first_fault_is_named(server: Target, fault: tuple[str, Any, str | None, str]) -> None:
    """A body that breaks the schema is 422 `invalid_request_error`; `param` is the place of the first fault, `code`
    its kind."""
    operation, body, param, code = fault
    answer = server.ask(operation, body=body)
    expect_error(answer, server.invalid, "invalid_request_error", param=param, code=code)


@check(
    "ERROR-6",
    source="D",
    clause="4.2",
    cases=(
        (SEND, {"message": {"content": 5}}, ("message.content: expected string, got 5",)),
        (CREATE, {"title": 5, "metadata": 6}, ("title: expected", "got 5", "metadata: expected", "got 6")),
        (COMPLETE, {"prompt": ["x" * 100_000]}, ("prompt: expected string",)),
    ),
)
def the_message_names_every_fault(server: Target, case: tuple[str, Any, tuple[str, ...]]) -> None:
    """The message of a refusal names every fault with its place, what was expected and what came."""
    operation, body, sentences = case
    answer = server.ask(operation, body=body)
    expect_status(answer, server.invalid)
    error = answer.object.get("error")
    message = str(error.get("message")) if isinstance(error, dict) else ""
    for sentence in sentences:
        expect(sentence in message, f"a message with {sentence!r}", message, answer)
    expect(len(message) <= 4_000, "at most 4,000 characters", f"{len(message):,}", answer)
