"""Paths are split before they are decoded, each segment once; what can't be is 404, and nothing is redirected (4.5)."""

from __future__ import annotations

from itertools import product
from urllib.parse import quote

import pytest
from httpx2 import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.contract import load
from sandbox.server.router import Router
from tests.support.constants import AUTH
from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, OPERATIONS, opened
from tests.support.requirements import examples
from tests.support.strategies import user_ids

pytestmark = pytest.mark.clause("4.5")


@pytest.mark.parametrize(
    ("path", "app_id"),
    [
        ("app%5Fx", "app_x"),
        ("%61%70%70_x", "app_x"),
        ("app%2dx", "app-x"),
        ("a.b~c", "a.b~c"),
        ("%7Euser", "~user"),
        ("0", "0"),
        ("...", "..."),
        ("A" * 128, "A" * 128),
    ],
)
def test_an_app_id_is_decoded_once(apps: Client, path: str, app_id: str) -> None:
    assert apps.get(f"/v1/apps/{path}/config", headers=AUTH).json()["app_id"] == app_id


IMPOSSIBLE_APPS = [
    "a" * 129,
    "app%20x",
    "app%2Fx",
    "app%255Fx",  # decoded once it is app%5Fx
    "app%0A",
    "app_x%0A",
    "%00",
    "app:x",
    "app,x",
    "app@x",
    "caf%C3%A9",
    "%E2%80%AEx",
    "app+x",
]


def test_an_app_id_that_cannot_exist_is_404(apps: Client, subtests: pytest.Subtests) -> None:
    for path in IMPOSSIBLE_APPS:
        with subtests.test(path=path):
            assert_error(apps.get(f"/v1/apps/{path}/config", headers=AUTH), 404, "not_found")


# Each row: a path that leads nowhere.
NOWHERE = {
    "trailing slash": "/v1/apps/app_x/config/",
    "two trailing slashes": "/v1/apps/app_x/config//",
    "trailing slash of a list": "/v1/apps/app_x/conversations/",
    "empty app": "/v1/apps//config",
    "empty user": "/v1/apps/app_x/users//conversations",
    "empty first segment": "/v1//apps/app_x/config",
    "cut short": "/v1/apps/app_x",
    "one segment more": "/v1/apps/app_x/config/x",
    "unknown resource": "/v1/apps/app_x/agents",
    "another case": "/v1/apps/app_x/Config",
    "case of the base": "/V1/apps/app_x/config",
    "invalid UTF-8 in the app": "/v1/apps/%FF/config",
    "invalid UTF-8 in the user": "/v1/apps/app_x/users/%C3/conversations",
    "invalid UTF-8 in the conversation": "/v1/apps/app_x/conversations/%E2%82",
    "surrogate in UTF-8": "/v1/apps/app_x/users/%ED%A0%80/conversations",
    "overlong UTF-8": "/v1/apps/app_x/users/%C0%AF/conversations",
    "encoded slash between segments": "/v1/apps/app_x%2Fconfig",
    "encoded slash in the base": "/v1%2Fapps/app_x/config",
    "matrix parameter": "/v1/apps/app_x/config;v=1",
    "extension": "/v1/apps/app_x/config.json",
}


def test_a_path_that_leads_nowhere_is_404_and_no_redirect(apps: Client, subtests: pytest.Subtests) -> None:
    for name, path in NOWHERE.items():
        with subtests.test(name):
            assert_error(apps.get(path, headers=AUTH, follow_redirects=False), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/v1/apps/app_x/c%6Fnfig", "/v1/%61pps/app_x/config", "/%76%31/apps/app_x/config", "/v%31/apps/app_x/config"],
)
def test_every_segment_is_decoded(apps: Client, path: str) -> None:
    assert apps.get(path, headers=AUTH).status_code == 200


def test_a_conversation_id_that_cannot_exist_is_404(apps: Client, subtests: pytest.Subtests) -> None:
    rows: list[str] = ["x", "%20", "%2F", "%00", "%F0%9F%98%80", "a" * 10_000, "%2E%2E", "null", "-1"]
    for one, operation in product(
        rows, ["get_conversation", "update_conversation", "delete_conversation", "send_message"]
    ):
        with subtests.test(one=one, operation=operation):
            spec = GOOD[operation].replace(path=f"/conversations/{one}")
            assert_error(spec.send(apps), 404, "not_found", param="conversation_id")


def test_a_conversation_id_is_taken_to_the_letter(apps: Client) -> None:
    one = opened(apps, "app_wire")
    assert apps.get(GOOD["get_conversation"].url(one.replace("-", "%2D")), headers=AUTH).status_code == 200
    for other in (one.upper(), one.replace("-", ""), one + "%20", "{" + one + "}"):
        assert_error(apps.get(GOOD["get_conversation"].url(other), headers=AUTH), 404, "not_found")


def encoded(text: str) -> str:
    """Percent-encode a whole segment, dots too: clients fold `.` and `..` away."""
    return quote(text, safe="").replace(".", "%2E")


@pytest.mark.clause("5.3")
@settings(max_examples=examples(60, quick=15))
@given(user=user_ids)
def test_any_user_id_finds_its_conversations(apps: Client, user: str) -> None:
    created = apps.post("/v1/apps/app_users/conversations", json={"external_user_id": user}, headers=AUTH).json()
    listed = apps.get(f"/v1/apps/app_users/users/{encoded(user)}/conversations", headers=AUTH).json()
    assert listed["data"][0] == created
    assert created["external_user_id"] == user


@pytest.mark.parametrize(("length", "status"), [(1, 200), (1_000, 200), (1_001, 422)])
@pytest.mark.parametrize("letter", ["a", "\u00e9", "\U0001f600"])
def test_a_user_id_has_at_most_a_thousand_characters(apps: Client, length: int, status: int, letter: str) -> None:
    answer = apps.get(f"/v1/apps/app_x/users/{quote(letter * length)}/conversations", headers=AUTH)
    assert answer.status_code == status
    if status == 422:
        assert_error(answer, 422, "invalid_request_error", param="external_user_id", code="too_long")


@given(
    app=st.from_regex(r"[A-Za-z0-9._~-]{1,20}", fullmatch=True),
    user=st.text(st.characters(codec="utf-8"), min_size=1),
    operation=st.sampled_from(sorted(OPERATIONS)),
)
def test_the_router_gives_back_what_was_encoded(app: str, user: str, operation: str) -> None:
    wanted = OPERATIONS[operation]
    values = {"app_id": app, "external_user_id": user, "conversation_id": user}
    path = wanted.path.format(**{name: quote(value, safe="") for name, value in values.items()})
    parameters: dict[str, str] = {}
    assert ROUTER.resolve(path.encode(), wanted.method, parameters).id == wanted.id
    assert parameters == {name: value for name, value in values.items() if f"{{{name}}}" in wanted.path}


CONTRACT = load()
ROUTER = Router(CONTRACT, {operation.id for operation in CONTRACT.operations})
