"""Translates the sentences of a small phrase book, which is part of the vocabulary, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sandbox.agent import vocabulary
from sandbox.agent.language import Language
from sandbox.agent.text import fold


def translated(sentence: str, lang: Language) -> str | None:
    """Return a sentence of the phrase book in `lang`, with the mark that it ended with."""
    found = _phrases()[lang].get(_key(sentence))
    ending = sentence.strip()[-1:]
    return None if found is None else found + (ending if ending in ".!?" else "")


@cache
def _phrases() -> Mapping[Language, Mapping[str, str]]:
    pairs = vocabulary.load("replies/completions")["phrases"]
    return {"fr": {_key(en): fr for en, fr in pairs}, "en": {_key(fr): en for en, fr in reversed(pairs)}}


def _key(sentence: str) -> str:
    return fold(sentence).strip(" .!?,\"'«»“”")
