"""Reads text cheaply: case and accents folded, words apart, words down to their stems. Decides nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary

MAX_READ: Final = 4_000
"""How many characters of a message are read for its meaning: a person's message whole, a hostile one in part."""

_NUMBERS: Final = (
    *(("one", "un"), ("two", "deux"), ("three", "trois"), ("four", "quatre"), ("five", "cinq")),
    *(("six", "six"), ("seven", "sept"), ("eight", "huit"), ("nine", "neuf"), ("ten", "dix")),
)
SPELLED: Final = {word: number for number, words in enumerate(_NUMBERS, 1) for word in words if number > 1}
"""The numbers from two to ten as words of both languages."""

GREETINGS: Final = ("hi", "hello", "hey", "bonjour", "bonsoir", "salut", "allo")
"""The words, folded, with which a person greets."""

HARD: Final = ("price", "howlong", "when", "where", "why", "who")
_KINDS: Final = ("howlong", "price", "when", "where", "why", "who", "which", "how", "what")
_KIND: Final = re.compile("|".join(f"(?P<{kind}>{vocabulary.alternatives(kind)})" for kind in _KINDS))
_MARKS = re.compile("[\u0300-\u036f]+")
_NOT_WORD = re.compile(r"[\W_]+")
_ASCII_WORDS = bytes(code if chr(code).isalnum() else 32 for code in range(128)).ljust(256)
# What French is written with goes one by one, which is faster than what takes the accents off any letter.
_LETTERS = (
    *(("é", "e"), ("è", "e"), ("ê", "e"), ("à", "a"), ("ç", "c"), ("ô", "o"), ("û", "u"), ("î", "i"), ("â", "a")),
    *(("ù", "u"), ("ï", "i"), ("ë", "e"), ("œ", "oe"), ("æ", "ae")),
    *(("’", "'"), ("‘", "'"), ("ʼ", "'"), ("\u00a0", " "), ("\u202f", " ")),
)
# Endings of both languages; what is left is the same for all forms of a word ("cancelled", "annulée", "livraisons").
_ENDINGS = re.compile(
    r"(?:ations?|ements?|issez|aient|eraient|erait|erais|erez|eront|erai|iez|ions|ings?|ment|ance|ence"
    r"|ees?|ies|ied|ier|ant|ent|ait|ais|ons|eux|euse|ers?|ed|es|ez|er|ai|ir|ly|(?<=\w{4})[yi]|e|s|x)$"
)
_MIN_STEM: Final = 3
_CODE: Final = 3  # a number of so many digits may be a code that one knows ("429")
_MAX_STEM: Final = 9


class Words(NamedTuple):
    """A text that is read: folded, its words, and these with one space around each, for searches with `in`."""

    folded: str
    words: list[str]
    spaced: str


def fold(text: str) -> str:
    """Return `text` in lower case without accents, its apostrophes straight."""
    low = text.lower()
    if low.isascii():
        return low
    for letter, plain in _LETTERS:
        low = low.replace(letter, plain)
    return low if low.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", low))


@lru_cache(maxsize=64)
def read(text: str) -> Words:
    """Return `text` as it is read; kept a while, as all who read one message ask for the same."""
    folded = fold(text)
    # Bytes are translated three times as fast as text.
    apart = folded.encode().translate(_ASCII_WORDS).decode() if folded.isascii() else _NOT_WORD.sub(" ", folded)
    words = apart.split()
    return Words(folded, words, f" {' '.join(words)} ")


@lru_cache(maxsize=256)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the telling words of `text`, in their order, each once.

    What people write in a hurry is read as what it stands for ("appt", "jpeux", "chu"); a negation is the stem `not`,
    a question for the price the stem `price`, in both languages.
    """
    folded = fold(text[:MAX_READ])
    if "n't" in folded:
        folded = folded.replace("can't", "not").replace("won't", "not").replace("n't", " not")
    words = read(folded).spaced
    for phrase, plain in _phrases():
        if phrase in words:
            words = words.replace(phrase, plain)
    found: dict[str, None] = {}
    small, spelling = _small(), _spelling()
    for word in words.split():
        for plain in spelling.get(word, (word,)):
            if plain not in small and (len(plain) == _CODE or not plain.isdecimal()):
                found[stem(plain)] = None
    return tuple(found)


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """Return what is the same in all forms of a folded word."""
    left = word
    for _ in range(2):
        match = _ENDINGS.search(left, _MIN_STEM)
        if match is None:
            break
        left = left[: match.start()]
    if len(left) > _MIN_STEM and left[-1] == left[-2]:  # "shipp(ing)" and "ship"
        left = left[:-1]
    return left[:_MAX_STEM]


@cache
def _lists() -> dict[str, list[list[str]]]:
    return vocabulary.lines("words")


def is_small(word: str) -> bool:
    """Say whether a folded word tells nothing by itself ("elle", "the")."""
    return word in _small()


def is_time(word: str) -> bool:
    """Say whether a stem is a day or a part of one."""
    return word in _times()


@cache
def _times() -> frozenset[str]:
    return frozenset(stem(word) for row in _lists()["# times"] for word in row[0].split())


@cache
def _small() -> frozenset[str]:
    return frozenset(word for row in _lists()["# small"] for word in row[0].split())


@cache
def _spelling() -> dict[str, tuple[str, ...]]:
    """Return what words that are written in a hurry stand for."""
    return {word: tuple(row[1].split()) for row in _lists()["# spelling"] for word in row[0].split()}


@cache
def _phrases() -> Sequence[tuple[str, str]]:
    """Return phrases that are read as one word, each with a space around it."""
    rows = _lists()["# phrases"]
    found = [(f" {phrase} ", f" {row[1]} ") for row in rows for phrase in row[0].split(", ")]
    return sorted(found, key=lambda pair: -len(pair[0]))  # "combien de temps" before "combien"


@lru_cache(maxsize=512)
def kind_of(text: str) -> str | None:
    """Return the kind of question that a text asks, None for a statement or a mere yes-or-no question."""
    found = {match.lastgroup for match in _KIND.finditer(read(text[:MAX_READ]).folded)}
    return next((kind for kind in _KINDS if kind in found), None) if found else None
