"""Bad clients: each is found by the rule that it breaks, and by no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.control.verdict.clients import TEXT_THEN_TOOL, create, give_up, judged, leave, say, tried
from tests.support.app_driver import AppDriver

# Each: a client, the rule that it breaks, and which of its requests show it (by their place, from 0).
BAD: list[tuple[Callable[[AppDriver], object], str, list[int]]] = []


def bad(rule: str, *places: int) -> Callable[[Callable[[AppDriver], object]], Callable[[AppDriver], object]]:
    def keep(client: Callable[[AppDriver], object]) -> Callable[[AppDriver], object]:
        BAD.append((client, rule, list(places)))
        return client

    return keep


@bad("unknown_field", 0)
def misspells_a_field(driver: AppDriver) -> None:
    tried(driver, "POST", "/conversations", {"titel": "Hi"})


@bad("unknown_field", 1)
def misspells_a_field_inside(driver: AppDriver) -> None:
    tried(driver, "POST", f"/conversations/{driver.api.created()}", {"message": {"content": "Hi", "rol": "user"}})


@bad("unknown_field", 0, 1)
def invents_a_parameter(driver: AppDriver) -> None:
    driver.api.list(page=1)
    driver.api.list(page=2)


@bad("outside_contract", 0)
def misspells_a_path(driver: AppDriver) -> None:
    tried(driver, "GET", "/conversation")


@bad("outside_contract", 0)
def forgets_the_base_path(driver: AppDriver) -> None:
    driver.client.get(f"/apps/{driver.app_id}/config")


@bad("outside_contract", 0)
def misspells_what_stands_before_the_app(driver: AppDriver) -> None:
    driver.client.get(f"/v1/app/{driver.app_id}/config")


@bad("outside_contract", 0)
def uses_another_method(driver: AppDriver) -> None:
    tried(driver, "PUT", "/config", {})


@bad("browser_key", 0)
def carries_its_key_into_a_browser(driver: AppDriver) -> None:
    tried(driver, "GET", "/config", headers={"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"})


@bad("too_soon", 2, 3)
def does_not_wait_for_the_limit(driver: AppDriver) -> None:
    driver.set(rate_limit={"per_minute": 1})
    conversation = driver.api.created()
    say(driver, conversation, "One")
    say(driver, conversation, "Two")
    say(driver, conversation, "Two")


@bad("too_soon", 0, 1)
def does_not_wait_after_503(driver: AppDriver) -> None:
    driver.fault("status", status=503, headers={"Retry-After": "60"})
    driver.api.config()
    driver.api.config()


@bad("too_soon", 0, 1)
def waits_too_short_by_the_clock_of_the_app(driver: AppDriver) -> None:
    driver.freeze(1_800_000_000)
    driver.fault("status", status=503, headers={"Retry-After": "60"})
    driver.api.config()
    driver.advance(59)
    driver.api.config()


@bad("repeated_post", 0, 1)
def creates_again_after_a_lost_answer(driver: AppDriver) -> None:
    driver.fault("after", status=503)
    create(driver)
    create(driver)


@bad("repeated_post", 0, 1)
def creates_again_after_a_reset(driver: AppDriver) -> None:
    driver.fault("reset")
    create(driver)
    create(driver)


@bad("repeated_post", 0, 1)
def creates_again_after_half_an_answer(driver: AppDriver) -> None:
    driver.fault("truncate")
    create(driver)
    create(driver)


@bad("repeated_post", 0, 1)
def creates_again_after_an_answer_that_it_can_not_read(driver: AppDriver) -> None:
    driver.fault("malformed")
    create(driver)
    create(driver)


@bad("repeated_post", 0, 1)
def creates_again_because_it_would_not_wait(driver: AppDriver) -> None:
    driver.fault("hang", times=2)
    give_up(driver, "/conversations", {"title": "Once"})
    give_up(driver, "/conversations", {"title": "Once"})


@bad("repeated_post", 0, 1, 2)
def creates_again_and_again(driver: AppDriver) -> None:
    driver.fault("after", status=500, times=2)
    for _ in range(3):
        create(driver)


@bad("repeated_post", 1, 2)
def sends_again_after_a_cut_stream(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("stream_cut")
    say(driver, conversation, stream=True)
    say(driver, conversation, stream=True)


@bad("unread_stream", 1)
def leaves_when_the_text_is_whole(driver: AppDriver) -> None:
    driver.reply(*TEXT_THEN_TOOL)
    conversation = driver.api.created()
    driver.set(pace={"delta_ms": 600_000})
    leave(driver, conversation, b"response.function_call.start")


@bad("unread_stream", 1, 2, 3)
def never_reads_a_stream_to_its_end(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.set(pace={"delta_ms": 600_000})
    for text in ("One", "Two", "Three"):
        leave(driver, conversation, b"response.created", text)


@bad("unnoticed_failure", 0, 1)
def goes_on_without_an_id(driver: AppDriver) -> None:
    driver.fault("status", status=500)
    create(driver)
    say(driver, "undefined")


@bad("unnoticed_failure", 0, 1)
def takes_null_for_an_id(driver: AppDriver) -> None:
    driver.fault("contract", path="id")
    create(driver)
    say(driver, "None")


@bad("unnoticed_failure", 0, 1)
def takes_its_id_from_half_an_answer(driver: AppDriver) -> None:
    driver.fault("truncate", bytes=60)
    create(driver)
    (half,) = (entry["response"] for entry in driver.requests())
    say(driver, half.split('"')[3])


@bad("unnoticed_failure", 0, 1)
def takes_its_id_from_broken_json(driver: AppDriver) -> None:
    driver.fault("malformed")
    create(driver)
    say(driver, "conv_1")


@bad("unnoticed_failure", 1, 2)
def goes_on_after_a_cut_stream(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("stream_cut")
    say(driver, conversation, "One", stream=True)
    say(driver, conversation, "Two", stream=True)


@bad("unnoticed_failure", 1, 2)
def goes_on_after_half_an_answer(driver: AppDriver) -> None:
    conversation = driver.api.created()
    say(driver, conversation, "[[cut]]")
    say(driver, conversation, "Two")


@bad("unnoticed_failure", 1, 2)
def goes_on_after_broken_json(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("malformed")
    say(driver, conversation, "One")
    say(driver, conversation, "Two")


@pytest.mark.parametrize(("client", "rule", "places"), BAD, ids=[client.__name__ for client, *_ in BAD])
def test_a_bad_client_is_found_by_its_rule_alone(
    driver: AppDriver, client: Callable[[AppDriver], object], rule: str, places: list[int]
) -> None:
    client(driver)
    verdict = judged(driver)
    assert {finding["rule"] for finding in verdict["findings"]} == {rule}
    shown = {entry_id for finding in verdict["findings"] for entry_id in finding["requests"]}
    assert [place for place, entry_id in enumerate(sent_by(driver)) if entry_id in shown] == places
    assert verdict["passed"] is False
    assert all(finding["message"] and finding["advice"] for finding in verdict["findings"])


def sent_by(driver: AppDriver) -> list[str]:
    """Return the ids of what the app's client sent, oldest first, also where it missed the app."""
    found = driver.client.get("/_sandbox/requests", params={"limit": 100}).json()["data"]
    return [entry["id"] for entry in reversed(found) if driver.app_id in entry["path"]]
