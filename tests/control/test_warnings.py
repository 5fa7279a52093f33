"""Warnings: what is valid and still looks like a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.app_driver import AppDriver, entry

CREATE = {"method": "POST", "path": "/conversations"}
COMPLETE = {"method": "POST", "path": "/completions"}


def warned(driver: AppDriver, *, method: str = "GET", path: str = "/config", **more: Any) -> list[str]:
    """Send a request and return what its entry warns of."""
    answer = driver.client.request(method, f"/v1/apps/{driver.app_id}{path}", **more)
    return entry(driver.client, answer)["warnings"]  # type: ignore[no-any-return]


# Each row: a body with a slip of the pen, its place, and what was meant (None: nothing comes near).
SLIPS: list[tuple[dict[str, Any], dict[str, Any], str, str | None]] = [
    (CREATE, {"titel": "x"}, "titel", "title"),
    (CREATE, {"Title": "x"}, "Title", "title"),
    (CREATE, {"metdata": {}}, "metdata", "metadata"),
    (CREATE, {"metadatas": {}}, "metadatas", "metadata"),
    (CREATE, {"user": "x"}, "user", None),
    (CREATE, {"tittlee": "x"}, "tittlee", "title"),
    (CREATE, {"xtittlee": "x"}, "xtittlee", None),
    (COMPLETE, {"prompt": "Hi", "fastt": True}, "fastt", "fast"),
    (COMPLETE, {"prompt": "Hi", "fas": True}, "fas", "fast"),
    (COMPLETE, {"prompt": "Hi", "fa": True}, "fa", None),
    (COMPLETE, {"prompt": "Hi", "steam": True}, "steam", "stream"),
]


@pytest.mark.parametrize(("where", "body", "place", "meant"), SLIPS)
def test_an_unknown_field_is_named_with_what_was_meant(
    driver: AppDriver, where: dict[str, Any], body: dict[str, Any], place: str, meant: str | None
) -> None:
    (warning,) = warned(driver, **where, json=body)
    assert f"`{place}`" in warning
    assert (f"did you mean `{meant}`" in warning) if meant else ("did you mean" not in warning)


def test_a_field_inside_an_object_is_named_by_its_place(driver: AppDriver) -> None:
    conversation = driver.api.created()
    (warning,) = warned(
        driver, method="POST", path=f"/conversations/{conversation}", json={"message": {"content": "a", "rol": "user"}}
    )
    assert "`message.rol`" in warning
    assert "did you mean `message.role`" in warning


def test_several_are_all_named(driver: AppDriver) -> None:
    assert len(warned(driver, **CREATE, params={"limt": "1"}, json={"titel": 1, "nothing": 2})) == 3


def test_metadata_may_hold_anything(driver: AppDriver) -> None:
    assert warned(driver, **CREATE, json={"metadata": {"titel": {"metdata": 1}}}) == []


@pytest.mark.parametrize(("name", "meant"), [("limt", "limit"), ("orders", "order"), ("page", None)])
def test_an_unknown_query_parameter_is_named(driver: AppDriver, name: str, meant: str | None) -> None:
    (warning,) = warned(driver, path="/conversations", params={name: "1"})
    assert f"`{name}`" in warning
    assert (f"`{meant}`" in warning) is (meant is not None)


def test_a_known_one_that_another_operation_takes_is_unknown_here(driver: AppDriver) -> None:
    (warning,) = warned(driver, params={"limit": "1"})
    assert "`limit`" in warning


# Each row: a path that is none, and what was meant.
PATHS = [
    ("/apps/app_x/config", "/v1/apps/app_x/config"),
    ("/apps/app_x/conversations", "/v1/apps/app_x/conversations"),
    ("/v1/apps/app_x/config/", "/v1/apps/app_x/config"),
    ("/v1/apps/app_x/conversation", "/v1/apps/app_x/conversations"),
    ("/v1/app/app_x/config", "/v1/apps/app_x/config"),
    ("//v1/apps/app_x/config", "/v1/apps/app_x/config"),
    ("/v1//apps/app_x//config", "/v1/apps/app_x/config"),
    ("/v1/v1/apps/app_x/config", "/v1/apps/app_x/config"),
    ("/api/v1/apps/app_x/config", "/v1/apps/app_x/config"),
    ("/API/v2/apps/app_x/users/v1/conversations", "/v1/apps/app_x/users/v1/conversations"),
]


@pytest.mark.parametrize(("path", "meant"), PATHS)
def test_an_unmatched_path_is_shown_the_way(driver: AppDriver, path: str, meant: str) -> None:
    answer = driver.client.get(path)
    (warning,) = entry(driver.client, answer)["warnings"]
    assert warning.startswith(f"did you mean {meant}?")
    assert answer.json()["error"]["message"] == f"No such path; {warning}"


@pytest.mark.parametrize("path", ["/", "/nothing/at/all", "/favicon.ico", "/v1/apps//conversations", "/v1/v1"])
def test_a_path_that_resembles_none_is_not_guessed_at(driver: AppDriver, path: str) -> None:
    found = entry(driver.client, driver.client.get(path))
    assert (found["warnings"], found["app_id"]) == ([], None)


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_secret_key_from_a_browser_is_named(driver: AppDriver, headers: dict[str, str]) -> None:
    (warning,) = warned(driver, headers=headers)
    assert "browser" in warning
    assert warned(driver, headers={**headers, "Authorization": "Bearer pk_test_a"}) == []


def test_the_fetch_of_node_is_no_browser(driver: AppDriver) -> None:
    """It sends Sec-Fetch-Mode, and nothing that says where a page comes from."""
    assert warned(driver, headers={"Sec-Fetch-Mode": "cors"}) == []


# Each row: a key, the host that it was sent to, and whether that looks like a mistake.
LIVE = [
    ("sk_live_abcdefgh", "10.1.2.3:8010", True),
    ("sk_live_abcdefgh", "sandbox:8010", True),
    ("sk_live_abcdefgh", "127.0.0.1:8010", False),
    ("sk_live_abcdefgh", "localhost", False),
    ("sk_live_abcdefgh", "[::1]:8010", False),
    ("sk_live_abcdefgh", "api.localhost:8010", False),
    ("sk_live_abcdefgh", "localhost.internal", True),
    ("sk_test_abcdefgh", "10.1.2.3:8010", False),
]


@pytest.mark.parametrize(("key", "host", "warns"), LIVE)
def test_a_live_key_that_leaves_the_machine_is_named(driver: AppDriver, key: str, host: str, warns: bool) -> None:
    found = warned(driver, headers={"Authorization": f"Bearer {key}", "Host": host})
    assert ["live key" in warning for warning in found] == [True] * warns


def test_a_good_request_is_not_warned_of(driver: AppDriver) -> None:
    assert warned(driver, **CREATE, json={"title": "x", "external_user_id": "y", "metadata": {}}) == []
