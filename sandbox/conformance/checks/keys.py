"""Keys: who may ask, and what those hear who may not."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.http_messages import ApiResponse
from sandbox.conformance.target import BODIES, READS, Op, Target

BILLED = (Op.SEND, Op.COMPLETE)
# Each row: a key that is always refused, the status, the type of the error.
MAGIC_KEYS = (("sk_test_denied", 403, "access_denied"), ("sk_test_invalid", 401, "invalid_api_key"))
# What the Authorization header says instead of `Bearer` and a well-formed key.
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


def ask_with_key(server: Target, op: Op, key: str | None, authorization: str = "") -> ApiResponse:
    """Ask for an operation with another key, or with a whole header of another kind."""
    body = {"metadata": server.with_mark()} if op == Op.CREATE else BODIES.get(op)
    return server.ask(op, key=key, headers={"Authorization": authorization} if authorization else {}, body=body)


@check("KEY-1", "V", "1.2", writes=False, cases=READS)
def reading_needs_a_key(server: Target, op: Op) -> None:
    """Reading needs a key: without one each operation that reads is 401 `invalid_api_key`."""
    expect.error(ask_with_key(server, op, None), 401, "invalid_api_key")


@check("KEY-2", "V", "1.2", cases=[op for op in Op if op not in READS])
def writing_needs_a_key(server: Target, op: Op) -> None:
    """Writing needs a key: without one each operation that writes is 401 `invalid_api_key`."""
    expect.error(ask_with_key(server, op, None), 401, "invalid_api_key")


@check("KEY-3", "V", "1.2", writes=False, cases=READS)
def a_publishable_key_opens_nothing(server: Target, op: Op) -> None:
    """A publishable key (`pk_…`) can't call this API."""
    expect.status(ask_with_key(server, op, "pk_live_abc123"), 401, 403)


@check("KEY-4", "D", "1.2", writes=False, cases=BAD_KEYS)
def a_malformed_key_is_refused(server: Target, header: str) -> None:
    """A key that isn't well-formed is 401 `invalid_api_key`."""
    expect.error(ask_with_key(server, Op.CONFIG, None, header), 401, "invalid_api_key", why=header[:40])


@check("KEY-5", "D", "4.11", writes=False, cases=READS)
def a_refusal_names_the_scheme(server: Target, op: Op) -> None:
    """A 401 says `WWW-Authenticate: Bearer`."""
    answer = ask_with_key(server, op, None)
    expect.status(answer, 401)
    scheme = answer.header("www-authenticate")
    expect.that(scheme == "Bearer", "the header WWW-Authenticate: Bearer", answer, got=scheme or "no such header")


@check("KEY-6", "D", "1.2", writes=False, cases=("bearer", "BEARER", "bEaReR"))
def the_scheme_is_in_any_case(server: Target, scheme: str) -> None:
    """The word `Bearer` may be in any case."""
    expect.status(ask_with_key(server, Op.CONFIG, None, f"{scheme} {server.key}"), 200, why=scheme)


@check("KEY-7", "D", "4.2", writes=False, cases=(Op.CONFIG, Op.LIST))
def the_key_is_never_repeated(server: Target, op: Op) -> None:
    """No refusal repeats the key."""
    secret = "sk_test_" + "k" * 201
    answer = ask_with_key(server, op, secret)
    expect.status(answer, 401)
    is_repeated = secret in answer.text or any(secret in value for _, value in answer.headers)
    expect.that(not is_repeated, "an answer without the key", answer, got="an answer that repeats it")


@check("KEY-8", "V", "4.11", needs_other_key=True, cases=(*READS, Op.UPDATE, Op.DELETE))
def another_key_opens_nothing(server: Target, op: Op) -> None:
    """Keys are kept apart: the key of another account opens nothing of this app (403 or 404, never 200)."""
    answer = server.ask(op, conversation=server.samples()[0].id, key=server.other_key, body=BODIES.get(op))
    expect.status(answer, 403, 404)


@check("KEY-9", "D", "10.1", cases=[(op, *row) for row in MAGIC_KEYS for op in Op])
def magic_keys_are_refused(server: Target, op: Op, key: str, status: int, kind: str) -> None:
    """`sk_test_denied` is 403 `access_denied`, `sk_test_invalid` is 401 `invalid_api_key`, on every operation."""
    expect.error(ask_with_key(server, op, key), status, kind)


@check("KEY-10", "D", "10.1", cases=BILLED)
def a_limited_key_is_limited(server: Target, op: Op) -> None:
    """`sk_test_limited` is 429 `rate_limit_exceeded` on send message and completions."""
    answer = server.ask(op, key="sk_test_limited", body=BODIES[op], patient=False)
    expect.error(answer, 429, "rate_limit_exceeded")


@check("KEY-11", "D", "4.11", cases=BILLED)
def a_limit_says_when_to_retry(server: Target, op: Op) -> None:
    """A 429 says after how many seconds to try again: `Retry-After` is a whole number of at least 1."""
    answer = server.ask(op, key="sk_test_limited", body=BODIES[op], patient=False)
    expect.status(answer, 429)
    seconds = answer.header("retry-after") or ""
    is_whole = seconds.isdecimal() and int(seconds) >= 1
    expect.that(is_whole, "Retry-After in whole seconds", answer, got=seconds or "no such header")


@check("KEY-12", "D", "10.1", cases=(Op.LIST, Op.USER_LIST, Op.GET, Op.CONFIG, Op.METRICS, Op.CREATE))
def a_limit_is_for_messages_and_completions_alone(server: Target, op: Op) -> None:
    """Only send message and completions are limited: `sk_test_limited` may do all else."""
    body = {"metadata": server.with_mark()} if op == Op.CREATE else None
    expect.ok(server.ask(op, conversation=server.samples()[0].id, key="sk_test_limited", body=body, patient=False))
