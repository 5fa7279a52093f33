"""What is said for a business, and of what people write about; read from `vocabulary/replies/`, nothing invented."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sandbox.agent import matters, vocabulary
from sandbox.agent.language import Language
from sandbox.agent.topics import Topic


@cache
def business(name: str, lang: Language) -> Mapping[str, Any]:
    """Return what is said for a business in a language, merged with its numbers; French with its no-break spaces."""
    data = vocabulary.load(f"replies/businesses/{name}")
    words = vocabulary.typeset(data[lang]) if lang == "fr" else data[lang]
    return {**{key: value for key, value in data.items() if key not in ("en", "fr")}, **words}


@cache
def of_topic(name: str, topic: str | None, lang: Language) -> Mapping[str, Any]:
    """Return what is said for a business, with what a topic of it has instead."""
    if topic is None:
        return business(name, lang)
    known = matters.matter(topic)
    return {**business(name, lang), **known.words[lang], **known.numbers}


@cache
def _abouts() -> Mapping[str, tuple[str, str, str]]:
    rows = vocabulary.load("replies/topics").items()
    return {key: (intent, en, vocabulary.typography(fr)) for key, (intent, en, fr) in rows}


def usual_intent(topic: Topic | None) -> str | None:
    """Return what people usually want who write about `topic`."""
    entry = _abouts().get(topic.id) if topic else None
    return entry[0] if entry else None


def about(topic: Topic | None, lang: Language) -> str:
    """Return `topic` as one phrase that follows "about", or "pour" and "concernant"."""
    if topic is None:
        return "your request" if lang == "en" else "votre demande"
    entry = _abouts().get(topic.id)
    if entry is None:
        return topic.about_en if lang == "en" else topic.about_fr
    return entry[1] if lang == "en" else entry[2]
