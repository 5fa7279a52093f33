"""What a message is about where no entry is found: the customer's own noun, or another trade."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from functools import cache
from typing import Final

from sandbox.agent import vocabulary
from sandbox.agent.text import fold, stems

_NOUN_EN = re.compile(r"\b(my|our|your|the|a|an|any|some)\s+((?:[^\W\d_][\w'-]*\s?){1,3})", re.IGNORECASE)
_NOUN_FR = re.compile(
    r"\b(mon|ma|mes|notre|nos|votre|vos|le|la|les|un|une|des|l'(?=\w))(?:\s+|(?<='))((?:[^\W\d_][\w'-]*\s?){1,3})",
    re.IGNORECASE,
)
# What somebody asks whether we do it with, without an article: "do you repair espresso machines".
_BARE = re.compile(r"\b(?:do|can|could) you \w+ ((?:[^\W\d_][\w'-]*\s?){1,3})", re.IGNORECASE)
_RANKS: Final = ("my our mon ma mes notre nos", "your votre vos", "a an some any un une des", "the le la les l'")
_SHORT: Final = 3  # letters: a noun has more
_YOURS: Final = {
    "my": "your",
    "our": "your",
    "your": "our",
    "mon": "votre",
    "ma": "votre",
    "mes": "vos",
    "notre": "votre",
    "nos": "vos",
    "votre": "notre",
    "vos": "nos",
    "any": "the",
    "some": "the",
}


def noun(text: str, lang: str) -> str | None:
    """Return what the customer talks about in the customer's own words ("your dryer"), None where no noun is plain."""
    pattern = _NOUN_EN if lang == "en" else _NOUN_FR
    found = [(match[1].lower(), _noun_words(match[2])) for match in pattern.finditer(text[:600])]
    ranked = [(_rank(determiner), determiner, words) for determiner, words in found if len(words) > _SHORT]
    if not ranked:
        bare = _BARE.search(text[:600])
        words = _noun_words(bare[1]) if bare else ""
        return words if len(words) > _SHORT else None
    _, determiner, words = min(ranked, key=lambda each: each[0])
    article = _YOURS.get(determiner, determiner)
    return f"{article}{words}" if article.endswith("'") else f"{article} {words}"


def _noun_words(text: str) -> str:
    """Return the beginning of a text that belongs to a noun."""
    words = text.split()
    end = next((at for at, word in enumerate(words) if fold(word).strip("'") in _noun_ends() or len(word) < 2), None)
    return " ".join(words[:end])


def _rank(determiner: str) -> int:
    """Return how much a determiner tells that its noun is what the customer talks about; less is more."""
    return next((number for number, listed in enumerate(_RANKS) if determiner in listed.split()), len(_RANKS))


@cache
def _noun_ends() -> frozenset[str]:
    return frozenset(word for row in vocabulary.lines("words")["# noun ends"] for word in row[0].split())


@cache
def _trades() -> Mapping[str, tuple[tuple[str, ...], frozenset[tuple[str, ...]]]]:
    """Return for each business how it is called, and the groups of stems by which a message of its trade is known."""
    return {
        row[0]: (tuple(row[1:4]), frozenset(stems(words) for words in row[4].split(", ")))
        for row in vocabulary.lines("trades")["# trades"]
    }


@cache
def _verbs() -> frozenset[str]:
    """Return the stems that say what is to be done in any trade, not to what."""
    return frozenset(stems(" ".join(row[0] for row in vocabulary.lines("words")["# verbs"])))


def is_for_another_trade(text: str, name: str, known: Container[str]) -> bool:
    """Say whether all that a business knows of a message are verbs: "I need tires changed" is nothing for a clinic."""
    return not any(word in known and word not in _verbs() for word in stems(text)) and bool(other_trade(text, name))


def other_trade(text: str, name: str) -> tuple[str, ...] | None:
    """Return the trade that a message belongs to where it isn't this business's: English, French, French with "de"."""
    words = set(stems(text))
    if name == "general":
        return None
    for other, (label, groups) in _trades().items():
        if other != name and any(group and words.issuperset(group) for group in groups):
            return label
    return None
