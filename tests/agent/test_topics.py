"""Topics: enough of them, named in whole phrases, and found in what people write."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent import slots, vocabulary
from sandbox.agent.topics import TOPICS, detect
from sandbox.rng import Entropy

TABLE = (
    # Plain wishes in both languages
    ("I'd like a quote for car insurance", "insurance.auto_quote"),
    ("Je voudrais une soumission pour assurer ma maison", "insurance.home_quote"),
    ("mon vol a été retardé", "travel.compensation"),
    ("Où est ma commande?", "retail.order"),
    ("I lost my debit card", "banking.card"),
    # Without accents, in capitals, with mistakes around
    ("REPARATION DE LA SECHEUSE", "home_services.appliance"),
    ("j'ai perdu ma carte de debit!!!", "banking.card"),
    ("my dishwahser ... the dishwasher leaks", "home_services.appliance"),
    # Plurals, gaps and words in between
    ("changer mes quatre vieux pneus", "automotive.tires"),
    ("cancel my home and car insurance", "insurance.cancellation"),
    # The same word means other things elsewhere
    ("table for two", "restaurant.reservation"),
    ("table on the patio", "restaurant.patio"),
    ("the internet technician never came", "telecom.installation"),
    # Nothing to be told
    ("hello", None),
    ("combien ça coûte?", None),
    ("I want to speak to a human", None),
    ("", None),
    ("🙂", None),
)


def test_ten_businesses_have_twelve_topics_each() -> None:
    sizes = Counter(topic.business for topic in TOPICS.values())
    assert len(sizes) >= 10
    assert min(sizes.values()) >= 12


def test_a_topic_is_said_in_whole_phrases(subtests: pytest.Subtests) -> None:
    for name, topic in TOPICS.items():
        with subtests.test(name):
            assert topic.id == f"{topic.business}.{topic.id.partition('.')[2]}"
            assert topic.about_en.startswith("your ")
            assert re.match(r"vo(?:tre|s) \w", topic.about_fr)
            assert re.match(r"de vo(?:tre|s) \w", topic.of_fr)
            assert not re.search(
                r"\b(?:le|la|du|de la) [aeéèiouyh]|\bde les?\b|  ", f"{topic.the_fr} {topic.of_the_fr}"
            )


def test_a_topic_is_found_by_its_own_name(subtests: pytest.Subtests) -> None:
    for name, topic in TOPICS.items():
        with subtests.test(name):
            for phrase in (topic.about_en, topic.about_fr):
                found = detect(phrase, {})
                assert found is not None
                assert found.business == topic.business


def test_a_text_shows_its_topic(subtests: pytest.Subtests) -> None:
    for text, topic in TABLE:
        with subtests.test(text=text, topic=topic):
            found = detect(text, {})
            assert (found and found.id) == topic


def test_nearly_every_first_message_of_the_demo_shows_its_own_topic() -> None:
    rows = list(_first_messages())
    wrong = [(topic, text) for topic, text in rows if (found := detect(text, {})) is None or found.id != topic]
    assert len(wrong) / len(rows) < 0.02, wrong


@pytest.mark.parametrize(
    ("metadata", "topic"),
    [
        ({"plan_type": "term_life", "first_name": "John"}, "insurance.life"),
        ({"planType": "term_life"}, "insurance.life"),
        ({"order_id": "A-1042"}, "retail.order"),
        ({"service": "Déneigement"}, "home_services.snow_removal"),
        # How much somebody bought, who they are and where they live tell nothing
        ({"plan": "premium"}, None),
        ({"first_name": "Claire", "last_name": "Banks", "city": "Piano"}, None),
        ({"plan_type": None, "score": 3, "nested": {"dentist": True}}, None),
        ({}, None),
    ],
)
def test_metadata_shows_the_topic(metadata: dict[str, object], topic: str | None) -> None:
    found = detect("hello", metadata)
    assert (found and found.id) == topic


def test_a_message_outweighs_metadata() -> None:
    found = detect("change my dentist appointment", {"plan_type": "term_life"})
    assert found is not None
    assert found.id == "clinic.dentist"


@given(st.text(max_size=400), st.dictionaries(st.text(max_size=20), st.none() | st.text(max_size=40), max_size=3))
def test_any_text_is_read_alike_twice(text: str, metadata: dict[str, str | None]) -> None:
    assert detect(text, metadata) is detect(text, metadata)


def _first_messages() -> list[tuple[str, str]]:
    pools: dict[str, tuple[slots.Value, ...]] = {"past": (("March 3", "3 mars"),), "soon": (("March 9", "9 mars"),)}
    pools |= {"nextmonth": (("May", "mai", "de mai"),), "lastmonth": (("April", "avril", "d'avril"),)}
    rows = []
    for business in vocabulary.businesses():
        for heading, texts in vocabulary.lines(f"messages/{business}").items():
            for spoken, text in texts:
                parts = slots.places(text)
                names = {part.partition(".")[0] for part in parts[1::2]}
                random = Entropy(1).random(text)
                values = {name: slots.draw(name, random, {**slots.shared(), **pools}) for name in sorted(names)}
                rows.append((f"{business}.{heading[2:]}", slots.fill(parts, values, 0 if spoken == "en" else 1)))
    return rows
