"""Titles: pairs of an app's business, made anew about the first exchange, told by title or metadata."""

from __future__ import annotations

import re
from random import Random

import pytest

from sandbox.agent import titles
from sandbox.agent.businesses import NAMES, business
from sandbox.agent.titles import MAX_TITLE
from sandbox.rng import Entropy

AMOUNT = re.compile(r"\$|%")
TELLING = re.compile(
    r"\d|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


def of(name: str, message: str, **known: object) -> tuple[str, str]:
    metadata = {key: value for key, value in known.items() if key != "title"}
    title = known.get("title")
    assert title is None or isinstance(title, str)
    return tuple(titles.of_exchange(name, message=message, metadata=metadata, title=title))  # type: ignore[return-value]


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_is_born_with_a_title_of_its_business(name: str) -> None:
    pairs = [titles.provisional(Entropy(1).at("c", number), name) for number in range(300)]
    assert len(set(pairs)) > (20 if name == "general" else 60)
    assert [pair for pair in pairs if max(map(len, pair)) > MAX_TITLE or not all(pair)] == []
    assert [pair for pair in pairs if AMOUNT.search(f"{pair.en} {pair.fr}")] == []
    assert [pair for pair in pairs if "{" in pair.en + pair.fr or "  " in pair.en + pair.fr] == []
    assert sum(bool(TELLING.search(pair.en)) for pair in pairs) <= len(pairs) / 4


@pytest.mark.parametrize("name", NAMES)
def test_a_first_message_gets_the_title_of_its_entry(name: str) -> None:
    """A first sample may touch a neighbour; the title is then that of the likelier of the two."""
    known = business(name)
    wrong = [
        (entry.id, lang)
        for entry in known.entries.values()
        if entry.title and entry.topic
        for lang, side in zip(("en", "fr"), entry.samples, strict=True)
        if of(name, side[0]) != tuple(entry.title)
    ]
    assert len(wrong) <= len(known.entries) / 8, wrong


@pytest.mark.parametrize(
    ("message", "english"),
    [
        ("My father passed away last week", "Bereavement"),
        ("delete my data please, it's Law 25", "Personal information"),
        ("you will hear from my lawyer", "Formal complaint"),
        ("unsubscribe", "Unsubscribe request"),
        ("my house is on fire", "Urgent situation"),
        ("hello", "Just saying hello"),
        ("???", "Request to clarify"),
        ("how much is a unicorn", "Question about prices"),
    ],
)
def test_what_is_no_matter_of_the_business_is_named_for_what_it_is(message: str, english: str) -> None:
    assert of("banking", message)[0] == english


@pytest.mark.parametrize(
    ("known", "english"),
    [
        ({"title": "Mortgage renewal"}, "Mortgage renewal"),
        ({"subject": "My debit card was declined"}, "Declined debit card"),
        ({"topic": "mortgage"}, "Mortgage pre-approval"),
        ({"product_interest": ["mortgage", "credit_card"]}, "Mortgage pre-approval"),
        ({"first_name": "Zoé", "plan_type": "gold"}, None),
        ({"title": "   "}, None),
    ],
)
def test_title_and_metadata_may_tell_the_topic(known: dict[str, object], english: str | None) -> None:
    title = known.pop("title", None)
    assert title is None or isinstance(title, str)
    pair = titles.of_topic("banking", known, title)
    assert (pair and pair.en) == english


def test_special_words_are_no_title() -> None:
    assert of("banking", "[[slow]] my debit card was declined")[0] == "Declined debit card"


def test_the_same_seed_draws_the_same() -> None:
    one = [titles.draw(Random(7), name) for name in NAMES]
    assert one == [titles.draw(Random(7), name) for name in NAMES]


def test_faker_draws_pairs_from_its_own_seed() -> None:
    from faker import Faker

    def drawn() -> list[tuple[str, str]]:
        faker = Faker()
        faker.add_provider(titles.provider())
        faker.seed_instance(5)
        return [faker.title_pair() for _ in range(20)]

    assert drawn() == drawn()
    assert len(set(drawn())) > 10
