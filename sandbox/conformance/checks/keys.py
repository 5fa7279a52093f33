"""Keys: who may ask, and what those hear who may not."""

from __future__ import annotations

from sandbox.conformance.check import check, expect, expect_error, expect_status, for_each
from sandbox.conformance.http_messages import ApiResponse, id_of
from sandbox.conformance.target import (
    ALL,
    BODIES,
    COMPLETE,
    CONFIG,
    CREATE,
    DELETE,
    GET,
    LIST,
    METRICS,
    READS,
    SEND,
    UPDATE,
    USER_LIST,
    Target,
)


def ask_with_key(server: Target, operation: str, key: str | None, authorization: str = "") -> ApiResponse:
    """Ask for an operation with another key, or with a whole header of another kind."""
    body = {"metadata": server.with_mark()} if operation == CREATE else BODIES.get(operation)
    return server.ask(operation, key=key, headers={"Authorization": authorization} if authorization else {}, body=body)


@check("KEY-1", source="V", clause="1.2", writes=False)
def reading_needs_a_key(server: Target) -> None:
    """Reading needs a key: without one each operation that reads is 401 `invalid_api_key`."""
    for_each(READS, lambda operation: expect_error(ask_with_key(server, operation, None), 401, "invalid_api_key"))


@check("KEY-2", source="V", clause="1.2")
def writing_needs_a_key(server: Target) -> None:
    """Writing needs a key: without one each operation that writes is 401 `invalid_api_key`."""
    writes = [operation for operation in ALL if operation not in READS]
    for_each(writes, lambda operation: expect_error(ask_with_key(server, operation, None), 401, "invalid_api_key"))


@check("KEY-3", source="V", clause="1.2", writes=False)
def a_publishable_key_opens_nothing(server: Target) -> None:
    """A publishable key (`pk_…`) can't call this API."""
    for_each(READS, lambda operation: expect_status(ask_with_key(server, operation, "pk_live_abc123"), 401, 403))


# Each row: what the Authorization header says instead of `Bearer` and a well-formed key.
BAD_KEYS = (
    "Bearer",
    "Bearer pk_test_abc",
    "sk_test_abc",
    "Basic c2tfdGVzdF9hYmM6",
    "Bearer sk_abc",
    "Bearer sk_prod_abc",
    "Bearer sk_test_",
    "Bearer sk_test_a.b",
    "Bearer sk_test_a b",
    "Bearer SK_TEST_abc",
    "Bearer sk_test_" + "a" * 201,
    "Bearer sk_test_caf\u00e9",
)


@check("KEY-4", source="D", clause="1.2", writes=False)
def a_malformed_key_is_refused(server: Target) -> None:
    """A key that isn't well-formed is 401 `invalid_api_key`."""
    for_each(
        BAD_KEYS,
        lambda key: expect_error(ask_with_key(server, CONFIG, None, key), 401, "invalid_api_key", why=key[:40]),
    )


@check("KEY-5", source="D", clause="4.11", writes=False, cases=READS)
def a_refusal_names_the_scheme(server: Target, operation: str) -> None:
    """A 401 says `WWW-Authenticate: Bearer`."""
    answer = ask_with_key(server, operation, None)
    expect_status(answer, 401)
    said = answer.header("www-authenticate")
    expect(said == "Bearer", "the header WWW-Authenticate: Bearer", said or "no such header", answer)


@check("KEY-6", source="D", clause="1.2", writes=False)
def the_scheme_is_in_any_case(server: Target) -> None:
    """The word `Bearer` may be in any case."""
    words = ("bearer", "BEARER", "bEaReR")
    for_each(
        words, lambda word: expect_status(ask_with_key(server, CONFIG, None, f"{word} {server.key}"), 200, why=word)
    )


@check("KEY-7", source="D", clause="4.2", writes=False)
def the_key_is_never_repeated(server: Target) -> None:
    """No refusal repeats the key."""
    secret = "sk_test_" + "k" * 201

    def verify(operation: str) -> None:
        answer = ask_with_key(server, operation, secret)
        expect_status(answer, 401)
        told = secret in answer.text or any(secret in value for _, value in answer.headers)
        expect(not told, "an answer without the key", "an answer that repeats it", answer)

    for_each((CONFIG, LIST), verify)


@check("KEY-8", source="V", clause="4.11", needs_other_key=True)
def another_key_opens_nothing(server: Target) -> None:
    """Keys are kept apart: the key of another account opens nothing of this app (403 or 404, never 200)."""
    one = id_of(server.samples()[0])

    def verify(operation: str) -> None:
        answer = server.ask(operation, conversation=one, key=server.other_key, body=BODIES.get(operation))
        expect_status(answer, 403, 404)

    for_each((*READS, UPDATE, DELETE), verify)


@check("KEY-9", source="D", clause="10.1")
def magic_keys_are_refused(server: Target) -> None:
    """`sk_test_denied` is 403 `access_denied`, `sk_test_invalid` is 401 `invalid_api_key`, on every operation."""
    for_each(
        ALL, lambda operation: expect_error(ask_with_key(server, operation, "sk_test_denied"), 403, "access_denied")
    )
    for_each(
        ALL, lambda operation: expect_error(ask_with_key(server, operation, "sk_test_invalid"), 401, "invalid_api_key")
    )


@check("KEY-10", source="D", clause="10.1", cases=(SEND, COMPLETE))
def a_limited_key_is_limited(server: Target, operation: str) -> None:
    """`sk_test_limited` is 429 `rate_limit_exceeded` on send message and completions."""
    answer = server.ask(operation, key="sk_test_limited", body=BODIES[operation], patient=False)
    expect_error(answer, 429, "rate_limit_exceeded")


@check("KEY-11", source="D", clause="4.11", cases=(SEND, COMPLETE))
def a_limit_says_when_to_retry(server: Target, operation: str) -> None:
    """A 429 says after how many seconds to try again: `Retry-After` is a whole number of at least 1."""
    answer = server.ask(operation, key="sk_test_limited", body=BODIES[operation], patient=False)
    expect_status(answer, 429)
    said = answer.header("retry-after") or ""
    expect(said.isdecimal() and int(said) >= 1, "Retry-After in whole seconds", said or "no such header", answer)


@check("KEY-12", source="D", clause="10.1", cases=(LIST, USER_LIST, GET, CONFIG, METRICS, CREATE))
def a_limit_is_for_messages_and_completions_alone(server: Target, operation: str) -> None:
    """Only send message and completions are limited: `sk_test_limited` may do all else."""
    body = {"metadata": server.with_mark()} if operation == CREATE else None
    one = id_of(server.samples()[0])
    answer = server.ask(operation, conversation=one, key="sk_test_limited", body=body, patient=False)
    expect_status(answer, 200)
