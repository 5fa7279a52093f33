"""Good clients: whatever goes wrong around them, a client that does right has nothing held against it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.control.verdict.clients import TEXT_THEN_TOOL, create, give_up, judged, leave, say, tried
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW

GOOD: list[Callable[[AppDriver], object]] = []


def good(client: Callable[[AppDriver], object]) -> Callable[[AppDriver], object]:
    GOOD.append(client)
    return client


@good
def does_nothing(driver: AppDriver) -> None:
    """Nothing can be held against it."""


@good
def uses_everything_as_it_is_meant(driver: AppDriver) -> None:
    conversation = driver.api.created(title="A", external_user_id="u", metadata={"any": {"thing": 1}})
    say(driver, conversation, stream=True)
    say(driver, conversation, "[[tool]] [[form]]")
    driver.api.list(limit=5, order="asc")
    driver.api.list_of_user("u")
    driver.api.update(conversation, title="B")
    driver.api.complete("Hi", fast=True, stream=True)
    driver.api.metrics()
    driver.api.delete(conversation)


@good
def meets_refusals(driver: AppDriver) -> None:
    """A wrong body, a conversation that is gone: the API's answer to it is enough."""
    tried(driver, "POST", "/conversations", {"title": 5})
    driver.api.get("00000000-0000-4000-8000-000000000000")
    tried(driver, "GET", "/config", headers={"Authorization": "Bearer sk_test_invalid"})


@good
def asks_the_same_twice_on_purpose(driver: AppDriver) -> None:
    """No answer was lost: two conversations without a title are two."""
    first, second = driver.api.created(), driver.api.created()
    say(driver, first)
    say(driver, first)
    say(driver, second)


@good
def retries_what_only_reads(driver: AppDriver) -> None:
    for kind in ("reset", "malformed", "wrong_type", "truncate"):
        driver.fault(kind, operation="apps_api_list_conversations")
        tried(driver, "GET", "/conversations")
        tried(driver, "GET", "/conversations")


@good
def retries_a_post_that_did_nothing(driver: AppDriver) -> None:
    """503, and 502 from a proxy in between: no work was done."""
    driver.fault("status", status=503)
    driver.fault("wrong_type")
    for _ in range(3):
        create(driver)


@good
def looks_before_it_creates_again(driver: AppDriver) -> None:
    for kind in ("reset", "truncate", "malformed"):
        driver.fault(kind, operation="apps_api_create_conversation")
        create(driver, kind)
        driver.api.list()
        create(driver, kind)


@good
def looks_before_it_sends_again(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("after", status=500, operation="apps_api_send_message")
    say(driver, conversation)
    driver.api.get(conversation)
    say(driver, conversation)


@good
def takes_what_a_lost_answer_has_done(driver: AppDriver) -> None:
    driver.fault("after", status=502)
    create(driver)
    conversation = driver.api.list().json()["data"][0]["id"]
    say(driver, conversation)


@good
def asks_for_a_completion_again(driver: AppDriver) -> None:
    """A completion leaves nothing behind: twice is no double."""
    driver.fault("after", status=502)
    driver.api.complete("Hi")
    driver.api.complete("Hi")


@good
def waits_as_the_app_tells_the_time(driver: AppDriver) -> None:
    """A test that moves the app's clock instead of sleeping."""
    driver.freeze(NOW)
    driver.set(rate_limit={"per_minute": 1})
    conversation = driver.api.created()
    say(driver, conversation, "One")
    say(driver, conversation, "Two")
    driver.advance(60)
    say(driver, conversation, "Two")


@good
def waits_longer_than_it_must(driver: AppDriver) -> None:
    """The clock ran before: moving it stops it."""
    driver.fault("status", status=503, headers={"Retry-After": "5"})
    driver.api.config()
    driver.advance(3_600)
    driver.api.config()


@good
def may_come_again_at_once(driver: AppDriver) -> None:
    driver.fault("status", status=503, headers={"Retry-After": "0"})
    driver.api.config()
    driver.api.config()


@good
def does_something_else_while_it_waits(driver: AppDriver) -> None:
    """A limit of messages is none of reading, and another worker's message may have been on its way."""
    driver.set(rate_limit={"per_minute": 1})
    conversation = driver.api.created()
    say(driver, conversation, "One")
    say(driver, conversation, "Two")
    driver.api.get(conversation)
    say(driver, conversation, "Another worker's")


@good
def aborts_on_purpose(driver: AppDriver) -> None:
    """The user has pressed stop, and writes something else."""
    conversation = driver.api.created()
    driver.set(pace={"delta_ms": 600_000})
    leave(driver, conversation, b"response.created")
    driver.set(pace={"delta_ms": 0})
    say(driver, conversation, "Something else")


@good
def aborts_often_but_can_read(driver: AppDriver) -> None:
    conversation = driver.api.created()
    say(driver, conversation, stream=True)
    driver.set(pace={"delta_ms": 600_000})
    for text in ("One", "Two", "Three"):
        leave(driver, conversation, b"response.created", text)


@good
def gives_a_silent_stream_up(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("stream_stall", ms=600_000, events=1_000)
    leave(driver, conversation, b"response.output_text.done")
    driver.api.get(conversation)


@good
def gives_up_waiting(driver: AppDriver) -> None:
    driver.fault("hang")
    give_up(driver, "/conversations", {"title": "Once"})


@good
def stops_after_a_cut_stream(driver: AppDriver) -> None:
    conversation = driver.api.created()
    say(driver, conversation, "[[cut]]", stream=True)


@good
def looks_after_a_cut_stream(driver: AppDriver) -> None:
    conversation = driver.api.created()
    for kind in ("stream_cut", "stream_garble"):
        driver.fault(kind, operation="apps_api_send_message")
        say(driver, conversation, kind, stream=True)
        driver.api.get(conversation)
        say(driver, conversation, f"{kind}, on")


@good
def goes_on_after_a_failure_that_it_was_told_of(driver: AppDriver) -> None:
    """The reply failed and said so; what the user writes next is another message."""
    conversation = driver.api.created()
    say(driver, conversation, "[[fail]]", stream=True)
    say(driver, conversation, "[[fail]]")
    driver.fault("stream_fail")
    say(driver, conversation, "Hello", stream=True)
    say(driver, conversation, "Something else")


@good
def takes_an_id_from_an_answer_that_is_odd_elsewhere(driver: AppDriver) -> None:
    driver.fault("contract", path="created_at")
    answer = create(driver)
    assert answer
    say(driver, answer.json()["id"])


@good
def takes_an_odd_answer_for_an_answer(driver: AppDriver) -> None:
    """It breaks the contract, and is there: the next create is another one."""
    driver.fault("contract", path="created_at", times=2)
    create(driver)
    create(driver)


@good
def reads_every_framing_to_its_end(driver: AppDriver) -> None:
    driver.reply(*TEXT_THEN_TOOL, times=None)
    conversation = driver.api.created()
    for framing in ("split", "crlf", "comments", "multiline"):
        driver.set(framing=framing)
        say(driver, conversation, framing, stream=True)


@pytest.mark.parametrize("client", GOOD, ids=lambda client: client.__name__)
def test_nothing_is_held_against_a_good_client(driver: AppDriver, client: Callable[[AppDriver], object]) -> None:
    client(driver)
    verdict = judged(driver)
    assert (verdict["findings"], verdict["passed"], verdict["evicted"]) == ([], True, 0)
    assert verdict["requests"] == len(driver.requests())
