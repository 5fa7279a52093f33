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
from sandbox.agent.directives import KNOWN
from sandbox.agent.language import detect
from sandbox.agent.turn import Prompt
from sandbox.reply import Message, Pace, Reply
from sandbox.rng import Entropy
from tests.agent.turns import NOW, profile
from tests.support.requirements import examples

SEEDS = range(12)


def answer(text: str, *, seed: int = 1, metadata: dict[str, Any] | None = None) -> Reply:
    return complete(
        Prompt(profile=profile(), here=Entropy(seed).at("completion"), now=NOW, text=text, metadata=metadata or {})
    )


def text(prompt: str, **about: Any) -> str:
    (item,) = answer(prompt, **about).output
    assert isinstance(item, Message)
    return item.text


# An instruction, what its answer looks like, and how long it may be.
KINDS = (
    ("Write a welcome message for {name}", r"(?i)welcome|hello|hi", 300),
    ("Écris un message de bienvenue", r"Bonjour|Bienvenue", 300),
    ("Summarize this conversation about my car insurance", r"car insurance", 400),
    ("Résume cette conversation sur ma facture d'électricité", r"facture d'électricité", 400),
    ("Write an email about my dental appointment", r"^Subject: .*\n\n(?:.|\n)*dental(?:.|\n)*Camille$", 900),
    ("Rédige un courriel pour ma livraison", r"^Objet\u00a0: .*\n\n(?:.|\n)*livraison(?:.|\n)*Camille$", 900),
    ("Suggest a value for the field city", r"^[^\n.!?]{2,20}$", 20),
    ("Remplis le champ courriel", r"^\S+@example\.com$", 40),
    ("Give me a list of 3 tips", r"^1\. .+\n2\. .+\n3\. [^\n]+$", 300),
    ("Donne-moi une liste de quatre conseils", r"^(?:(?:- |\d\. ).+\n){3}.+$", 400),
    (
        "Translate to French: Hello! How can I help you today?",
        r"^Bonjour! Comment puis-je vous aider aujourd'hui\?$",
        60,
    ),
    ("Traduis en anglais : Merci beaucoup. Bonne journée!", r"^Thank you very much\. Have a nice day!$", 60),
    ("Suggest a subject line for an email about my mobile plan", r"mobile plan", 70),
    ("Classify the sentiment: this is unacceptable", r"^negative$", 10),
    ("Classify as billing, technical or sales: my internet is down", r"^technical$", 12),
    ("Is it included? Answer yes or no", r"^Yes$", 3),
    ("Reply to this customer: I want to cancel my reservation", r"cancel", 400),
    ("What is a deductible?", r"deductible is", 300),
    ("Shorten this: the store is closed monday. It opens tuesday.", r"^The store is closed monday\.$", 40),
    (
        "Summarize: The furnace broke. It was very cold all night long. All is fine now.",
        r"^The furnace broke\. It was",
        80,
    ),
)


def test_an_instruction_is_followed(subtests: pytest.Subtests) -> None:
    for prompt, looks, longest in KINDS:
        with subtests.test(prompt=prompt, looks=looks, longest=longest):
            for seed in SEEDS:
                said = text(prompt, seed=seed)
                assert re.search(looks, said), said
                assert len(said) <= longest
                assert not re.search(r"[{}]|  ", said)


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


def test_the_first_name_is_used() -> None:
    assert "Zoé" in text("Write a welcome message", metadata={"first_name": "Zoé"})


def test_completions_vary_and_repeat() -> None:
    assert len({text("Write a welcome message", seed=seed) for seed in SEEDS}) > 2
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
    assert all(f"[[{word}]]" in text("[[nope]]") for word in KNOWN)


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
