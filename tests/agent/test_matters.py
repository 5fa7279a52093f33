"""What each topic has of its own: a price that fits it, answers to what people ask; and an end without a question."""

from __future__ import annotations

import re

import pytest

from sandbox.agent import matters, vocabulary
from sandbox.agent.directives import parse
from sandbox.agent.language import detect
from sandbox.agent.speech import question_of
from sandbox.agent.topics import TOPICS
from sandbox.agent.understood import HANDLERS
from tests.agent.turns import converse, say, text_of

NEXT = {"-", "none", "slot", "documents"}

ANSWERED = (
    # The answer is about what was asked
    ("I want to open a joint account. What do we need?", "Proof of address"),
    ("Can you raise the limit on my credit card?", "What limit would you like?"),
    ("Est-ce possible d'augmenter la limite de ma carte de crédit?", "Quelle limite aimeriez-vous?"),
    ("Are my glasses ready?", "date of birth"),
    # A price is one of the topic's
    ("How much does a new debit card cost?", "free"),
    ("Combien coûte un virement Interac?", "gratuits"),
    ("How much is a wine at the hotel? I mean a room at the hotel", "a night"),
    # Danger comes before all else
    ("There's a smell of gas in my basement", "call 911"),
    ("Il y a une odeur de gaz dans mon sous-sol", "appelez le 911"),
    # A time of day beside a complaint is no wish
    ("My brakes squeak in the morning, is it dangerous?", "rust"),
)

ENDS = ("Thanks, that's all!", "That's all, thanks", "Perfect, that's all", "thanks, bye")
FINS = ("Merci, c'est tout!", "parfait, c'est tout", "Merci, bonne journée!", "non merci, ce sera tout")


def test_every_topic_has_a_price_of_its_own_unless_its_business_has_one_for_all() -> None:
    assert [topic for topic in TOPICS if not matters.matter(topic).price] == ["telecom.plan"]


def test_facts_are_about_topics_that_there_are() -> None:
    businesses = vocabulary.businesses()
    named = [f"{business}.{row[2:]}" for business in businesses for row in vocabulary.lines(f"matters/{business}")]
    assert named
    assert set(named) <= TOPICS.keys()


def test_facts_are_said_in_both_languages_and_lead_on(subtests: pytest.Subtests) -> None:
    for topic in TOPICS:
        with subtests.test(topic=topic):
            known = matters.matter(topic)
            for told in (*known.replies, *filter(None, (known.price,))):
                assert (detect(told.english, "en"), detect(told.french, "fr")) == ("en", "fr")
                assert set(re.findall(r"{(\w+)}", told.english)) == set(re.findall(r"{(\w+)}", told.french))
                assert told.after in NEXT or told.after.removeprefix("=") in HANDLERS


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_question_of_a_topic_is_understood_when_it_is_answered(lang: str) -> None:
    for kind, question in matters.questions("en" if lang == "en" else "fr"):
        assert question.endswith("?")
        assert question_of(f"… {question}") == kind, question


@pytest.mark.parametrize(("message", "part"), ANSWERED)
def test_what_is_asked_is_what_is_answered(message: str, part: str) -> None:
    assert part in say(message)


@pytest.mark.parametrize("end", ENDS)
def test_thanks_that_end_are_answered_without_a_question(end: str) -> None:
    assert "?" not in text_of(converse(["How much is an oil change?", end])[1])


@pytest.mark.parametrize("end", FINS)
def test_thanks_that_end_are_answered_without_a_question_in_french(end: str) -> None:
    assert "?" not in text_of(converse(["Combien coûte une vidange?", end])[1])


def test_an_amount_that_was_named_is_the_one_that_is_refunded() -> None:
    answers = converse(["There's an error on our restaurant bill, we paid $85 twice", "It's under Tremblay, 48213"])
    assert "**$85**" in text_of(answers[1])


def test_a_time_that_was_offered_can_be_taken_after_a_price() -> None:
    answers = converse(["my water heater is leaking", "how much will it cost?", "the first one"])
    assert re.search(r"March \d+ at", text_of(answers[2]))


def test_a_number_that_the_metadata_have_is_not_asked_for() -> None:
    assert "order number?" not in say("The lamp arrived broken", metadata={"order_number": "CM-55120"})


def test_the_day_that_does_not_suit_is_not_offered_again() -> None:
    assert "March 6" not in say("I need to move my viewing on Friday")


def test_a_word_said_very_often_is_read_once() -> None:
    assert parse("[[x]]" * 180_000).unknown == ("[[x]]",)


def test_of_very_many_words_ten_are_listed() -> None:
    assert len(parse("".join(f"[[x{number}]]" for number in range(100_000))).unknown) == 10
