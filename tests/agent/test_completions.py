"""Completions: one text that follows the kind of the instruction, in its language, at a sensible length."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.agent.completions import complete
from sandbox.agent.text import detect
from sandbox.agent.turn import SPECIAL_WORDS, Prompt
from sandbox.reply import Message, Pace, Reply
from sandbox.rng import Entropy
from tests.agent.turns import NOW, profile
from tests.support.requirements import examples

SEEDS = range(12)


def answer(text: str, *, seed: int = 1, metadata: dict[str, Any] | None = None) -> Reply:
    return complete(
        Prompt(
            profile=profile("banking"), here=Entropy(seed).at("completion"), now=NOW, text=text, metadata=metadata or {}
        )
    )


def text(prompt: str, **about: Any) -> str:
    (item,) = answer(prompt, **about).output
    assert isinstance(item, Message)
    return item.text


# An instruction, what its answer looks like, and how long it may be.
KINDS = (
    ("Write a welcome message for {name}", r"(?i)welcome|hello|hi", 300),
    ("Écris un message de bienvenue", r"Bonjour|Bienvenue", 300),
    ("Suggest a value for the field city", r"^[^\n.!?]{2,20}$", 20),
    ("Remplis le champ courriel", r"^\S+@example\.com$", 40),
    ("Give me a list of 3 services", r"^- .+\n- .+\n- [^\n]+$", 300),
    ("Donne-moi une liste de quatre services", r"^(?:- .+\n){3}- .+$", 400),
    (
        "Translate to French: Hello! How can I help you today?",
        r"^Bonjour! Comment puis-je vous aider aujourd'hui\?$",
        60,
    ),
    ("Traduis en anglais : Merci beaucoup. Bonne journée!", r"^Thank you very much\. Have a nice day!$", 60),
    ("Translate to French: Declined debit card", r"^Carte de débit refusée$", 40),
    ("Repeat exactly: order 4471 is late", r"^order 4471 is late$", 40),
    ("Répète exactement : la commande 4471", r"^la commande 4471$", 40),
    ("Summarize this conversation about my boat licence", r"your boat licence", 500),
    ("Résume cette conversation sur ma motoneige", r"votre motoneige", 500),
)


def test_an_instruction_is_followed_or_answered_on_its_own_noun(subtests: pytest.Subtests) -> None:
    for prompt, looks, longest in KINDS:
        with subtests.test(prompt=prompt, looks=looks, longest=longest):
            for seed in SEEDS:
                said = text(prompt, seed=seed)
                assert re.search(looks, said), said
                assert len(said) <= longest
                assert not re.search(r"[{}]|  |None", said)


@pytest.mark.parametrize(
    ("prompt", "lang"),
    [
        ("Write a welcome message in French", "fr"),
        ("Écris un courriel de suivi en anglais", "en"),
        ("Rédige un texte sur nos services de déneigement", "fr"),
        ("Write about snow removal", "en"),
        ("Résume en anglais cette demande", "en"),
    ],
)
def test_the_answer_is_in_the_language_that_is_wanted(prompt: str, lang: str) -> None:
    for seed in SEEDS:
        said = text(prompt, seed=seed)
        assert detect(said, "en" if lang == "fr" else "fr") == lang, said


def test_metadata_decides_where_the_prompt_has_no_language() -> None:
    assert detect(text("42", metadata={"language": "fr"}), "en") == "fr"


def test_json_has_the_keys_that_were_named() -> None:
    said = json.loads(text('Return JSON with keys "city", "email" and "urgent"', metadata={"city": "Laval"}))
    assert said.keys() == {"city", "email", "urgent"}
    assert said["city"] == "Laval"
    assert len(json.loads(text("Return only a JSON array of 3 service names"))) == 3


def test_the_first_name_is_used() -> None:
    assert "Zoé" in text("Write a welcome message", metadata={"first_name": "Zoé"})


def test_completions_vary_and_repeat() -> None:
    assert len({text("Write a welcome message", seed=seed) for seed in SEEDS}) > 1
    assert text("Write a welcome message") == text("Write a welcome message")


# Special words


@pytest.mark.parametrize("word", ["tool", "form", "human"])
def test_tools_forms_and_people_have_no_effect(word: str) -> None:
    assert text(f"[[{word}]] Write a welcome message") == text("Write a welcome message")


def test_the_other_words_act() -> None:
    assert answer("[[fail]] hello").failure
    assert answer("[[fail]] hello").output == ()
    assert answer("[[slow 7]] hello").pace == Pace(first_ms=7, delta_ms=100)
    assert answer("[[cut]] hello").cut
    assert text("[[echo]]  as it is [[cut]]") == " as it is [[cut]]"
    assert len(text("[[long 40]]").split()) == 40
    assert "- [x]" in text("[[markdown]]")
    assert "\u200d" in text("[[unicode]]")
    assert all(f"[[{word}]]" in text("[[nope]]") for word in SPECIAL_WORDS)


# Hostile prompts


@given(st.text(min_size=1))
@settings(max_examples=examples(200, quick=50))
def test_any_prompt_is_answered(prompt: str) -> None:
    assert len(answer(prompt).output) == 1 or answer(prompt).failure


@pytest.mark.parametrize("unit", ["a", "summarize ", "list: ", '"a" json ', "as a, ", "«", "translate to french: a."])
def test_a_long_prompt_is_answered_fast(unit: str) -> None:
    prompt = (unit * 32_000)[:32_000]
    started = time.process_time()
    assert answer(prompt).output
    assert time.process_time() - started < 0.5
