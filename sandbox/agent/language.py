"""Tells English from French, and nothing else. Owns the telling words; says nothing itself.

Every telling word of a text votes; only words that one language has and the other has not (or hardly) stand in the
lists. Only the beginning of a text is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.agent.turn import Utterance

Language = Literal["en", "fr"]

_READ: Final = 3_000
_MOST_WORDS: Final = 150
_VOTE: Final = 4
_ASCII_LETTERS = bytes(code if chr(code).isalpha() else 32 for code in range(128)).ljust(256)
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")

# An apostrophe tells by itself: what stands before it in French, what stands after it in English.
_ELIDED: Final = frozenset(
    ("l", "d", "j", "c", "s", "n", "m", "t", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "aujourd")
)
_CLITIC: Final = frozenset(("s", "t", "m", "ll", "re", "ve", "d"))

_ENGLISH_ENDS: Final = (
    "ing",
    "ght",
    "wn",
    "sh",
    "tch",
    "ck",
    "ss",
    "lly",
    "ful",
    "ther",
    "ould",
    "ys",
    "ey",
    "ty",
    "ed",
)
_FRENCH_ENDS: Final = (
    *("eux", "euse", "ait", "aient", "ais", "ez", "eau", "eaux", "aux", "oir", "oire", "ette", "ité", "tion"),
    *("ement", "elle", "ienne", "ier", "ière", "que", "eur", "eurs", "ons", "ite", "oi", "oie", "ée", "ées", "és"),
)
_ACCENTS = re.compile("[éèêëàâçùûîïôœ]")


def detect(text: str, fallback: Language = "en") -> Language:
    """Return the language of `text`, `fallback` where it has none (numbers, names, emoji, nothing)."""
    return tell(text) or fallback


def tell(text: str) -> Language | None:
    """Return the language that `text` shows by itself, None where it shows none."""
    score = _score(text[:_READ])
    if score == 0:
        return None
    return "fr" if score > 0 else "en"


def of_conversation(memory: Sequence[Utterance], metadata: Mapping[str, Any]) -> Language:
    """Return the language that a conversation has had so far: of its latest telling message, else of its metadata."""
    for utterance in reversed(memory):
        told = tell(utterance.text)
        if told:
            return told
    return of_metadata(metadata)


def of_metadata(metadata: Mapping[str, Any]) -> Language:
    """Return the language that a metadata key such as `language: fr-ca` names, English without one."""
    for key in ("language", "lang", "locale", "langue", "preferred_language"):
        value = metadata.get(key)
        if isinstance(value, str) and value:
            return "fr" if value[:2].lower() == "fr" else "en"
    return "en"


@cache
def _telling() -> Mapping[str, int]:
    """Return the telling words with their votes; a word on both lists tells nothing and is left out."""
    english, french = _words("en"), _words("fr")
    return dict.fromkeys(english - french, -_VOTE) | dict.fromkeys(french - english, _VOTE)


def _words(name: Language) -> frozenset[str]:
    return frozenset(Path(__file__).with_name("vocabulary").joinpath(f"words_{name}.txt").read_text("utf-8").split())


def _score(text: str) -> int:
    """Return how French a text is: positive for French, negative for English."""
    score = 0
    telling = _telling()
    for token in _tokens(text.lower())[:_MOST_WORDS]:
        vote = telling.get(token)
        if vote is not None:
            score += vote
        elif "'" in token:
            score += _apostrophe(token)
        elif len(token) > 3:
            score += _shape(token)
    return score


def _tokens(low: str) -> list[str]:
    """Return the words of a text in lower case, what an apostrophe joins as one, as far as they are counted."""
    if low.isascii():
        if "'" not in low:
            return low.encode().translate(_ASCII_LETTERS).decode().split()
    else:
        low = unicodedata.normalize("NFC", low).replace("’", "'")
    return [found[0] for found in islice(_TOKEN.finditer(low), _MOST_WORDS)]


def _apostrophe(token: str) -> int:
    """Return what an elision (`l'eau`) or a contraction (`don't`) tells."""
    head, _, tail = token.partition("'")
    if head in _ELIDED:
        return _VOTE
    return -_VOTE if tail in _CLITIC else 0


def _shape(token: str) -> int:
    """Return what the look of an unknown word tells: an accent or an ending."""
    if not token.isascii() and _ACCENTS.search(token):
        return 3
    for ending, vote in _endings().get(token[-2:], ()):
        if token.endswith(ending):
            return vote
    return 0


@cache
def _endings() -> Mapping[str, Sequence[tuple[str, int]]]:
    """Return the endings with their votes by their last two letters."""
    endings: dict[str, list[tuple[str, int]]] = {}
    for vote, listed in ((-1, _ENGLISH_ENDS), (1, _FRENCH_ENDS)):
        for ending in listed:
            endings.setdefault(ending[-2:], []).append((ending, vote))
    return endings
