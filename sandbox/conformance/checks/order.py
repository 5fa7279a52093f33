"""The order of checks: of several faults in a request the earliest is answered. All of it is [D]."""

from __future__ import annotations

from sandbox.conformance.check import check, expect_error, for_each
from sandbox.conformance.target import COMPLETE, CONFIG, CREATE, LARGE, LIST, NOBODY, SEND, TEXT, UPDATE, Target

NO_JSON = b"{"
GOOD = {"message": {"content": "Hello"}}


@check("ORDER-1", source="D", clause="4.1")
def the_path_comes_first(server: Target) -> None:
    """The path is checked before the method and the key."""
    nowhere = server.path(CONFIG) + "uration"
    for_each(("GET", "DELETE"), lambda method: expect_error(server.raw(method, nowhere, key=None), 404, "not_found"))


@check("ORDER-2", source="D", clause="4.1")
def the_method_comes_before_the_key(server: Target) -> None:
    """The method is checked before the key."""
    for_each(
        (CONFIG, SEND),
        lambda operation: expect_error(server.raw("PUT", server.path(operation), key=None), 405, "method_not_allowed"),
    )


@check("ORDER-3", source="D", clause="4.1")
def the_key_comes_before_the_app(server: Target) -> None:
    """The key is checked before the app."""
    for_each(
        ("app_missing", "app_inactive", "app_error"),
        lambda app: expect_error(server.ask(CONFIG, app=app, key="sk_test_invalid"), 401, "invalid_api_key", why=app),
    )


@check("ORDER-4", source="D", clause="4.1")
def the_app_comes_before_access(server: Target) -> None:
    """That the app exists is checked before the key's access to it."""
    expect_error(server.ask(CONFIG, app="app_missing", key="sk_test_denied"), 404, "not_found")


@check("ORDER-5", source="D", clause="4.1")
def access_comes_before_the_state(server: Target) -> None:
    """Access is checked before the app's state."""
    for_each(
        ("app_inactive", "app_no_agent", "app_error"),
        lambda app: expect_error(server.ask(CONFIG, app=app, key="sk_test_denied"), 403, "access_denied", why=app),
    )


@check("ORDER-6", source="D", clause="4.1")
def the_state_comes_before_the_limit(server: Target) -> None:
    """The app's state is checked before the rate limit."""
    body = {"prompt": "Hello"}
    answer = server.ask(COMPLETE, app="app_inactive", key="sk_test_limited", body=body, patient=False)
    expect_error(answer, 403, "app_inactive")


@check(
    "ORDER-7",
    source="D",
    clause="4.1",
    cases=[(operation, body) for operation in (SEND, COMPLETE) for body in (NO_JSON, LARGE)],
)
def the_limit_comes_before_the_body(server: Target, case: tuple[str, bytes]) -> None:
    """The rate limit is checked before the body."""
    operation, body = case
    answer = server.ask(operation, key="sk_test_limited", raw=body, headers=TEXT, patient=False)
    expect_error(answer, 429, "rate_limit_exceeded")


@check("ORDER-8", source="D", clause="4.1")
def the_media_type_comes_before_size_and_json(server: Target) -> None:
    """The media type is checked before the size and the JSON."""
    for_each(
        [(operation, body) for operation in (SEND, CREATE) for body in (NO_JSON, LARGE)],
        lambda case: expect_error(server.ask(case[0], raw=case[1], headers=TEXT), 415, "unsupported_media_type"),
    )


@check("ORDER-9", source="D", clause="4.1")
def the_size_comes_before_json(server: Target) -> None:
    """The size is checked before the JSON."""
    for_each((SEND, CREATE), lambda operation: expect_error(server.ask(operation, raw=LARGE), 413, "payload_too_large"))


@check("ORDER-10", source="D", clause="4.1", cases=(SEND, UPDATE))
def the_body_comes_before_the_conversation(server: Target, operation: str) -> None:
    """JSON and schema are checked before the conversation."""
    for raw in (NO_JSON, b'{"message": 5, "title": 5}'):
        expect_error(server.ask(operation, raw=raw), server.invalid, "invalid_request_error")
    body = GOOD if operation == SEND else {"title": "Hello"}
    expect_error(server.ask(operation, body=body), 404, "not_found")


@check("ORDER-11", source="D", clause="4.1", writes=False)
def the_query_comes_before_the_cursor(server: Target) -> None:
    """The query is checked before the cursor."""
    answer = server.ask(LIST, query=f"after={NOBODY}&order=sideways")
    expect_error(answer, server.invalid, "invalid_request_error", param="order")
