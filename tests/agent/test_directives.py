"""The special words of a text: which they are, their numbers, and what is left of the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent.turn import MAX_LONG_WORDS, MAX_SLOW_MS, SPECIAL_WORDS, Directives, Word, parse_directives
from sandbox.reply import Pace

# What is written, which words are read, which are unknown, what is left.
CASES: tuple[tuple[str, tuple[Word, ...], tuple[str, ...], str], ...] = (
    ("no words at all", (), (), "no words at all"),
    ("[[tool]]", (Word("tool"),), (), ""),
    ("[[TOOL]] please", (Word("tool"),), (), "please"),  # in any case
    ("[[slow 3000]] [[tool]] hi", (Word("slow", 3000), Word("tool")), (), "hi"),  # several, in their order
    ("hi [[ cut ]] there", (Word("cut"),), (), "hi there"),  # room inside the brackets
    ("[[tool]] [[tool]]", (Word("tool"),), (), ""),  # twice is once
    ("[[tool 3]]", (Word("tool", 3),), (), ""),  # a number where none makes sense is let pass
    ("[[nope]] hi", (), ("[[nope]]",), "hi"),  # an unknown word
    ("[[nope 5]]", (), ("[[nope 5]]",), ""),
    ("[[slow down]]", (), ("[[slow down]]",), ""),  # a known word that is not used as it should
    ("[[slow -5]]", (), ("[[slow -5]]",), ""),
    ("[[slow 1.5]]", (), ("[[slow 1.5]]",), ""),
    ("[[échec]]", (), ("[[échec]]",), ""),
    ("see [[Page of a wiki]]", (), (), "see [[Page of a wiki]]"),  # not a word
    ("[[]] [[ ]] [[1]] [tool] [ [tool]]", (), (), "[[]] [[ ]] [[1]] [tool] [ [tool]]"),
    ("[[[tool]]]", (Word("tool"),), (), "[ ]"),
)


def test_words_are_read(subtests: pytest.Subtests) -> None:
    for text, words, unknown, rest in CASES:
        with subtests.test(text=text, words=words, unknown=unknown, rest=rest):
            assert parse_directives(text) == Directives(words=words, unknown=unknown, rest=rest)


@pytest.mark.parametrize("word", SPECIAL_WORDS)
def test_every_known_word_is_read_in_any_case(word: str) -> None:
    assert parse_directives(f"[[{word}]]").has(word)
    assert parse_directives(f"[[{word.title()}]]").has(word)


@given(st.text())
def test_echo_keeps_the_rest_exactly(text: str) -> None:
    assert parse_directives(f"[[echo]] {text}").echo == text
    assert parse_directives(f"[[slow 5]] [[Echo]]{text}").echo == text.removeprefix(" ")


def test_what_follows_echo_has_no_effect() -> None:
    asked = parse_directives("[[cut]] [[echo]] say [[fail]] and [[nope]]")
    assert [word.name for word in asked.words] == ["cut", "echo"]
    assert asked.echo == "say [[fail]] and [[nope]]"
    assert not asked.unknown


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("[[slow]]", Pace(first_ms=2_000, delta_ms=100)),
        ("[[slow 3000]]", Pace(first_ms=3_000, delta_ms=100)),
        ("[[slow 0]]", Pace(first_ms=0, delta_ms=100)),
        ("[[slow 99999999999999999999]]", Pace(first_ms=MAX_SLOW_MS, delta_ms=100)),
        ("slow", None),
    ],
)
def test_slow_has_bounds(text: str, pace: Pace | None) -> None:
    assert parse_directives(text).pace == pace


@pytest.mark.parametrize(
    ("text", "count"),
    [("[[long]]", 2_000), ("[[long 500]]", 500), ("[[long 0]]", 1), ("[[long 1000000]]", MAX_LONG_WORDS)],
)
def test_long_has_bounds(text: str, count: int) -> None:
    assert parse_directives(text).long == count


@given(st.text(alphabet="[]ab 1\n"))
def test_any_brackets_can_be_read(text: str) -> None:
    parse_directives(text)


@pytest.mark.parametrize("unit", ["[[", "[[a", "[[a]]", "[[a ", "]]", "[[slow 1", "[[echo]"])
def test_a_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    parse_directives(text)
    assert time.process_time() - started < 2
