"""Reads text cheaply: case and accents folded, words apart. Owns no vocabulary and decides nothing."""

from __future__ import annotations

import re
import unicodedata

READ_LIMIT = 4_000
"""How many characters of a message are read for its meaning: a person's message whole, a hostile one in part."""

KEPT = 400
"""A text of at most so many characters is kept with what was read in it, as test suites say the same again."""

_MARKS = re.compile("[\u0300-\u036f]+")
_NOT_WORD = re.compile(r"[\W_]+")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'", "ʼ": "'", "\u00a0": " ", "\u202f": " "})


def fold(text: str) -> str:
    """Return `text` in lower case without accents, its apostrophes straight."""
    low = text.lower()
    if low.isascii():
        return low
    return _MARKS.sub("", unicodedata.normalize("NFD", low.translate(_LETTERS)))


def spaced(folded: str) -> str:
    """Return the words of a folded text with one space around each, for whole-word searches with `in`."""
    return f" {_NOT_WORD.sub(' ', folded).strip()} "
