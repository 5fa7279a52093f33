"""An app's own time: frozen, moved on, given back."""

from __future__ import annotations

import pytest

from tests.conftest import NOW
from tests.control.conftest import MakeWorld
from tests.control.driver import World
from tests.envelope import assert_error

NEW_YEAR = 1_798_761_600
LAST_SECOND = 253_402_300_799  # of the year 9999


def created_at(world: World) -> int:
    return int(world.api.create().json()["created_at"])


def test_a_frozen_time_is_what_the_app_answers(world: World) -> None:
    world.freeze(NEW_YEAR)
    assert created_at(world) == NEW_YEAR
    assert world.call("GET", "/clock").json() == {"now": NEW_YEAR, "frozen": True}


def test_everything_of_the_app_follows_it(world: World) -> None:
    conversation = world.api.created()
    world.freeze(NEW_YEAR)
    response = world.api.send(conversation, "Hello").json()
    assert response["created_at"] == NEW_YEAR
    assert {item["created_at"] for item in world.api.items(conversation)} == {NEW_YEAR}
    assert world.api.complete("Hello").json()["created_at"] == NEW_YEAR


def test_time_moves_on_by_seconds(world: World) -> None:
    world.freeze(NEW_YEAR)
    assert world.advance(90).json() == {"now": NEW_YEAR + 90, "frozen": True}
    assert world.advance(0).json()["now"] == NEW_YEAR + 90
    assert created_at(world) == NEW_YEAR + 90


def test_a_running_time_freezes_when_it_is_moved_on(make_world: MakeWorld) -> None:
    world = make_world(now=None)
    before = world.call("GET", "/clock").json()
    assert before["frozen"] is False
    moved = world.advance(1_000_000).json()
    assert moved["frozen"] is True
    assert moved["now"] >= before["now"] + 1_000_000
    assert world.call("GET", "/clock").json() == moved


def test_real_time_can_be_given_back(make_world: MakeWorld) -> None:
    world = make_world(now=None)
    world.freeze(5)
    assert world.call("DELETE", "/clock").status_code == 204
    assert world.call("GET", "/clock").json()["frozen"] is False
    assert created_at(world) > NOW - 10**8


def test_a_time_in_milliseconds_is_said_to_be_one(world: World) -> None:
    refused = world.call("PUT", "/clock", {"now": NEW_YEAR * 1_000})
    message = assert_error(refused, 422, "invalid_request_error")["message"]
    assert "253,402,300,799" in message
    assert "that looks like milliseconds" in message
    assert "milliseconds" not in world.call("PUT", "/clock", {"now": NEW_YEAR * 1_000_000}).text


def test_the_servers_frozen_time_is_given_back_where_it_has_one(world: World) -> None:
    world.freeze(5)
    world.call("DELETE", "/clock")
    assert world.call("GET", "/clock").json() == {"now": NOW, "frozen": True}


def test_no_other_app_notices(world: World) -> None:
    world.freeze(NEW_YEAR)
    assert created_at(World(world.client, f"{world.app_id}.beside")) == NOW


def test_a_newer_conversation_may_be_older(world: World) -> None:
    late, early = (frozen_at(world, now) for now in (NEW_YEAR, NOW))
    assert [row["id"] for row in world.api.list().json()["data"]] == [late, early]


def frozen_at(world: World, now: int) -> str:
    world.freeze(now)
    return world.api.created()


def test_fractions_add_up_and_what_is_answered_has_whole_seconds(world: World) -> None:
    world.freeze(NEW_YEAR)
    moments = [world.advance(seconds).json()["now"] for seconds in (0.25, *[0.1] * 7, 0.049999, 0.000001, 60.0)]
    # A whole one is an integer: 1.0 is not written.
    assert str(moments[-3:]) == str([NEW_YEAR + 0.999999, NEW_YEAR + 1, NEW_YEAR + 61])
    world.advance(0.75)
    assert f'"created_at":{NEW_YEAR + 61},' in world.api.complete("Hello").text


def test_a_snapshot_keeps_the_fraction(world: World) -> None:
    world.freeze(NEW_YEAR)
    world.advance(0.25)
    taken = world.call("GET", "/snapshot").json()
    world.freeze(5)
    assert taken["clock"] == NEW_YEAR + 0.25
    assert world.call("PUT", "/snapshot", {**taken, "clock": NEW_YEAR + 0.25}).status_code == 200
    assert world.advance(0.75).text == f'{{"now":{NEW_YEAR + 1},"frozen":true}}'


# Rate limits


def test_retry_after_is_whole_when_the_time_is_not(world: World) -> None:
    world.set(rate_limit={"per_minute": 1})
    world.freeze(NEW_YEAR)
    world.advance(0.5)
    assert world.api.complete("Hello").status_code == 200
    world.advance(10.25)
    assert world.api.complete("Hello").headers["retry-after"] == "50"
    world.advance(50)
    assert world.api.complete("Hello").status_code == 200


def test_a_window_ends_when_the_clock_says_so(world: World) -> None:
    world.set(rate_limit={"per_minute": 1})
    world.freeze(NEW_YEAR)
    assert world.api.complete("Hello").status_code == 200
    world.advance(59)
    assert world.api.complete("Hello").headers["retry-after"] == "1"
    world.advance(1)
    assert world.api.complete("Hello").status_code == 200


def test_the_window_of_a_day_follows_too(world: World) -> None:
    world.set(rate_limit={"per_day": 1})
    world.freeze(NEW_YEAR)
    world.api.complete("Hello")
    world.advance(86_399)
    assert world.api.complete("Hello").status_code == 429
    world.advance(1)
    assert world.api.complete("Hello").status_code == 200


# Bounds


@pytest.mark.parametrize("body", [{}, {"now": -1}, {"now": LAST_SECOND + 1}, {"now": 1.5}, {"now": "1"}, {"now": None}])
def test_a_wrong_time_is_refused(world: World, body: dict[str, object]) -> None:
    assert_error(world.call("PUT", "/clock", body), 422, "invalid_request_error", param="now")
    assert world.call("GET", "/clock").json()["now"] == NOW


@pytest.mark.parametrize("seconds", [-1, -0.5, "1", None, 10**10])
def test_time_never_goes_back_nor_too_far(world: World, seconds: object) -> None:
    answer = world.call("POST", "/clock/advance", {"seconds": seconds})
    assert_error(answer, 422, "invalid_request_error", param="seconds")


@pytest.mark.parametrize("now", [0, LAST_SECOND])
@pytest.mark.parametrize("text", ["Hello", "Tomorrow at 2 pm", "demain à 14 h", "next week", "[[tool]]"])
def test_the_agent_speaks_at_any_time(world: World, now: int, text: str) -> None:
    world.freeze(now)
    assert world.api.send(world.api.created(), text).status_code == 200


@pytest.mark.parametrize("now", [0, LAST_SECOND])
def test_an_app_can_be_filled_at_any_time(world: World, now: int) -> None:
    world.freeze(now)
    assert world.call("POST", "/populate", {"conversations": 3}).status_code == 200
    assert len(world.api.list().json()["data"]) == 3


def test_time_does_not_move_on_beyond_what_it_can_be_set_to(world: World) -> None:
    world.freeze(LAST_SECOND)
    assert_error(world.advance(1), 422, "invalid_request_error", param="seconds")
    assert world.call("GET", "/clock").json()["now"] == LAST_SECOND
