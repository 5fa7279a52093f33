"""What we know about each topic: its prices, papers and answers. Owns the reading of `vocabulary/matters/`.

A file a business, a section a topic, a line a fact. `price | next | English | French` is its price; `reply | words |
next | English | French` answers a message that has one of the words (`a+b`: both), `reply!` whatever else it asks for.
`next` is the question that follows, `=kind` where the text ends with its own, `-` for "anything else?", `none`. Any
other line (`documents`, `range`, `found_line` …) takes the place of what is said for the whole business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.language import Language
from sandbox.agent.text import fold

_SINGLE: Final = frozenset(("cancel_note", "visit_note", "unit"))
_SORRY: Final = ("I'm sorry", "Please leave", "I hope")


class Told(NamedTuple):
    """A text about a topic, in both languages, and the question that comes after it."""

    english: str
    french: str
    after: str
    words: tuple[tuple[str, ...], ...] = ()
    always: bool = False

    @property
    def sober(self) -> bool:
        """Whether it speaks of something sad, so that no cheerful greeting fits."""
        return self.english.startswith(_SORRY)

    def parts(self, lang: Language) -> tuple[str, str]:
        """Return the text and the question that it ends with, "" for a text without its own question."""
        text = self.english if lang == "en" else self.french
        if not self.after.startswith("="):
            return text, ""
        lead, mark, question = text.rpartition(". ")
        if not mark:
            lead, mark, question = text.rpartition("! ")
        return lead + mark.rstrip(), question

    def fits(self, spaced: str) -> bool:
        """Say whether a folded text, spaced, has the words that it answers."""
        return any(all(map(spaced.__contains__, together)) for together in self.words)


class Matter(NamedTuple):
    """All that is known about one topic."""

    price: Told | None
    replies: tuple[Told, ...]
    words: Mapping[Language, Mapping[str, Any]]
    numbers: Mapping[str, Any]


_NOTHING: Final = Matter(None, (), {"en": {}, "fr": {}}, {})


def matter(topic: str) -> Matter:
    """Return what is known about the topic with this id."""
    business, _, name = topic.partition(".")
    return _matters(business).get(name, _NOTHING)


def questions(lang: Language) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each question that belongs to one topic."""
    for business in vocabulary.businesses():
        for known in _matters(business).values():
            for told in (*known.replies, *filter(None, (known.price,))):
                if told.after.startswith("="):
                    yield told.after[1:], told.parts(lang)[1]
            for kind in ("quote", "reference"):
                for text in known.words[lang].get(kind, ()):
                    yield kind, text


@cache
def _matters(business: str) -> Mapping[str, Matter]:
    if business not in vocabulary.businesses():
        return {}
    return {heading[2:]: _read(rows) for heading, rows in vocabulary.lines(f"matters/{business}").items()}


def _read(rows: list[list[str]]) -> Matter:
    price = None
    replies = []
    numbers: dict[str, Any] = {}
    words: dict[Language, dict[str, Any]] = {"en": {}, "fr": {}}
    for key, *values in rows:
        if key == "price":
            price = Told(values[1], vocabulary.typography(values[2]), values[0])
        elif key in ("reply", "reply!"):
            replies.append(_reply(values, always=key == "reply!"))
        elif key == "range":
            numbers["range"] = [float(value) for value in values]
        else:
            _keep(words["en"], key, values[0])
            _keep(words["fr"], key, vocabulary.typography(values[1]))
    return Matter(price, tuple(replies), words, numbers)


def _reply(values: list[str], *, always: bool) -> Told:
    listed, after, english, french = values
    words = tuple(tuple(f" {word}" for word in fold(together).split("+")) for together in listed.split(", "))
    return Told(english, vocabulary.typography(french), after, words, always)


def _keep(table: dict[str, Any], key: str, text: str) -> None:
    if key in _SINGLE:
        table[key] = text
    else:
        table.setdefault(key, []).append(text)
