"""The order of checks: of several violations in a request the earliest is answered. All of it is [D]."""

from __future__ import annotations

from sandbox.conformance import expect
from sandbox.conformance.check import check
from sandbox.conformance.target import BODIES, LARGE, NOBODY, TEXT, Op, Target

NO_JSON = b"{"


@check("ORDER-1", "D", "4.1", cases=("GET", "DELETE"))
def the_path_comes_first(server: Target, method: str) -> None:
    """The path is checked before the method and the key."""
    nowhere = server.path(Op.CONFIG) + "uration"
    expect.error(server.raw(method, nowhere, key=None), 404, "not_found")


@check("ORDER-2", "D", "4.1", cases=(Op.CONFIG, Op.SEND))
def the_method_comes_before_the_key(server: Target, op: Op) -> None:
    """The method is checked before the key."""
    expect.error(server.raw("PUT", server.path(op), key=None), 405, "method_not_allowed")


@check("ORDER-3", "D", "4.1", cases=("app_missing", "app_inactive", "app_error"))
def the_key_comes_before_the_app(server: Target, app: str) -> None:
    """The key is checked before the app."""
    expect.error(server.ask(Op.CONFIG, app=app, key="sk_test_invalid"), 401, "invalid_api_key", why=app)


@check("ORDER-4", "D", "4.1")
def the_app_comes_before_access(server: Target) -> None:
    """That the app exists is checked before the key's access to it."""
    expect.error(server.ask(Op.CONFIG, app="app_missing", key="sk_test_denied"), 404, "not_found")


@check("ORDER-5", "D", "4.1", cases=("app_inactive", "app_no_agent", "app_error"))
def access_comes_before_the_state(server: Target, app: str) -> None:
    """Access is checked before the app's state."""
    expect.error(server.ask(Op.CONFIG, app=app, key="sk_test_denied"), 403, "access_denied", why=app)


@check("ORDER-6", "D", "4.1")
def the_state_comes_before_the_limit(server: Target) -> None:
    """The app's state is checked before the rate limit."""
    body = BODIES[Op.COMPLETE]
    answer = server.ask(Op.COMPLETE, app="app_inactive", key="sk_test_limited", body=body, patient=False)
    expect.error(answer, 403, "app_inactive")


@check("ORDER-7", "D", "4.1", cases=[(op, raw) for op in (Op.SEND, Op.COMPLETE) for raw in (NO_JSON, LARGE)])
def the_limit_comes_before_the_body(server: Target, op: Op, raw: bytes) -> None:
    """The rate limit is checked before the body."""
    answer = server.ask(op, key="sk_test_limited", raw=raw, headers=TEXT, patient=False)
    expect.error(answer, 429, "rate_limit_exceeded")


@check("ORDER-8", "D", "4.1", cases=[(op, raw) for op in (Op.SEND, Op.CREATE) for raw in (NO_JSON, LARGE)])
def the_media_type_comes_before_size_and_json(server: Target, op: Op, raw: bytes) -> None:
    """The media type is checked before the size and the JSON."""
    expect.error(server.ask(op, raw=raw, headers=TEXT), 415, "unsupported_media_type")


@check("ORDER-9", "D", "4.1", cases=(Op.SEND, Op.CREATE))
def the_size_comes_before_json(server: Target, op: Op) -> None:
    """The size is checked before the JSON."""
    expect.error(server.ask(op, raw=LARGE), 413, "payload_too_large")


@check("ORDER-10", "D", "4.1", cases=(Op.SEND, Op.UPDATE))
def the_body_comes_before_the_conversation(server: Target, op: Op) -> None:
    """JSON and schema are checked before the conversation."""
    for raw in (NO_JSON, b'{"message": 5, "title": 5}'):
        expect.invalid(server, server.ask(op, raw=raw))
    body = {"message": {"content": "Hello"}} if op == Op.SEND else {"title": "Hello"}
    expect.error(server.ask(op, body=body), 404, "not_found")


@check("ORDER-11", "D", "4.1", writes=False)
def the_query_comes_before_the_cursor(server: Target) -> None:
    """The query is checked before the cursor."""
    expect.invalid(server, server.ask(Op.LIST, query=f"after={NOBODY}&order=sideways"), param="order")
