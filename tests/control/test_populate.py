"""Populate: an app is filled with conversations, and others are answered meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.app_driver import APPS, NOTHING, AppDriver
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import in_process

DAY = 86_400


def test_an_app_can_be_filled(driver: AppDriver) -> None:
    driver.set(generative_ui=True)
    answer = driver.call("POST", "/populate", {"conversations": 30, "messages": 4, "users": 3})
    assert answer.json() == driver.counts == {"conversations": 30, "messages": 120, "users": 3, "requests": 0}
    rows = driver.api.list(limit=100).json()["data"]
    assert len(rows) == 30
    assert [len(driver.api.items(row["id"])) for row in rows[:5]] == [4] * 5


def test_what_fills_it_is_spread_over_the_past_thirty_days(driver: AppDriver) -> None:
    driver.call("POST", "/populate", {"conversations": 60})
    made = [row["created_at"] for row in driver.api.list(limit=100).json()["data"]]
    assert all(NOW - 30 * DAY <= at <= NOW for at in made)
    assert max(made) - min(made) > 20 * DAY


def test_what_fills_it_is_in_both_languages(driver: AppDriver) -> None:
    driver.call("POST", "/populate", {"conversations": 40, "messages": 2})
    spoken = " ".join(
        driver.api.items(row["id"])[0]["parts"][0]["text"] for row in driver.api.list(limit=40).json()["data"]
    )
    assert any(word in spoken.lower() for word in (" je ", " vous", " mon ", " une "))
    assert any(word in spoken.lower() for word in (" i ", " my ", " you ", " the "))


def test_filling_it_again_adds_others(driver: AppDriver) -> None:
    for _ in range(2):
        driver.call("POST", "/populate", {"conversations": 12, "messages": 2})
    rows = driver.api.list(limit=100).json()["data"]
    assert driver.counts["conversations"] == 24
    first_words = [driver.api.items(row["id"])[0]["parts"][0]["text"] for row in rows]
    assert len(set(first_words)) > 14  # not the same twelve conversations twice


@pytest.mark.parametrize("more", [{}, {"users": 1}])
def test_one_user_can_have_all_that_fills_it(driver: AppDriver, more: dict[str, int]) -> None:
    wanted = {"conversations": 12, "messages": 2, "external_user_id": "user abc/123", **more}
    assert driver.call("POST", "/populate", wanted).json()["users"] == 1
    assert len(driver.api.list_of_user("user abc/123", limit=100).json()["data"]) == 12


# Each row: what can't be asked for, and its place.
WRONG = [
    ({}, "conversations"),
    ({"conversations": -1}, "conversations"),
    ({"conversations": 10_001}, "conversations"),
    ({"conversations": "5"}, "conversations"),
    ({"conversations": 1, "messages": -1}, "messages"),
    ({"conversations": 1, "users": 0}, "users"),
    ({"conversations": 1, "user": 1}, "user"),
    ({"conversations": 1, "external_user_id": ""}, "external_user_id"),
    ({"conversations": 1, "external_user_id": "u", "users": 2}, "users"),
]


@pytest.mark.parametrize(("body", "param"), WRONG)
def test_a_wrong_wish_fills_nothing(driver: AppDriver, body: dict[str, Any], param: str) -> None:
    assert_error(driver.call("POST", "/populate", body), 422, "invalid_request_error", param=param)
    assert driver.counts == NOTHING


def test_others_are_answered_while_an_app_is_filled() -> None:
    """The two run on one loop: if populate let nobody through, the config would come last."""
    with in_process() as client:
        done: list[str] = []

        async def noted(name: str, method: str, url: str, **more: Any) -> None:
            await client.exchange(method, url, **more)
            done.append(name)

        async def both() -> None:
            body = {"conversations": 60}
            filling = noted("filled", "POST", f"{APPS}/app_x/populate", json=body)
            await asyncio.gather(filling, noted("answered", "GET", "/v1/apps/app_y/config"))

        client.run(both())
    assert done == ["answered", "filled"]


def test_an_app_that_is_deleted_while_it_is_filled_stays_deleted() -> None:
    with in_process() as client:

        async def both() -> tuple[Any, Any]:
            filling = client.exchange("POST", f"{APPS}/app_x/populate", json={"conversations": 60})
            return await asyncio.gather(filling, client.exchange("DELETE", f"{APPS}/app_x"))

        filled, deleted = client.run(both())
        shown = client.request("GET", f"{APPS}/app_x").json()
    assert deleted.status_code == 204
    assert_error(filled, 404, "not_found", param="app_id")
    assert shown["counts"] == NOTHING
