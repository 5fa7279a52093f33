"""Every path, every method: what the contract doesn't have is 405 with the list of what it has (4.6)."""

from __future__ import annotations

import pytest
from httpx2 import Client

from tests.support.constants import AUTH
from tests.support.errors import assert_error
from tests.support.request_spec import NOBODY, OPERATIONS

pytestmark = pytest.mark.clause("4.6", "4.11")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PROPFIND")
PATHS: dict[str, set[str]] = {}
for _operation in OPERATIONS.values():
    PATHS.setdefault(_operation.path, set()).add(_operation.method)
WRONG = [(method, path) for path, allowed in PATHS.items() for method in METHODS if method not in allowed]


def filled(path: str) -> str:
    return path.format(app_id="app_wire", external_user_id="u", conversation_id=NOBODY)


def test_a_method_that_the_path_has_not_is_405(apps: Client, subtests: pytest.Subtests) -> None:
    for method, path in [case for case in WRONG if case[0] != "HEAD"]:
        with subtests.test(method=method, path=path):
            answer = apps.request(method, filled(path), headers=AUTH)
            assert_error(answer, 405, "method_not_allowed", param=None, code=None)


def test_allow_lists_the_methods_of_the_path(apps: Client, subtests: pytest.Subtests) -> None:
    for method, path in WRONG:
        with subtests.test(method=method, path=path):
            answer = apps.request(method, filled(path), headers=AUTH)
            assert answer.status_code == 405
            assert set(answer.headers["allow"].split(", ")) == PATHS[path]


@pytest.mark.parametrize("path", PATHS)
def test_options_is_405_unless_a_browser_asks(apps: Client, path: str) -> None:
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    for header in asked:
        assert_error(apps.options(filled(path), headers={header: asked[header]}), 405, "method_not_allowed")
    assert apps.options(filled(path), headers=asked).status_code == 204
