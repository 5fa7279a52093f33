"""Good clients: whatever goes wrong around them, a client that does right has nothing held against it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import NOW
from tests.control.driver import World
from tests.control.verdict.clients import TEXT_THEN_TOOL, create, give_up, judged, leave, say, tried

GOOD: list[Callable[[World], object]] = []


def good(client: Callable[[World], object]) -> Callable[[World], object]:
    GOOD.append(client)
    return client


@good
def does_nothing(world: World) -> None:
    """Nothing can be held against it."""


@good
def uses_everything_as_it_is_meant(world: World) -> None:
    conversation = world.api.created(title="A", external_user_id="u", metadata={"any": {"thing": 1}})
    say(world, conversation, stream=True)
    say(world, conversation, "[[tool]] [[form]]")
    world.api.list(limit=5, order="asc")
    world.api.list_of_user("u")
    world.api.update(conversation, title="B")
    world.api.complete("Hi", fast=True, stream=True)
    world.api.metrics()
    world.api.delete(conversation)


@good
def meets_refusals(world: World) -> None:
    """A wrong body, a conversation that is gone: the API's answer to it is enough."""
    tried(world, "POST", "/conversations", {"title": 5})
    world.api.get("00000000-0000-4000-8000-000000000000")
    tried(world, "GET", "/config", headers={"Authorization": "Bearer sk_test_invalid"})


@good
def asks_the_same_twice_on_purpose(world: World) -> None:
    """No answer was lost: two conversations without a title are two."""
    first, second = world.api.created(), world.api.created()
    say(world, first)
    say(world, first)
    say(world, second)


@good
def retries_what_only_reads(world: World) -> None:
    for kind in ("reset", "malformed", "wrong_type", "truncate"):
        world.fault(kind, operation="apps_api_list_conversations")
        tried(world, "GET", "/conversations")
        tried(world, "GET", "/conversations")


@good
def retries_a_post_that_did_nothing(world: World) -> None:
    """503, and 502 from a proxy in between: no work was done."""
    world.fault("status", status=503)
    world.fault("wrong_type")
    for _ in range(3):
        create(world)


@good
def looks_before_it_creates_again(world: World) -> None:
    for kind in ("reset", "truncate", "malformed"):
        world.fault(kind, operation="apps_api_create_conversation")
        create(world, kind)
        world.api.list()
        create(world, kind)


@good
def looks_before_it_sends_again(world: World) -> None:
    conversation = world.api.created()
    world.fault("after", status=500, operation="apps_api_send_message")
    say(world, conversation)
    world.api.get(conversation)
    say(world, conversation)


@good
def takes_what_a_lost_answer_has_done(world: World) -> None:
    world.fault("after", status=502)
    create(world)
    conversation = world.api.list().json()["data"][0]["id"]
    say(world, conversation)


@good
def asks_for_a_completion_again(world: World) -> None:
    """A completion leaves nothing behind: twice is no double."""
    world.fault("after", status=502)
    world.api.complete("Hi")
    world.api.complete("Hi")


@good
def waits_as_the_app_tells_the_time(world: World) -> None:
    """A test that moves the app's clock instead of sleeping."""
    world.freeze(NOW)
    world.set(rate_limit={"per_minute": 1})
    conversation = world.api.created()
    say(world, conversation, "One")
    say(world, conversation, "Two")
    world.advance(60)
    say(world, conversation, "Two")


@good
def waits_longer_than_it_must(world: World) -> None:
    """The clock ran before: moving it stops it."""
    world.fault("status", status=503, headers={"Retry-After": "5"})
    world.api.config()
    world.advance(3_600)
    world.api.config()


@good
def may_come_again_at_once(world: World) -> None:
    world.fault("status", status=503, headers={"Retry-After": "0"})
    world.api.config()
    world.api.config()


@good
def does_something_else_while_it_waits(world: World) -> None:
    """A limit of messages is none of reading, and another worker's message may have been on its way."""
    world.set(rate_limit={"per_minute": 1})
    conversation = world.api.created()
    say(world, conversation, "One")
    say(world, conversation, "Two")
    world.api.get(conversation)
    say(world, conversation, "Another worker's")


@good
def aborts_on_purpose(world: World) -> None:
    """The user has pressed stop, and writes something else."""
    conversation = world.api.created()
    world.set(pace={"delta_ms": 600_000})
    leave(world, conversation, b"response.created")
    world.set(pace={"delta_ms": 0})
    say(world, conversation, "Something else")


@good
def aborts_often_but_can_read(world: World) -> None:
    conversation = world.api.created()
    say(world, conversation, stream=True)
    world.set(pace={"delta_ms": 600_000})
    for text in ("One", "Two", "Three"):
        leave(world, conversation, b"response.created", text)


@good
def gives_a_silent_stream_up(world: World) -> None:
    conversation = world.api.created()
    world.fault("stream_stall", ms=600_000, events=1_000)
    leave(world, conversation, b"response.output_text.done")
    world.api.get(conversation)


@good
def gives_up_waiting(world: World) -> None:
    world.fault("hang")
    give_up(world, "/conversations", {"title": "Once"})


@good
def stops_after_a_cut_stream(world: World) -> None:
    conversation = world.api.created()
    say(world, conversation, "[[cut]]", stream=True)


@good
def looks_after_a_cut_stream(world: World) -> None:
    conversation = world.api.created()
    for kind in ("stream_cut", "stream_garble"):
        world.fault(kind, operation="apps_api_send_message")
        say(world, conversation, kind, stream=True)
        world.api.get(conversation)
        say(world, conversation, f"{kind}, on")


@good
def goes_on_after_a_failure_that_it_was_told_of(world: World) -> None:
    """The reply failed and said so; what the user writes next is another message."""
    conversation = world.api.created()
    say(world, conversation, "[[fail]]", stream=True)
    say(world, conversation, "[[fail]]")
    world.fault("stream_fail")
    say(world, conversation, "Hello", stream=True)
    say(world, conversation, "Something else")


@good
def takes_an_id_from_an_answer_that_is_odd_elsewhere(world: World) -> None:
    world.fault("contract", path="created_at")
    answer = create(world)
    assert answer
    say(world, answer.json()["id"])


@good
def takes_an_odd_answer_for_an_answer(world: World) -> None:
    """It breaks the contract, and is there: the next create is another one."""
    world.fault("contract", path="created_at", times=2)
    create(world)
    create(world)


@good
def reads_every_framing_to_its_end(world: World) -> None:
    world.reply(*TEXT_THEN_TOOL, times=None)
    conversation = world.api.created()
    for framing in ("split", "crlf", "comments", "multiline"):
        world.set(framing=framing)
        say(world, conversation, framing, stream=True)


@pytest.mark.parametrize("client", GOOD, ids=lambda client: client.__name__)
def test_nothing_is_held_against_a_good_client(world: World, client: Callable[[World], object]) -> None:
    client(world)
    verdict = judged(world)
    assert (verdict["findings"], verdict["passed"], verdict["evicted"]) == ([], True, 0)
    assert verdict["requests"] == len(world.requests())
