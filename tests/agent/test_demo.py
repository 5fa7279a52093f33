"""The conversations of the demo app: what their users did, when, and in which language."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

from sandbox.agent import language
from sandbox.agent.demo import DAYS, Draft, conversations
from sandbox.agent.turn import Profile, Tool
from sandbox.agent.writer import DAY
from sandbox.rng import Entropy

NOW = 1_780_000_000
TOOLS = (
    Tool(name="book_appointment", kind="mapping", when=("appointment", "rendez-vous")),
    Tool(name="transfer_to_agent", kind="client", when=("real person", "vraie personne")),
    Tool(name="play_song", kind="client", when=("trombone solo", "solo de trombone")),
)


def drafts(
    seed: int = 1, *, count: int = 400, messages: int | None = None, users: int = 40, tools: tuple[Tool, ...] = TOOLS
) -> list[Draft]:
    profile = Profile(name="Camille", tools=tools, generative_ui=True)
    drawn = conversations(Entropy(seed), now=NOW, profile=profile, conversations=count, messages=messages, users=users)
    return list(drawn)


def test_there_are_as_many_as_asked_for_the_oldest_first_over_thirty_days() -> None:
    created = [draft.created_at for draft in drafts()]
    assert len(created) == 400
    assert created == sorted(created)
    assert NOW - (DAYS + 1) * DAY < created[0] < NOW - 28 * DAY
    assert NOW - 2 * DAY < created[-1] <= NOW


@pytest.mark.parametrize("messages", [None, 1, 7, 200])
def test_time_never_goes_back_nor_past_now(messages: int | None) -> None:
    for draft in drafts(count=60, messages=messages):
        times = [draft.created_at]
        for exchange in draft.exchanges:
            times += [exchange.at] if exchange.answered_at is None else [exchange.at, exchange.answered_at]
        assert all(earlier <= later for earlier, later in pairwise([*times, NOW]))


@pytest.mark.parametrize("messages", range(6))
def test_a_number_of_messages_is_kept_the_last_of_an_odd_one_unanswered(messages: int) -> None:
    for draft in drafts(count=30, messages=messages):
        answered = [exchange.answered_at is not None for exchange in draft.exchanges]
        assert len(answered) + sum(answered) == messages
        assert all(answered[:-1])


def test_without_a_number_conversations_are_as_long_as_people_make_them() -> None:
    lengths = {len(draft.exchanges) for draft in drafts()}
    assert lengths == set(range(7))


def test_every_user_writes_and_both_languages_are_written() -> None:
    drawn = drafts()
    assert len({draft.external_user_id for draft in drawn}) == 40
    told = [language.detect(exchange.text) for draft in drawn for exchange in draft.exchanges]
    assert 0.3 < told.count("fr") / len(told) < 0.7


def test_without_users_conversations_belong_to_nobody() -> None:
    assert {draft.external_user_id for draft in drafts(count=20, users=0)} == {None}


def test_some_are_titled_some_not_some_deleted_some_named_by_the_app() -> None:
    drawn = drafts(count=200)
    assert {draft.titled for draft in drawn} == {draft.deleted for draft in drawn} == {True, False}
    assert all(draft.titled == any(exchange.answered_at for exchange in draft.exchanges) for draft in drawn)
    assert 5 < sum(draft.title is not None for draft in drawn) < 80


def test_metadata_tells_who_writes() -> None:
    keys = {key for draft in drafts() for key in draft.metadata}
    assert keys == {"first_name", "plan_type", "city", "language"}
    spoken = {draft.external_user_id: draft.metadata.get("language") for draft in drafts() if draft.metadata}
    assert {None, "en-ca", "fr-ca"} == set(spoken.values())


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_is_called_by_some_message(tool: Tool) -> None:
    texts = [exchange.text.lower() for draft in drafts() for exchange in draft.exchanges]
    assert any(word in text for text in texts for word in tool.when)


def test_messages_are_filled_in_typed_by_hand_and_seldom_repeated() -> None:
    for draft in drafts():
        texts = [exchange.text for exchange in draft.exchanges]
        assert not [text for text in texts if not text or "{" in text or "  " in text or "\u00a0" in text]
        assert len(set(texts)) >= len(texts) - 1


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_other_processes_write_the_same(hash_seed: str) -> None:
    program = (
        "from sandbox.agent.demo import conversations; from sandbox.agent.turn import Profile\n"
        "from sandbox.rng import Entropy\n"
        "profile = Profile(name='Camille', tools=(), generative_ui=True)\n"
        f"print(list(conversations(Entropy(1), now={NOW}, profile=profile, conversations=48, messages=None, users=9)))"
    )
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == repr(drafts(count=48, users=9, tools=()))
