"""An app's own time: frozen, moved on, given back."""

from __future__ import annotations

import pytest

from tests.control.conftest import MakeDriver
from tests.support.app_driver import AppDriver, creation_in
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.processes import Server
from tests.support.raw_connection import open_connection

NEW_YEAR = 1_798_761_600
LAST_SECOND = 253_402_300_799  # of the year 9999


def created_at(driver: AppDriver) -> int:
    return int(driver.api.create().json()["created_at"])


def test_a_frozen_time_is_what_the_app_answers(driver: AppDriver) -> None:
    driver.freeze(NEW_YEAR)
    assert created_at(driver) == NEW_YEAR
    assert driver.call("GET", "/clock").json() == {"now": NEW_YEAR, "frozen": True}


def test_everything_of_the_app_follows_it(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.freeze(NEW_YEAR)
    response = driver.api.send(conversation, "Hello").json()
    assert response["created_at"] == NEW_YEAR
    assert {item["created_at"] for item in driver.api.items(conversation)} == {NEW_YEAR}
    assert driver.api.complete("Hello").json()["created_at"] == NEW_YEAR


def test_time_moves_on_by_seconds(driver: AppDriver) -> None:
    driver.freeze(NEW_YEAR)
    assert driver.advance(90).json() == {"now": NEW_YEAR + 90, "frozen": True}
    assert driver.advance(0).json()["now"] == NEW_YEAR + 90
    assert created_at(driver) == NEW_YEAR + 90


def test_a_running_time_freezes_when_it_is_moved_on(make_driver: MakeDriver) -> None:
    driver = make_driver(now=None)
    before = driver.call("GET", "/clock").json()
    assert before["frozen"] is False
    moved = driver.advance(1_000_000).json()
    assert moved["frozen"] is True
    assert moved["now"] >= before["now"] + 1_000_000
    assert driver.call("GET", "/clock").json() == moved


def test_real_time_can_be_given_back(make_driver: MakeDriver) -> None:
    driver = make_driver(now=None)
    driver.freeze(5)
    assert driver.call("DELETE", "/clock").status_code == 204
    assert driver.call("GET", "/clock").json()["frozen"] is False
    assert created_at(driver) > NOW - 10**8


def test_a_time_in_milliseconds_is_said_to_be_one(driver: AppDriver) -> None:
    refused = driver.call("PUT", "/clock", {"now": NEW_YEAR * 1_000})
    message = assert_error(refused, 422, "invalid_request_error")["message"]
    assert "253,402,300,799" in message
    assert "that looks like milliseconds" in message
    assert "milliseconds" not in driver.call("PUT", "/clock", {"now": NEW_YEAR * 1_000_000}).text


def test_the_servers_frozen_time_is_given_back_where_it_has_one(driver: AppDriver) -> None:
    driver.freeze(5)
    driver.call("DELETE", "/clock")
    assert driver.call("GET", "/clock").json() == {"now": NOW, "frozen": True}


def test_no_other_app_notices(driver: AppDriver) -> None:
    driver.freeze(NEW_YEAR)
    assert created_at(AppDriver(driver.client, f"{driver.app_id}.beside")) == NOW


def test_a_newer_conversation_may_be_older(driver: AppDriver) -> None:
    late, early = (frozen_at(driver, now) for now in (NEW_YEAR, NOW))
    assert [row["id"] for row in driver.api.list().json()["data"]] == [late, early]


def frozen_at(driver: AppDriver, now: int) -> str:
    driver.freeze(now)
    return driver.api.created()


def test_fractions_add_up_and_what_is_answered_has_whole_seconds(driver: AppDriver) -> None:
    driver.freeze(NEW_YEAR)
    moments = [driver.advance(seconds).json()["now"] for seconds in (0.25, *[0.1] * 7, 0.049999, 0.000001, 60.0)]
    # A whole one is an integer: 1.0 is not written.
    assert str(moments[-3:]) == str([NEW_YEAR + 0.999999, NEW_YEAR + 1, NEW_YEAR + 61])
    driver.advance(0.75)
    assert f'"created_at":{NEW_YEAR + 61},' in driver.api.complete("Hello").text


def test_a_snapshot_keeps_the_fraction(driver: AppDriver) -> None:
    driver.freeze(NEW_YEAR)
    driver.advance(0.25)
    taken = driver.call("GET", "/snapshot").json()
    driver.freeze(5)
    assert taken["clock"] == NEW_YEAR + 0.25
    assert driver.call("PUT", "/snapshot", {**taken, "clock": NEW_YEAR + 0.25}).status_code == 200
    assert driver.advance(0.75).text == f'{{"now":{NEW_YEAR + 1},"frozen":true}}'


# Rate limits


def test_retry_after_is_whole_when_the_time_is_not(driver: AppDriver) -> None:
    driver.set(rate_limit={"per_minute": 1})
    driver.freeze(NEW_YEAR)
    driver.advance(0.5)
    assert driver.api.complete("Hello").status_code == 200
    driver.advance(10.25)
    assert driver.api.complete("Hello").headers["retry-after"] == "50"
    driver.advance(50)
    assert driver.api.complete("Hello").status_code == 200


@pytest.mark.parametrize(("window", "seconds"), [("per_minute", 60), ("per_day", 86_400)])
def test_a_window_ends_when_the_clock_says_so(driver: AppDriver, window: str, seconds: int) -> None:
    driver.set(rate_limit={window: 1})
    driver.freeze(NEW_YEAR)
    assert driver.api.complete("Hello").status_code == 200
    driver.advance(seconds - 1)
    refused = driver.api.complete("Hello")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    driver.advance(1)
    assert driver.api.complete("Hello").status_code == 200


# Bounds


@pytest.mark.parametrize("body", [{}, {"now": -1}, {"now": LAST_SECOND + 1}, {"now": 1.5}, {"now": "1"}, {"now": None}])
def test_a_wrong_time_is_refused(driver: AppDriver, body: dict[str, object]) -> None:
    assert_error(driver.call("PUT", "/clock", body), 422, "invalid_request_error", param="now")
    assert driver.call("GET", "/clock").json()["now"] == NOW


@pytest.mark.parametrize("seconds", [-1, -0.5, "1", None, 10**10])
def test_time_never_goes_back_nor_too_far(driver: AppDriver, seconds: object) -> None:
    answer = driver.call("POST", "/clock/advance", {"seconds": seconds})
    assert_error(answer, 422, "invalid_request_error", param="seconds")


@pytest.mark.parametrize("now", [0, LAST_SECOND])
@pytest.mark.parametrize("text", ["Hello", "Tomorrow at 2 pm", "demain à 14 h", "next week", "[[tool]]"])
def test_the_agent_speaks_at_any_time(driver: AppDriver, now: int, text: str) -> None:
    driver.freeze(now)
    assert driver.api.send(driver.api.created(), text).status_code == 200


@pytest.mark.parametrize("now", [0, LAST_SECOND])
def test_an_app_can_be_filled_at_any_time(driver: AppDriver, now: int) -> None:
    driver.freeze(now)
    assert driver.call("POST", "/populate", {"conversations": 3}).status_code == 200
    assert len(driver.api.list().json()["data"]) == 3


def test_time_does_not_move_on_beyond_what_it_can_be_set_to(driver: AppDriver) -> None:
    driver.freeze(LAST_SECOND)
    assert_error(driver.advance(1), 422, "invalid_request_error", param="seconds")
    assert driver.call("GET", "/clock").json()["now"] == LAST_SECOND


def test_a_request_keeps_the_time_that_stood_still_when_it_came(driver: AppDriver, server: Server) -> None:
    request = creation_in(driver)
    with open_connection(server.url) as connection:
        connection.send(request[:-1])
        while not driver.requests():
            pass
        driver.advance(60)
        connection.send(request[-1:])
        conversation = connection.answer().json()
    assert conversation["created_at"] == NOW
    fault = driver.fault("stream_stall", until="released", events=2)
    with driver.open_stream(conversation=conversation["id"]) as connection:
        connection.read_until(b"response.output_text.delta")
        driver.advance(60)
        while driver.call("POST", f"/faults/{fault['id']}/release").status_code != 204:
            pass
        connection.read_to_end()
    assert [item["created_at"] for item in driver.api.items(conversation["id"])] == [NOW + 60, NOW + 60]
