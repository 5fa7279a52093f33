"""Bad clients: each is found by the rule that it breaks, and by no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.control.driver import World
from tests.control.verdict.clients import TEXT_THEN_TOOL, create, give_up, judged, leave, say, tried

# Each: a client, the rule that it breaks, and which of its requests show it (by their place, from 0).
BAD: list[tuple[Callable[[World], object], str, list[int]]] = []


def bad(rule: str, *places: int) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    def keep(client: Callable[[World], object]) -> Callable[[World], object]:
        BAD.append((client, rule, list(places)))
        return client

    return keep


@bad("unknown_field", 0)
def misspells_a_field(world: World) -> None:
    tried(world, "POST", "/conversations", {"titel": "Hi"})


@bad("unknown_field", 1)
def misspells_a_field_inside(world: World) -> None:
    tried(world, "POST", f"/conversations/{world.api.created()}", {"message": {"content": "Hi", "rol": "user"}})


@bad("unknown_field", 0, 1)
def invents_a_parameter(world: World) -> None:
    world.api.list(page=1)
    world.api.list(page=2)


@bad("outside_contract", 0)
def misspells_a_path(world: World) -> None:
    tried(world, "GET", "/conversation")


@bad("outside_contract", 0)
def forgets_the_base_path(world: World) -> None:
    world.client.get(f"/apps/{world.app_id}/config")


@bad("outside_contract", 0)
def misspells_what_stands_before_the_app(world: World) -> None:
    world.client.get(f"/v1/app/{world.app_id}/config")


@bad("outside_contract", 0)
def uses_another_method(world: World) -> None:
    tried(world, "PUT", "/config", {})


@bad("browser_key", 0)
def carries_its_key_into_a_browser(world: World) -> None:
    tried(world, "GET", "/config", headers={"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"})


@bad("too_soon", 2, 3)
def does_not_wait_for_the_limit(world: World) -> None:
    world.set(rate_limit={"per_minute": 1})
    conversation = world.api.created()
    say(world, conversation, "One")
    say(world, conversation, "Two")
    say(world, conversation, "Two")


@bad("too_soon", 0, 1)
def does_not_wait_after_503(world: World) -> None:
    world.fault("status", status=503, headers={"Retry-After": "60"})
    world.api.config()
    world.api.config()


@bad("too_soon", 0, 1)
def waits_too_short_by_the_clock_of_the_app(world: World) -> None:
    world.freeze(1_800_000_000)
    world.fault("status", status=503, headers={"Retry-After": "60"})
    world.api.config()
    world.advance(59)
    world.api.config()


@bad("repeated_post", 0, 1)
def creates_again_after_a_lost_answer(world: World) -> None:
    world.fault("after", status=503)
    create(world)
    create(world)


@bad("repeated_post", 0, 1)
def creates_again_after_a_reset(world: World) -> None:
    world.fault("reset")
    create(world)
    create(world)


@bad("repeated_post", 0, 1)
def creates_again_after_half_an_answer(world: World) -> None:
    world.fault("truncate")
    create(world)
    create(world)


@bad("repeated_post", 0, 1)
def creates_again_after_an_answer_that_it_can_not_read(world: World) -> None:
    world.fault("malformed")
    create(world)
    create(world)


@bad("repeated_post", 0, 1)
def creates_again_because_it_would_not_wait(world: World) -> None:
    world.fault("hang", times=2)
    give_up(world, "/conversations", {"title": "Once"})
    give_up(world, "/conversations", {"title": "Once"})


@bad("repeated_post", 0, 1, 2)
def creates_again_and_again(world: World) -> None:
    world.fault("after", status=500, times=2)
    for _ in range(3):
        create(world)


@bad("repeated_post", 1, 2)
def sends_again_after_a_cut_stream(world: World) -> None:
    conversation = world.api.created()
    world.fault("stream_cut")
    say(world, conversation, stream=True)
    say(world, conversation, stream=True)


@bad("unread_stream", 1)
def leaves_when_the_text_is_whole(world: World) -> None:
    world.reply(*TEXT_THEN_TOOL)
    conversation = world.api.created()
    world.set(pace={"delta_ms": 600_000})
    leave(world, conversation, b"response.function_call.start")


@bad("unread_stream", 1, 2, 3)
def never_reads_a_stream_to_its_end(world: World) -> None:
    conversation = world.api.created()
    world.set(pace={"delta_ms": 600_000})
    for text in ("One", "Two", "Three"):
        leave(world, conversation, b"response.created", text)


@bad("unnoticed_failure", 0, 1)
def goes_on_without_an_id(world: World) -> None:
    world.fault("status", status=500)
    create(world)
    say(world, "undefined")


@bad("unnoticed_failure", 0, 1)
def takes_null_for_an_id(world: World) -> None:
    world.fault("contract", path="id")
    create(world)
    say(world, "None")


@bad("unnoticed_failure", 0, 1)
def takes_its_id_from_half_an_answer(world: World) -> None:
    world.fault("truncate", bytes=60)
    create(world)
    (half,) = (entry["response"] for entry in world.requests())
    say(world, half.split('"')[3])


@bad("unnoticed_failure", 0, 1)
def takes_its_id_from_broken_json(world: World) -> None:
    world.fault("malformed")
    create(world)
    say(world, "conv_1")


@bad("unnoticed_failure", 1, 2)
def goes_on_after_a_cut_stream(world: World) -> None:
    conversation = world.api.created()
    world.fault("stream_cut")
    say(world, conversation, "One", stream=True)
    say(world, conversation, "Two", stream=True)


@bad("unnoticed_failure", 1, 2)
def goes_on_after_half_an_answer(world: World) -> None:
    conversation = world.api.created()
    say(world, conversation, "[[cut]]")
    say(world, conversation, "Two")


@bad("unnoticed_failure", 1, 2)
def goes_on_after_broken_json(world: World) -> None:
    conversation = world.api.created()
    world.fault("malformed")
    say(world, conversation, "One")
    say(world, conversation, "Two")


@pytest.mark.parametrize(("client", "rule", "places"), BAD, ids=[client.__name__ for client, *_ in BAD])
def test_a_bad_client_is_found_by_its_rule_alone(
    world: World, client: Callable[[World], object], rule: str, places: list[int]
) -> None:
    client(world)
    verdict = judged(world)
    assert {finding["rule"] for finding in verdict["findings"]} == {rule}
    shown = {entry_id for finding in verdict["findings"] for entry_id in finding["requests"]}
    assert [place for place, entry_id in enumerate(sent_by(world)) if entry_id in shown] == places
    assert verdict["passed"] is False
    assert all(finding["message"] and finding["advice"] for finding in verdict["findings"])


def sent_by(world: World) -> list[str]:
    """Return the ids of what the app's client sent, oldest first, also where it missed the app."""
    found = world.client.get("/_sandbox/requests", params={"limit": 100}).json()["data"]
    return [entry["id"] for entry in reversed(found) if world.app_id in entry["path"]]
