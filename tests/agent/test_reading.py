"""Laws of how text is read: the fast ways say what the plain ones do."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent import intents, title_book, vocabulary
from sandbox.agent.mentions import MONEY, known
from sandbox.agent.phrases import Phrases
from sandbox.agent.text import fold, read
from sandbox.agent.topics import TOPICS, Topic
from sandbox.agent.when import weekday_after

LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'", "ʼ": "'", "\u00a0": " ", "\u202f": " "})
TEXTS = st.text() | st.text(alphabet="aZé ÉœŒç’'\u0301\u00a0_-3ß٣!\n")
WORDS = st.lists(st.sampled_from(("ab", "abc", "abd", "b", "c", "car")), max_size=8)
PHRASES = st.lists(
    st.lists(st.sampled_from(("ab", "abc", "ab*", "abc*", "b", "b*", "c")), min_size=1, max_size=3), max_size=6
)


@given(TEXTS)
def test_a_folded_text_has_small_letters_without_accents(text: str) -> None:
    apart = unicodedata.normalize("NFD", text.lower().translate(LETTERS))
    assert fold(text) == re.sub("[\u0300-\u036f]", "", apart)


@given(TEXTS)
def test_the_words_of_a_text_are_its_letters_and_digits(text: str) -> None:
    heard = read(text)
    assert heard.words == re.findall(r"[^\W_]+", fold(text))
    assert heard.spaced == f" {' '.join(heard.words)} "


@given(PHRASES, WORDS, st.integers(1, 3))
def test_a_phrase_is_found_wherever_its_words_follow_each_other(
    phrases: list[list[str]], words: list[str], gap: int
) -> None:
    found = Phrases([(phrase, number) for number, phrase in enumerate(phrases)], gap=gap).find(words)
    expected = [
        number
        for position in range(len(words))
        for number, phrase in enumerate(phrases)
        if _begins(phrase, words[position:], gap)
    ]
    assert sorted(found) == sorted(expected)


def _begins(phrase: list[str], words: list[str], gap: int) -> bool:
    """Say whether a phrase begins with the first word, each further word as soon as it comes."""
    near = 1
    for wanted in phrase:
        pattern = re.compile(wanted.replace("*", ".*"))
        ahead = next((number for number, word in enumerate(words[:near]) if pattern.fullmatch(word)), None)
        if ahead is None:
            return False
        words, near = words[ahead + 1 :], gap
    return True


ASKED = [phrase for listed in vocabulary.load("replies/intents").values() for phrase in listed.split(", ")]
SAID = st.lists(st.sampled_from(ASKED) | st.sampled_from(("Name:", "\n", "ok", "merci", "asap")), max_size=9)


@given(TEXTS | SAID.map(" ".join))
def test_what_a_text_wants_is_the_intent_of_what_it_says(text: str) -> None:
    assert intents.wanted(text) == intents.detect(text).intent


@given(st.sampled_from(list(TOPICS.values())), st.sampled_from((None, "change", "claim", "price")), st.data())
def test_a_title_with_no_telling_word_in_a_text_does_not_fit_it(
    topic: Topic, intent: str | None, data: st.DataObject
) -> None:
    title = data.draw(st.sampled_from(title_book.worded(topic, intent)))
    stems = data.draw(st.sets(st.sampled_from(sorted(set().union(*(words for words, _, _ in title.sides))))))
    for words, needed, _ in title.sides if title.telling.isdisjoint(stems) else ():
        said, unsaid = len(words & stems), len(needed - stems)
        assert said < 3 * unsaid or not said


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-40, 40).filter(bool))
def test_a_working_day_is_so_many_working_days_away(day: date, count: int) -> None:
    found = weekday_after(day, count)
    passed = [
        day + timedelta(days=number) * (1 if count > 0 else -1) for number in range(1, abs((found - day).days) + 1)
    ]
    assert sum(each.weekday() < 5 for each in passed) == abs(count)
    assert found.weekday() < 5


def test_a_blank_line_between_the_fields_of_a_form_is_none_of_its_values() -> None:
    assert intents.submitted("Name: Ann\n\nCity: Laval") == (("Name", "Ann"), ("City", "Laval"))


def test_a_dollar_sign_without_a_number_names_no_amount() -> None:
    assert not known("How many $ is door 5?", {}).keys() & set(MONEY)
