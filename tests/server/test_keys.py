"""Which keys open the door (1.2)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Client

from tests.support.errors import assert_error
from tests.support.request_spec import GOOD

pytestmark = pytest.mark.clause("1.2")

CONFIG = GOOD["get_app_config"].replace(headers={})

WELL_FORMED = {
    "test key": "Bearer sk_test_a",
    "live key": "Bearer sk_live_a",
    "all its letters": "Bearer sk_test_AZaz09_-",
    "two hundred characters": "Bearer sk_test_" + "a" * 200,
    "lower-case scheme": "bearer sk_test_a",
    "upper-case scheme": "BEARER sk_test_a",
}
REFUSED: dict[str, Any] = {
    "empty": "",
    "scheme alone": "Bearer",
    "key alone": "sk_test_a",
    "another scheme": "Basic sk_test_a",
    "nothing behind the prefix": "Bearer sk_test_",
    "201 characters": "Bearer sk_test_" + "a" * 201,
    "another environment": "Bearer sk_prod_a",
    "upper-case prefix": "Bearer SK_TEST_a",
    "publishable": "Bearer pk_test_a",
    "a dot in it": "Bearer sk_test_a.b",
    "beyond ASCII": "Bearer sk_test_\u00e9".encode(),
    "two keys": "Bearer sk_test_a sk_test_b",
    "a comma behind": "Bearer sk_test_a,",
    "quoted": 'Bearer "sk_test_a"',
}


@pytest.mark.parametrize("header", WELL_FORMED.values(), ids=WELL_FORMED)
def test_a_well_formed_key_opens_any_app(apps: Client, header: str) -> None:
    assert CONFIG.with_headers(Authorization=header).send(apps).status_code == 200


def test_anything_else_is_401(apps: Client, subtests: pytest.Subtests) -> None:
    for name, header in REFUSED.items():
        with subtests.test(name):
            answer = CONFIG.with_headers(Authorization=header).send(apps)
            assert_error(answer, 401, "invalid_api_key", param=None, code=None)


@pytest.mark.parametrize(
    ("header", "told"),
    [("Bearer pk_live_a", "sk_"), ("Basic abc", "Bearer"), ("Bearer abc", "sk_test_"), ("", "Bearer")],
)
def test_a_refusal_says_what_is_expected(apps: Client, header: str, told: str) -> None:
    error = assert_error(CONFIG.with_headers(Authorization=header).send(apps), 401, "invalid_api_key")
    assert told in error["message"]


def test_two_headers_are_no_key(apps: Client) -> None:
    headers = [("Authorization", "Bearer sk_test_a"), ("Authorization", "Bearer sk_test_b")]
    assert_error(apps.get(CONFIG.url(), headers=headers), 401, "invalid_api_key")


def test_an_app_with_keys_takes_no_other(apps: Client) -> None:
    mine = CONFIG.replace(app_id="app_locked")
    assert mine.with_headers(Authorization="Bearer sk_test_of_another").send(apps).status_code == 200
    assert_error(mine.with_headers(Authorization="Bearer sk_test_a").send(apps), 403, "access_denied")
