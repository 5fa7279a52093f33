"""What clients may send, as hypothesis strategies."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_numbers = count(1)


def app_ids() -> str:
    """Return an app id that no other example of this process uses, unlike any other."""
    return "app_" + hashlib.md5(b"%d" % next(_numbers), usedforsecurity=False).hexdigest()


# Any text that JSON can carry: all of Unicode but lone surrogates.
texts: SearchStrategy[str] = st.text(st.characters(codec="utf-8"), max_size=60)

# Texts that are hard to cut: joined emoji, flags, combining marks, line ends, right-to-left and astral characters.
_HARD = ("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇦", "👋🏽", "e\u0301", "ก็", "क्षि", "שלום", "𝒜", "\r\n", "\u00a0", "\u200d", "…")
_PLAIN = ("a", "word", "déjà", " ", "  ", "\n", "\t", "aaaaaaaaaaaaaaaaaaaaaaa", "0", ".", ",")
hard_texts: SearchStrategy[str] = st.lists(st.sampled_from(_HARD + _PLAIN), max_size=40).map("".join)

# A text that is no special word and holds none.
plain_texts: SearchStrategy[str] = (texts | hard_texts).filter(lambda text: "[[" not in text)

_WORDS = (
    *("[[fail]]", "[[slow 5]]", "[[tool]]", "[[form]]", "[[human]]", "[[markdown]]", "[[long 40]]", "[[unicode]]"),
    *("[[FAIL]]", "[[Tool]]", "[[nonsense]]", "[[echo]]", "[[slow]]"),
)
_SENTENCES = (
    *("Hello", "Bonjour", "I'd like to book an appointment for Tuesday at 2 pm.", "Je veux annuler mon rendez-vous."),
    *("Where is the nearest branch?", "Combien coûte l'assurance habitation?", "???", "Quote: 42", "👋🏽", "merci", ""),
)

# Messages as people and test suites send them: sentences, special words, several together, anything at all.
messages: SearchStrategy[str] = st.one_of(
    st.lists(st.sampled_from(_WORDS + _SENTENCES), min_size=1, max_size=4).map(" ".join),
    hard_texts.map("[[echo]] ".__add__),
    texts,
    hard_texts,
)

json_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)

metadata: SearchStrategy[dict[str, Any]] = st.dictionaries(texts, json_values, max_size=5)

user_ids: SearchStrategy[str] = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(
    [".", "..", "/", "%2F", "a/b", "a b", "a+b", "?", "#", "conversations", "me@example.com", "é", "\x00", "x" * 1_000]
)
