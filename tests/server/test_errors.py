"""The envelope of errors: every operation, every cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest
from httpx2 import Client

from tests.conftest import MakeClient
from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, LIMITED, LISTS, NOBODY, ON_ONE, OPERATIONS, WITH_BODY, RequestSpec

MIB = 1024 * 1024


class Cause(NamedTuple):
    """What spoils a request, where it can, and what is answered."""

    name: str
    where: Mapping[str, RequestSpec]
    spoil: Callable[[RequestSpec], RequestSpec]
    status: int
    type: str
    param: str | None = None
    code: str | None = None
    clause: str = "4.11"


def key(value: str) -> Callable[[RequestSpec], RequestSpec]:
    return lambda spec: spec.with_headers(Authorization=f"Bearer {value}")


def app(app_id: str) -> Callable[[RequestSpec], RequestSpec]:
    return lambda spec: spec.replace(app_id=app_id)


def body(content: bytes) -> Callable[[RequestSpec], RequestSpec]:
    return lambda spec: spec.replace(content=content)


def query(text: str) -> Callable[[RequestSpec], RequestSpec]:
    return lambda spec: spec.replace(query=text)


INVALID, UNSUPPORTED = "invalid_request_error", "unsupported_media_type"

CAUSES = [
    Cause("no key", GOOD, lambda spec: spec.replace(headers={}), 401, "invalid_api_key"),
    Cause("publishable key", GOOD, key("pk_test_abc"), 401, "invalid_api_key"),
    Cause("malformed key", GOOD, key("secret"), 401, "invalid_api_key"),
    Cause("magic key: invalid", GOOD, key("sk_test_invalid"), 401, "invalid_api_key", clause="10.1"),
    Cause("magic key: denied", GOOD, key("sk_test_denied"), 403, "access_denied", clause="10.1"),
    Cause("key of another app", GOOD, app("app_locked"), 403, "access_denied"),
    Cause("magic app: missing", GOOD, app("app_missing"), 404, "not_found", clause="10.2"),
    Cause("app id that can't exist", GOOD, app("app+x"), 404, "not_found"),
    Cause("app id that is too long", GOOD, app("a" * 129), 404, "not_found"),
    Cause("magic app: inactive", GOOD, app("app_inactive"), 403, "app_inactive", clause="10.2"),
    Cause("inactive by its settings", GOOD, app("app_off"), 403, "app_inactive", clause="1.5"),
    Cause("magic app: no agent", GOOD, app("app_no_agent"), 403, "agent_unavailable", clause="10.2"),
    Cause("no agent by its settings", GOOD, app("app_mute"), 403, "agent_unavailable", clause="1.5"),
    Cause("magic app: error", GOOD, app("app_error"), 500, "internal_error", clause="10.2"),
    Cause("unknown path", GOOD, lambda spec: spec.replace(path=spec.path + "/x/y"), 404, "not_found"),
    Cause("unknown method", GOOD, lambda spec: spec.replace(method="PUT"), 405, "method_not_allowed"),
    Cause("magic key: limited", LIMITED, key("sk_test_limited"), 429, "rate_limit_exceeded", clause="10.1"),
    Cause("limit of the app used up", LIMITED, app("app_busy"), 429, "rate_limit_exceeded"),
    Cause("other media type", WITH_BODY, lambda w: w.with_headers(Content_Type="text/plain"), 415, UNSUPPORTED),
    Cause("encoded body", WITH_BODY, lambda w: w.with_headers(Content_Encoding="gzip"), 415, UNSUPPORTED),
    Cause("too large", WITH_BODY, body(b" " * (MIB + 1)), 413, "payload_too_large"),
    Cause("not JSON", WITH_BODY, body(b"{"), 422, INVALID, None, "invalid_json"),
    Cause("no body", WITH_BODY, lambda spec: spec.replace(content=None), 422, INVALID, None, "invalid_json"),
    Cause("too deep", WITH_BODY, body(b"[" * 101 + b"]" * 101), 422, INVALID, None, "too_deep"),
    Cause("not an object", WITH_BODY, body(b"[]"), 422, INVALID, None, "wrong_type"),
    Cause("limit out of range", LISTS, query("?limit=101"), 422, INVALID, "limit", "out_of_range"),
    Cause("both cursors", LISTS, query(f"?after={NOBODY}&before={NOBODY}"), 422, INVALID, "after", "conflict"),
    Cause("unknown cursor", LISTS, query(f"?before={NOBODY}"), 404, "not_found", "before", "unknown_cursor"),
    Cause("unknown conversation", ON_ONE, lambda spec: spec.replace(path=f"/conversations/{NOBODY}"), 404, "not_found"),
    Cause(
        "id that can't exist",
        ON_ONE,
        lambda spec: spec.replace(path="/conversations/%00%F0%9F%98%80"),
        404,
        "not_found",
    ),
]


def cases(causes: Sequence[Cause]) -> Iterator[tuple[Cause, str]]:
    return ((cause, operation) for cause in causes for operation in cause.where)


@pytest.mark.clause("4.11", "3.15", "4.10", *{cause.clause for cause in CAUSES})
def test_every_operation_answers_every_cause_in_the_envelope(apps: Client, subtests: pytest.Subtests) -> None:
    for cause, operation in cases(CAUSES):
        with subtests.test(cause.name, operation=operation):
            answer = cause.spoil(cause.where[operation]).send(apps)
            error = assert_error(answer, cause.status, cause.type)
            assert (cause.param, cause.code) == ((error["param"], error["code"]) if cause.code else (None, None))
            # A method has no place in the document where 405 could be said of it.
            assert str(cause.status) in OPERATIONS[operation].responses or cause.status == 405


@pytest.mark.clause("4.11", "4.10")
def test_what_breaks_the_schema_can_be_400_instead(make_client: MakeClient, subtests: pytest.Subtests) -> None:
    client = make_client(validation_status="400")
    for cause, operation in cases([cause for cause in CAUSES if cause.status == 422]):
        with subtests.test(cause.name, operation=operation):
            answer = cause.spoil(cause.where[operation]).send(client)
            assert_error(answer, 400, "invalid_request_error", code=cause.code)


@pytest.mark.clause("4.10")
def test_a_server_that_answers_400_says_so_in_its_document(make_client: MakeClient) -> None:
    paths = make_client(validation_status="400").get("/openapi.json").json()["paths"]
    statuses = set(paths["/apps/{app_id}/conversations"]["post"]["responses"])
    assert "400" in statuses
    assert "422" not in statuses


@pytest.mark.clause("1.3", "4.10")
@pytest.mark.parametrize("operation", GOOD)
def test_success_is_200_and_says_what_the_document_says(apps: Client, operation: str) -> None:
    answer = GOOD[operation].send(apps)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert OPERATIONS[operation].responses["200"]["application/json"].is_valid(answer.json())


@pytest.mark.clause("4.11", "1.2")
@pytest.mark.parametrize("operation", GOOD)
def test_without_a_key_the_scheme_is_named(apps: Client, operation: str) -> None:
    assert GOOD[operation].replace(headers={}).send(apps).headers["www-authenticate"] == "Bearer"


@pytest.mark.clause("4.11")
@pytest.mark.parametrize("operation", LIMITED)
@pytest.mark.parametrize("spoil", [key("sk_test_limited"), app("app_busy")], ids=["by its key", "by its app"])
def test_who_sends_too_much_is_told_when_to_return(
    apps: Client, operation: str, spoil: Callable[[RequestSpec], RequestSpec]
) -> None:
    answer = spoil(LIMITED[operation]).send(apps)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.clause("10.1")
@pytest.mark.parametrize("operation", [name for name in GOOD if name not in LIMITED])
def test_the_limited_key_is_good_everywhere_else(apps: Client, operation: str) -> None:
    assert key("sk_test_limited")(GOOD[operation]).send(apps).status_code == 200


# Each row: what goes wrong outside the API, and what is answered.
OUTSIDE = [
    ("GET", "/nothing", 404, "not_found"),
    ("GET", "/schemas/nothing.json", 404, "not_found"),
    ("GET", "/schemas/../pyproject.toml", 404, "not_found"),
    ("GET", "/schemas/%2E%2E/pyproject.toml", 404, "not_found"),
    ("GET", "/openapi.json/", 404, "not_found"),
    ("GET", "/v1", 404, "not_found"),
    ("GET", "/v1/", 404, "not_found"),
    ("GET", "/v2/apps/app_x/config", 404, "not_found"),
    ("GET", "/v1x/apps/app_x/config", 404, "not_found"),
    ("GET", "//v1/apps/app_x/config", 404, "not_found"),
    ("GET", "/_sandbox", 404, "not_found"),
    ("GET", "/_sandbox/nothing", 404, "not_found"),
    ("POST", "/", 405, "method_not_allowed"),
    ("POST", "/openapi.json", 405, "method_not_allowed"),
    ("DELETE", "/schemas/error.json", 405, "method_not_allowed"),
    ("DELETE", "/_sandbox/health", 405, "method_not_allowed"),
]


@pytest.mark.clause("4.11")
def test_what_is_served_beside_the_api_fails_in_the_envelope_too(apps: Client, subtests: pytest.Subtests) -> None:
    for method, path, status, kind in OUTSIDE:
        with subtests.test(method=method, path=path, status=status, kind=kind):
            answer = apps.request(method, f"http://127.0.0.1{path}", follow_redirects=False)
            assert_error(answer, status, kind)
            assert ("allow" in answer.headers) == (status == 405)


def test_every_answer_names_its_entry_in_the_journal(apps: Client, subtests: pytest.Subtests) -> None:
    for cause in CAUSES:
        with subtests.test(cause.name):
            answer = cause.spoil(next(iter(cause.where.values()))).send(apps)
            assert (
                apps.get(f"/_sandbox/requests/{answer.headers['sandbox-request-id']}").json()["status"] == cause.status
            )


@pytest.mark.clause("4.11")
def test_the_key_is_never_echoed(apps: Client, subtests: pytest.Subtests) -> None:
    for cause in CAUSES:
        with subtests.test(cause.name):
            spec = next(iter(cause.where.values())).with_headers(Authorization="Bearer sk_test_tell_nobody")
            answer = cause.spoil(spec).send(apps)
            assert "tell_nobody" not in answer.text
            assert "tell_nobody" not in str(answer.headers)
