"""The conversations of an app that has been used: what its customers did, when, and in which language."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

from sandbox.agent.businesses import NAMES, business
from sandbox.agent.demo import DAY, DAYS, Draft, conversations, written
from sandbox.agent.text import detect
from sandbox.agent.titles import MAX_TITLE
from sandbox.agent.turn import Ledger
from sandbox.rng import Entropy

NOW = 1_780_000_000


def drafts(seed: int = 1, *, count: int = 400, messages: int | None = None, users: int = 40) -> list[Draft]:
    drawn = conversations(
        Entropy(seed), now=NOW, business_name="banking", conversations=count, messages=messages, users=users
    )
    return list(drawn)


def test_there_are_as_many_as_asked_for_the_oldest_first_over_thirty_days() -> None:
    created = [draft.start.at for draft in drafts()]
    assert len(created) == 400
    assert created == sorted(created)
    assert NOW - (DAYS + 1) * DAY < created[0] < NOW - 28 * DAY
    assert NOW - 2 * DAY < created[-1] <= NOW


@pytest.mark.parametrize("messages", [None, 1, 7, 200])
def test_time_never_goes_back_nor_past_now(messages: int | None) -> None:
    for draft in drafts(count=60, messages=messages):
        times = [draft.start.at, *(at for pair in draft.times(NOW) for at in pair)]
        assert all(earlier <= later for earlier, later in pairwise([*times, NOW]))


@pytest.mark.parametrize("messages", range(6))
def test_a_number_of_messages_is_kept_the_last_of_an_odd_one_unanswered(messages: int) -> None:
    for draft in drafts(count=30, messages=messages):
        assert 2 * draft.start.exchanges - draft.start.unanswered == messages


def test_without_a_number_conversations_are_as_long_as_people_make_them() -> None:
    assert {draft.start.exchanges for draft in drafts()} == set(range(7))


def test_every_user_writes_and_both_languages_are_written() -> None:
    drawn = drafts()
    assert len({draft.user.id for draft in drawn}) == 40
    told = [draft.user.lang for draft in drawn]
    assert 0.3 < told.count("fr") / len(told) < 0.7


def test_without_users_conversations_belong_to_nobody() -> None:
    assert not any(draft.known for draft in drafts(count=20, users=0))


def test_some_are_deleted_and_some_named_by_the_app() -> None:
    drawn = drafts(count=200)
    assert {draft.deleted for draft in drawn} == {True, False}
    assert 5 < sum(draft.title is not None for draft in drawn) < 80


def test_metadata_tells_who_writes() -> None:
    keys = {key for draft in drafts() for key in draft.metadata}
    assert keys == {"first_name", "city", "language"}


@pytest.mark.parametrize("name", NAMES)
def test_customers_write_what_their_business_knows_in_their_language(name: str) -> None:
    samples = {text for entry in business(name).entries.values() for side in entry.samples for text in side[:1]}
    for draft in conversations(Entropy(2), now=NOW, business_name=name, conversations=20, messages=None, users=0):
        if draft.user.careless or draft.user.plain:
            continue
        text = draft.customer.writes(Ledger(), last=False)
        assert text in samples
        assert detect(text, draft.user.lang) == draft.user.lang, text


def test_the_demo_app_is_written_by_hand_in_both_languages() -> None:
    shown = list(written())
    assert 30 <= len(shown) <= 40
    assert 0.3 < sum(each.metadata["language"] == "fr-ca" for each in shown) / len(shown) < 0.7
    assert [
        each.title for each in shown if max(map(len, each.title)) > MAX_TITLE or each.title.en == each.title.fr
    ] == []
    assert {mark for each in shown for mark, _ in each.lines} <= {">", "<", "!"}
    assert [
        text
        for each in shown
        for mark, text in each.lines
        if mark != "!"
        if "  " in text or "{" in text or not text.strip()
    ] == []


def test_other_processes_write_the_same() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.agent.digest"],
        env={"PYTHONHASHSEED": "4242"},
        capture_output=True,
        text=True,
        check=True,
    )
    from tests.agent.digest import digest

    assert told.stdout.strip() == digest()
