"""A whole conversation per topic and language, one file a business, that a person can read.

Each opens with what people write about the topic, goes on with a question and ends with thanks. Set
SANDBOX_UPDATE_CONVERSATIONS to write the files anew; then read them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.agent import slots, vocabulary
from sandbox.agent.topics import TOPICS
from tests.agent.turns import converse, rendered

FOLDER = Path(__file__).with_name("topics")
BUSINESSES = sorted({topic.business for topic in TOPICS.values()})
UPDATE = "SANDBOX_UPDATE_CONVERSATIONS"
NEXT = {"en": ["How much does it cost?", "Thanks, that's all!"], "fr": ["Combien ça coûte?", "Merci, c'est tout!"]}
# What stands in a message's places here, in both languages; the demo's writer draws them.
FILLED: dict[str, slots.Value] = {
    "city": ("Laval", "Laval"),
    "day": ("Friday", "vendredi"),
    "past": slots.date(2, 20),
    "soon": slots.date(3, 12),
    "lastmonth": ("January", "janvier", "de janvier"),
    "nextmonth": ("May", "mai", "de mai"),
    "amount": slots.money(85_00),
    "small": slots.money(11_95),
    "monthly": slots.money(24_00),
    "thousands": slots.money(12_000_00),
    "used": slots.money(18_000_00),
    "percent": ("6%", "6 %"),
    "number": ("48213", "48213"),
    "party": ("4", "4"),
    "many": ("25", "25"),
    "car": ("2021 Corolla", "Corolla 2021"),
}


def openers(business: str) -> Iterator[tuple[str, str, str]]:
    """Yield for each topic and language the first message that people write about it."""
    for heading, lines in vocabulary.lines(f"messages/{business}").items():
        seen: set[str] = set()
        for language, text, *_ in lines:
            if language not in seen:
                seen.add(language)
                written = slots.fill(slots.places(text), FILLED, ("en", "fr").index(language))
                yield heading.removeprefix("# "), language, written.replace(vocabulary.NO_BREAK, " ")


def transcripts(business: str) -> str:
    parts: list[str] = []
    for topic, language, opener in openers(business):
        messages = [opener, *NEXT[language]]
        seed = f"{business}.{topic}.{language}"
        answers = converse(messages, metadata={"first_name": "Alex"}, seed=seed)
        parts.append(f"=== {seed}")
        for message, answer in zip(messages, answers, strict=True):
            parts += [f"> {message}", rendered(answer)]
    return "\n\n".join(parts) + "\n"


def test_every_topic_has_a_conversation_in_both_languages(subtests: pytest.Subtests) -> None:
    for business in BUSINESSES:
        with subtests.test(business=business):
            told = {(topic, language) for topic, language, _ in openers(business)}
            topics = {topic.id.split(".", 1)[1] for topic in TOPICS.values() if topic.business == business}
            assert {(topic, language) for topic in topics for language in ("en", "fr")} <= told


def test_a_conversation_about_a_topic_reads_as_it_was_approved(subtests: pytest.Subtests) -> None:
    for business in BUSINESSES:
        with subtests.test(business=business):
            path = FOLDER / f"{business}.txt"
            if os.environ.get(UPDATE):
                path.write_text(transcripts(business), encoding="utf-8")
            assert transcripts(business) == path.read_text(encoding="utf-8")
