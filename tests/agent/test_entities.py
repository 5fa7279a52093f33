"""What a person tells in a message: names, numbers, addresses, amounts; and what answers a question."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent.entities import answer_to, is_private, known, told

TODAY = date(2026, 3, 2)

# What is written, and what it tells.
TOLD: tuple[tuple[str, dict[str, str]], ...] = (
    ("hello there", {}),
    ("call me at 514-555-0142", {"phone": "514-555-0142"}),
    ("au (418) 555-0142 svp", {"phone": "(418) 555-0142"}),
    ("438 555 0142", {"phone": "438 555 0142"}),
    ("write to jo.tremblay@example.com.", {"email": "jo.tremblay@example.com"}),
    ("Yes, postal code H2X 1Y4", {"postal": "H2X 1Y4"}),
    ("mon code postal est j4k3t8", {"postal": "J4K 3T8"}),
    ("order CM-4471", {"ref": "CM-4471"}),
    ("my booking K9PZ4T", {"ref": "K9PZ4T"}),
    ("ma commande no 558213", {"ref": "558213"}),
    ("since 2024", {}),  # a year is no number of anything
    ("you charged me $1,042.50", {"amount": "$1,042.50"}),
    ("vous avez chargé 1 042,50 $", {"amount": "1 042,50 $"}),
    ("80$ au lieu de 60$", {"amount": "80$"}),
    ("a table for 4", {"party": "4"}),
    ("on serait 8", {"party": "8"}),
    ("12 personnes samedi", {"party": "12"}),
    ("for 3 weeks", {}),
    ("pour 19 h", {}),
    ("My name is Zoé Tremblay", {"name": "Zoé Tremblay"}),
    ("au nom de Gagné", {"name": "Gagné"}),
    ("je m'appelle Marie-Ève Roy", {"name": "Marie-Ève Roy"}),
    ("It's Monday", {}),  # no name
    ("the address is 88 Fern Avenue", {"address": "88 Fern Avenue"}),
    ("245, rue Hart, Trois-Rivières", {"address": "245, rue Hart, Trois-Rivières"}),
)


def test_what_is_told_is_found(subtests: pytest.Subtests) -> None:
    for text, wanted in TOLD:
        with subtests.test(text):
            assert {slot: value for slot, value in told(text).items() if slot != "last4"} == wanted


# The slot that was asked, the message, what it answers.
ANSWERS: tuple[tuple[str, str, str | None], ...] = (
    ("ref", "4471", "4471"),
    ("ref", "it's AB-229104", "AB-229104"),
    ("ref", "I don't have it", None),
    ("ref", "lol what", None),
    ("last4", "2207", "2207"),
    ("last4", "ça finit par 2207", "2207"),
    ("name", "Priya Patel", "Priya Patel"),
    ("name", "it's for luc côté", "Luc Côté"),
    ("name", "au nom de Gagné", "Gagné"),
    ("name", "what do you need it for?", None),
    ("phone", "514-555-0142 please", "514-555-0142"),
    ("phone", "no", None),
    ("email", "zoe@example.com", "zoe@example.com"),
    ("postal", "Oui, code postal H2X 1Y4", "H2X 1Y4"),
    ("postal", "Is water damage included?", None),
    ("address", "4512 Maple Street, apartment 3", "4512 Maple Street, apartment 3"),
    ("address", "8800 boulevard Lévesque", "8800 boulevard Lévesque"),
    ("address", "why?", None),
    ("amount", "8000", "8000"),
    ("amount", "250 $", "250 $"),
    ("party", "8", "8"),
    ("party", "we'd be 12", "12"),
    ("party", "not sure yet", None),
    ("date", "yesterday", "2026-03-01"),
    ("date", "le 20 février", "2026-02-20"),
    ("date", "tomorrow", "2026-03-03"),
    ("date", "no idea", None),
)


def test_answers_are_read(subtests: pytest.Subtests) -> None:
    for slot, text, wanted in ANSWERS:
        with subtests.test(slot=slot, text=text):
            assert answer_to(slot, text, TODAY) == wanted


@pytest.mark.parametrize(
    ("text", "private"),
    [
        *(("4532 0151 1283 0366", True), ("my card is 4532-0151-1283-0366 exp 02/28", True)),
        *(("mon NAS est 046 454 286", True), ("my SIN: 046-454-286", True)),
        *(("514-555-0142", False), ("order 100234", False), ("1 042,50 $", False), ("2026-03-03 14:30", False)),
    ],
)
def test_cards_and_insurance_numbers_are_private(text: str, *, private: bool) -> None:
    assert is_private(text) == private


@pytest.mark.parametrize(
    ("slot", "metadata", "wanted"),
    [
        ("name", {"first_name": "Zoé", "last_name": "Roy"}, "Zoé Roy"),
        ("email", {"courriel": "z@example.com"}, "z@example.com"),
        ("phone", {"mobile": "514-555-0142"}, "514-555-0142"),
        ("postal", {"code_postal": "H2X 1Y4"}, "H2X 1Y4"),
        ("ref", {"policy_number": "AB-1"}, "AB-1"),
        ("ref", {"order_id": 4471}, "4471"),
        ("ref", {"order_total": "41"}, None),
        ("name", {"first_name": ""}, None),
        ("email", {"email": ["z@example.com"]}, None),
        ("phone", {"phone": True}, None),
        ("address", {"address": "x\ny"}, None),
    ],
)
def test_metadata_tells(slot: str, metadata: dict[str, Any], wanted: str | None) -> None:
    assert known(slot, metadata) == wanted


@given(st.text(max_size=300))
def test_any_text_tells_something_or_nothing(text: str) -> None:
    assert all(isinstance(value, str) and value for value in told(text).values())
    for slot in ("ref", "last4", "name", "phone", "email", "postal", "address", "amount", "party", "date"):
        found = answer_to(slot, text, TODAY)
        assert found is None or found.strip()
