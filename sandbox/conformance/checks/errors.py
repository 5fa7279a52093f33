"""Errors: one envelope, on every path and for every reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse
from sandbox.conformance.target import LARGE, READS, TEXT, WITH_BODY, Op, Target
from sandbox.contract import Operation


def expect_envelope(answer: ApiResponse) -> None:
    """Hold an error to what the vendor says of its envelope."""
    expect.that(not answer.is_good, "an error", answer)
    expect.that(isinstance(answer.object.get("error"), dict), '{"error": {…}} in JSON', answer)
    expect.media_type(answer, "application/json")
    for name in ("message", "type"):
        value = answer.error.get(name)
        expect.that(isinstance(value, str) and value != "", f"error.{name}, a text", answer)
    for name in ("param", "code"):
        value = answer.error.get(name)
        expect.that(value is None or isinstance(value, str), f"error.{name}, a text or null", answer)


def errors_of_reads(server: Target) -> Iterator[ApiResponse]:
    """Yield the errors that reading without a key brings about, and that of an unknown conversation."""
    yield from (server.ask(op, key=None) for op in READS)
    yield server.ask(Op.GET)


@check("ERROR-1", "V", "3.15", writes=False, cases=errors_of_reads)
def every_operation_has_the_envelope(_: Target, answer: ApiResponse) -> None:
    """Every operation answers an error in the one envelope: `message` and `type` are texts, `param` and `code` too or
    null."""
    expect_envelope(answer)


def errors_of_every_kind(server: Target) -> Iterator[ApiResponse]:
    """Yield an error of every kind that a client can bring about, from every part of a server."""
    for op in Op:
        yield server.raw(server.operations[op].method, server.path(op), key=None)
        yield server.raw("PUT", server.path(op))
    yield server.raw("GET", "/nowhere")
    yield server.raw("GET", server.base)
    yield server.ask(Op.GET)
    for op in WITH_BODY:
        yield server.ask(op, raw=b"{}", headers=TEXT)
        for raw in (LARGE, b"{", b"[]"):
            yield server.ask(op, raw=raw)
    for op in (Op.LIST, Op.USER_LIST):
        for query in ("limit=0", "after=x"):
            yield server.ask(op, query=query)
    yield server.ask(Op.SEND, body={"message": {"content": "x"}}, key="sk_test_limited", patient=False)
    for app in ("app_inactive", "app_no_agent", "app_error"):
        yield server.ask(Op.CONFIG, app=app)


@check("ERROR-2", "D", "3.15", cases=errors_of_every_kind)
def every_error_has_all_keys(_: Target, answer: ApiResponse) -> None:
    """Every error, unknown paths and refused methods included, has the envelope with all four keys."""
    expect_envelope(answer)
    expect.equal(sorted(answer.object), ["error"], "keys", answer)
    expect.equal(sorted(answer.error), ["code", "message", "param", "type"], "keys of error", answer)


@check("ERROR-3", "V", "4.11", writes=False)
def the_type_goes_with_the_status(server: Target) -> None:
    """The type of an error goes with its status."""
    expect.error(server.ask(Op.GET), 404, "not_found")
    expect.error(server.ask(Op.LIST, key=None), 401, "invalid_api_key")


def operations_by_path(server: Target) -> list[Operation]:
    """Return an operation of each path."""
    return list({operation.path: operation for operation in server.operations.values()}.values())


@check("ERROR-4", "D", "4.6", cases=operations_by_path)
def allow_lists_the_methods(server: Target, operation: Operation) -> None:
    """A method that a path doesn't have is 405 `method_not_allowed`, and `Allow` lists exactly those that it has."""
    allowed = {other.method for other in server.operations.values() if other.path == operation.path}
    methods = {"PUT", "HEAD", "OPTIONS", "TRACE", "POST", "PATCH", "DELETE", "GET"} - allowed
    for method in sorted(methods):
        answer = server.raw(method, server.path(Op(operation.id)))
        expect.status(answer, 405, why=method)
        expect.equal(sorted(answer.header_values("allow")), sorted(allowed), "Allow", answer)


# Each row: an operation, a body, the place of its first violation, the code.
VIOLATIONS: tuple[tuple[Op, Any, str | None, str], ...] = (
    (Op.CREATE, [], None, "wrong_type"),
    (Op.CREATE, {"title": 5}, "title", "wrong_type"),
    (Op.CREATE, {"external_user_id": ["u"]}, "external_user_id", "wrong_type"),
    (Op.CREATE, {"metadata": [1]}, "metadata", "wrong_type"),
    (Op.CREATE, {"metadata": 5, "title": 5, "external_user_id": 5}, "external_user_id", "wrong_type"),
    (Op.UPDATE, {"title": True}, "title", "wrong_type"),
    (Op.SEND, {}, "message", "missing"),
    (Op.SEND, {"message": {}}, "message.content", "missing"),
    (Op.SEND, {"message": {"content": 5}}, "message.content", "wrong_type"),
    (Op.SEND, {"message": {"content": "x", "role": "assistant"}}, "message.role", "not_allowed"),
    (Op.SEND, {"message": {"content": "x"}, "stream": 1}, "stream", "wrong_type"),
    (Op.SEND, {"message": {"content": "x"}, "metadata": "x"}, "metadata", "wrong_type"),
    (Op.COMPLETE, {}, "prompt", "missing"),
    (Op.COMPLETE, {"prompt": ""}, "prompt", "too_short"),
    (Op.COMPLETE, {"prompt": "x" * 32_001}, "prompt", "too_long"),
    (Op.COMPLETE, {"prompt": "x", "stream": "true"}, "stream", "wrong_type"),
    (Op.COMPLETE, {"prompt": "x", "fast": None}, "fast", "wrong_type"),
    (Op.COMPLETE, {"prompt": "x", "knowledge_search": 0}, "knowledge_search", "wrong_type"),
)


@check("ERROR-5", "D", "4.2", cases=VIOLATIONS)
def the_first_violation_is_named(server: Target, op: Op, body: Any, param: str | None, code: str) -> None:
    """A body that breaks the schema is 422 `invalid_request_error`; `param` is the place of the first violation,
    `code` its kind."""
    expect.invalid(server, server.ask(op, body=body), param=param, code=code)


# Each row: an operation, a body, and what the message has to say of it.
MESSAGES: tuple[tuple[Op, Any, tuple[str, ...]], ...] = (
    (Op.SEND, {"message": {"content": 5}}, ("message.content: expected string, got 5",)),
    (Op.CREATE, {"title": 5, "metadata": 6}, ("title: expected", "got 5", "metadata: expected", "got 6")),
    (Op.COMPLETE, {"prompt": ["x" * 100_000]}, ("prompt: expected string",)),
)


@check("ERROR-6", "D", "4.2", cases=MESSAGES)
def the_message_names_every_violation(server: Target, op: Op, body: Any, sentences: tuple[str, ...]) -> None:
    """The message of a refusal names every violation with its place, what was expected and what came."""
    answer = server.ask(op, body=body)
    expect.status(answer, server.invalid)
    message = str(answer.error.get("message", ""))
    for sentence in sentences:
        expect.that(sentence in message, f"a message with {sentence!r}", answer, got=message)
    expect.that(len(message) <= 4_000, "at most 4,000 characters", answer, got=f"{len(message):,}")
