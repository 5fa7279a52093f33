"""Listening: what is tried at few words is heard as if it were tried at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.agent import vocabulary
from sandbox.agent.text import Listener, fold, kind_of, said

ROWS = [
    (heading[2:], " | ".join(row[1:]))
    for heading, rows in vocabulary.lines("safety").items()
    for row in rows
    if row[0] == "when"
]
LISTENER = Listener(ROWS)
TEXTS = [
    line.rpartition(" | ")[2]
    for line in Path(__file__).with_name("distress.txt").read_text("utf-8").splitlines()
    if not line.startswith("# ")
]
# What stands before and after a message, as hurried or hostile people write.
AROUND = ("{}", "...{}!!", "hello,{} ok", "🛑 {}", "_{}", "don't'{}'")


@pytest.mark.parametrize("around", AROUND)
def test_a_listener_hears_what_one_expression_of_all_patterns_finds(around: str) -> None:
    patterns = [(name, re.compile(rf"\b(?=[\w'])(?:{pattern})")) for name, pattern in ROWS]
    wrong = []
    for text in (fold(around.format(text)) for text in TEXTS):
        bare = re.sub(r"^\W+", "", text)
        if LISTENER.heard(text) != {name for name, pattern in patterns if pattern.search(bare)}:
            wrong.append(text)
    assert wrong == []


def test_the_kind_of_a_question_is_the_most_telling_one() -> None:
    asked = {
        "how much is it, and when?": "price",
        "c'est où?": "where",
        "Bonjour, ou est mon colis": "where",
        "combien de temps ça prend": "howlong",
        "thanks": None,
    }
    assert {text: kind_of(text) for text in asked} == asked


def test_refusals_and_corrections_are_said_in_both_languages() -> None:
    said_of = {"I don't have it": "refusal", "j'ai pas ça": "refusal", "c'est pas ça": "correction"}
    assert [text for text, name in said_of.items() if name not in said(text)] == []
