"""Tells English from French, and nothing else. Owns the telling words; says nothing itself.

Every telling word of a text votes; only words that one language has and the other has not (or hardly) stand in the
lists. Addresses, codes and names don't vote: they are the same in both. Only the beginning of a text is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sandbox.agent.turn import Language

_MAX_READ: Final = 3_000
_MAX_WORDS: Final = 150
_VOTE: Final = 4
# More than one word: what it takes to change the language of a conversation.
_SURE: Final = _VOTE + 1
_ASCII_LETTERS = bytes(code if chr(code).isalpha() else 32 for code in range(128)).ljust(256)
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# What stands between two spaces and is no word: an e-mail, a URL, a domain, a handle, a code.
_NO_WORD = re.compile(
    r"[@\d_]|://|\bwww\.|\w\.(?:ca|com|org|net|info|biz|io|co|app|dev|ai|edu|gov|qc|fr|us|uk|eu)\b", re.IGNORECASE
)
# Names of several words (`Côte-des-Neiges`, `12 rue de la Montagne`), in which the small words tell nothing.
_NAMES = re.compile(
    r"\b\d+,? (?:rue|avenue|av|boulevard|boul|chemin|place|route|rang)\b[^,;:.?!\n]*"
    r"|\b[A-ZÀ-Ý][a-zà-ÿ]+(?:-[a-zà-ÿ']+)*-[A-ZÀ-Ý][\w-]*"
)

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
    return _named(_score(text[:_MAX_READ]))


def _named(score: int) -> Language | None:
    """Return the language that a score stands for."""
    return ("fr" if score > 0 else "en") if score else None


def of_message(text: str, before: str, metadata: Mapping[str, Any]) -> tuple[Language, bool]:
    """Return the language in which a message is to be answered, and whether the message itself is sure of it.

    A single word does not change a conversation's language, which is `before` ("" where nothing was said yet).
    """
    score = _score(text[:_MAX_READ])
    sure = abs(score) >= _SURE
    if not sure and before:
        return ("fr" if before == "fr" else "en"), False
    return _named(score) or of_metadata(metadata), sure or bool(score)


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
    for word in _tokens(text)[:_MAX_WORDS]:
        token = word.lower()
        vote = telling.get(token)
        if vote is not None:
            score += vote
        elif "'" in token:
            score += _apostrophe(token) if _is_no_name(word.rpartition("'")[2]) else 0
        elif len(token) > 3 and _is_no_name(word):
            score += _shape(token)
    return score


def _tokens(text: str) -> list[str]:
    """Return the words of a text, what an apostrophe joins as one, as far as they are counted."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    text = _NAMES.sub(" ", text)
    if _NO_WORD.search(text):
        text = " ".join(part for part in text.split() if not _NO_WORD.search(part))
    if text.isascii() and "'" not in text:
        return text.encode().translate(_ASCII_LETTERS).decode().split()
    return [found[0] for found in islice(_TOKEN.finditer(text), _MAX_WORDS)]


def _is_no_name(word: str) -> bool:
    """Say whether a word that is on no list may tell by its look: `Montréal` doesn't, `DÉGÂT` does."""
    return not word[0].isupper() or word.isupper()


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
