"""What a conversation can be about: the businesses, their topics, and how a text shows its topic.

Owns the list of topics and their detection; says nothing to anybody. The words are in `vocabulary/topics/`, in both
languages; nothing is read before it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.text import KEPT, fold
from sandbox.agent.turn import TitlePair

READ = 2_000  # characters of a text that are looked at
LETTERS = 3  # a beginning (`word*`) has at least so many
GAP = 3  # the next word of a keyword is one of so many that follow

# Plans that say how much is bought, not what.
_TIERS = "premium basic standard gold silver platinum free pro plus enterprise starter trial"
TIERS = frozenset(_TIERS.split())

# Metadata about the person, not about the matter.
_PERSONAL = (
    "name first_name last_name firstname lastname full_name city town province state country address street postal_code"
    " language lang locale email phone company id user_id external_id uuid age gender birthday timezone"
)
PERSONAL = frozenset(_PERSONAL.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing that people write about, with the phrases that name it whole.

    `label` has no article ("car insurance quote", "soumission d'assurance auto"); writers use the whole phrases, which
    are always correct, and agree with `feminine` and `plural`. `bare`: English says it without "the".
    """

    id: str
    business: str
    label: TitlePair
    feminine: bool
    plural: bool
    bare: bool

    @property
    def about_en(self) -> str:
        """Say it with "your"."""
        return f"your {self.label.en}"

    @property
    def about_fr(self) -> str:
        """Say it with "votre" or "vos"."""
        return f"{'vos' if self.plural else 'votre'} {self.label.fr}"

    @property
    def of_fr(self) -> str:
        """Say it with "de votre" or "de vos"."""
        return f"de {self.about_fr}"

    @property
    def the_en(self) -> str:
        """Say it with "the" where English does."""
        return self.label.en if self.bare else f"the {self.label.en}"

    @property
    def the_fr(self) -> str:
        """Say it with "le", "la", "l'" or "les"."""
        if self.plural:
            return f"les {self.label.fr}"
        if fold(self.label.fr)[0] in "aeiouh":  # every h of ours is mute
            return f"l'{self.label.fr}"
        return f"{'la' if self.feminine else 'le'} {self.label.fr}"

    @property
    def of_the_fr(self) -> str:
        """Say it with "du", "de la", "de l'" or "des"."""
        the = self.the_fr
        if the.startswith("les "):
            return f"des {the[4:]}"
        return f"du {the[3:]}" if the.startswith("le ") else f"de {the}"


class _Topics(Mapping[str, Topic]):
    """All topics by id, read when first looked at."""

    def __getitem__(self, key: str) -> Topic:
        return _read_topics()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_read_topics())

    def __len__(self) -> int:
        return len(_read_topics())


TOPICS: Mapping[str, Topic] = _Topics()


def detect(text: str, metadata: Mapping[str, Any]) -> Topic | None:
    """Return the topic that a text in either language is about, helped by metadata; None where nothing tells it."""
    hints = tuple(_hints(metadata)) if metadata else ()
    return _detected(text, hints) if len(text) + sum(map(len, hints)) <= KEPT else _detect(text[:READ], hints)


def _detect(text: str, hints: tuple[str, ...]) -> Topic | None:
    index = _read_index()
    scores = _Scores()
    _count(index, tokens(text), 2, scores)
    for hint in hints:
        _count(index, tokens(hint), 1, scores)
    winner = scores.winner(index)
    return None if winner is None else TOPICS[winner]


_detected = lru_cache(maxsize=512)(_detect)


@lru_cache(maxsize=16)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded, in the singular, without the small words of both languages."""
    words = _WORD.findall(fold(text))
    return tuple(w[:-1] if len(w) > 3 and w[-1] in "sx" else w for w in words if w not in _SMALL)


_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = (
    "a an the my your our his her their for of to on is it at this that i t s"
    " d l m n c j qu de du des la le les un une mon ma mes ton ta tes son sa ses votre vos notre nos leur leurs pour"
    " sur au aux et en que ce cet cette ces"
)
_SMALL = frozenset(_SMALL_WORDS.split())


class _Keyword(NamedTuple):
    """A phrase that tells a topic: the words after its first, who gains by it, and how much."""

    rest: tuple[str, ...]
    target: str
    weight: int


@dataclass(frozen=True, slots=True)
class _Index:
    """Keywords by their first word; those written `word*`, by its first letters, with the whole beginning."""

    whole: dict[str, list[_Keyword]]
    beginnings: dict[str, list[tuple[str, _Keyword]]]
    defaults: dict[str, str]


class _Scores:
    """What each topic and business has gained, in the order of first mention."""

    __slots__ = ("businesses", "topics")

    def __init__(self) -> None:
        self.topics: dict[str, int] = {}
        self.businesses: dict[str, int] = {}

    def add(self, target: str, weight: int) -> None:
        table = self.topics if "." in target else self.businesses
        table[target] = table.get(target, 0) + weight

    def winner(self, index: _Index) -> str | None:
        """Return the topic with most points, its business's included; the first mentioned of equals."""
        if self.topics:
            return max(self.topics, key=lambda topic: self.topics[topic] + self._context(topic))
        if self.businesses:
            return index.defaults[max(self.businesses, key=lambda business: self.businesses[business])]
        return None

    def _context(self, topic: str) -> int:
        return min(self.businesses.get(topic.partition(".")[0], 0), 6)


def _count(index: _Index, words: Sequence[str], factor: int, scores: _Scores) -> None:
    for position, word in enumerate(words):
        found = index.whole.get(word)
        if found:
            _credit(found, words, position, factor, scores)
        begun = index.beginnings.get(word[:LETTERS])
        if begun:
            _credit([keyword for start, keyword in begun if word.startswith(start)], words, position, factor, scores)


def _credit(found: list[_Keyword], words: Sequence[str], position: int, factor: int, scores: _Scores) -> None:
    for keyword in found:
        if not keyword.rest or _follows(words, position + 1, keyword.rest):
            scores.add(keyword.target, keyword.weight * factor)


def _follows(words: Sequence[str], start: int, rest: tuple[str, ...]) -> bool:
    """Say whether the words of `rest` come from `start` on, in their order and not far apart."""
    for wanted in rest:
        for position, word in enumerate(words[start : start + GAP], start + 1):
            if word == wanted or (wanted[-1] == "*" and word.startswith(wanted[:-1])):
                start = position
                break
        else:
            return False
    return True


def _hints(metadata: Mapping[str, Any]) -> Iterator[str]:
    for key, value in metadata.items():
        name = _CAMEL.sub("_", key).lower()
        if name in PERSONAL or name.endswith("_name"):
            continue
        told = value[:200] if isinstance(value, str) and value.lower() not in TIERS else ""
        yield f"{name.replace('_', ' ')} {told}"


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@cache
def _read_topics() -> Mapping[str, Topic]:
    topics = {}
    for business in vocabulary.businesses():
        for name, (en, fr, form, _) in vocabulary.load(f"topics/{business}")["topics"].items():
            key = f"{business}.{name}"
            topics[key] = Topic(
                id=key,
                business=business,
                label=TitlePair(en, vocabulary.typography(fr)),
                feminine=form[0] == "f",
                plural="p" in form,
                bare="-" in form,
            )
    return topics


@cache
def _read_index() -> _Index:
    whole: dict[str, list[_Keyword]] = {}
    beginnings: dict[str, list[tuple[str, _Keyword]]] = {}
    defaults = {}
    for business in vocabulary.businesses():
        data = vocabulary.load(f"topics/{business}")
        defaults[business] = f"{business}.{data['default']}"
        phrases = [(business, 1, phrase) for phrase in data["words"].split(", ")]
        for name, entry in data["topics"].items():
            # A topic's own name tells it, unless it is a word of many uses ("move", "return").
            named = [label for label in entry[:2] if len(tokens(label)) > 1]
            phrases += [(f"{business}.{name}", 3, phrase) for phrase in (*entry[3].split(", "), *named)]
        for target, weight, phrase in phrases:
            _index_phrase(whole, beginnings, target, weight, phrase)
    return _Index(whole, beginnings, defaults)


def _index_phrase(
    whole: dict[str, list[_Keyword]],
    beginnings: dict[str, list[tuple[str, _Keyword]]],
    target: str,
    weight: int,
    phrase: str,
) -> None:
    first, *rest = _phrase_words(phrase.removeprefix("~"))
    keyword = _Keyword(tuple(rest), target, 1 if phrase[0] == "~" else weight + 3 * len(rest))
    if first.endswith("*"):
        beginnings.setdefault(first[:LETTERS], []).append((first[:-1], keyword))
    else:
        whole.setdefault(first, []).append(keyword)


def _phrase_words(phrase: str) -> list[str]:
    """Return the words of a keyword as `tokens` would leave them, beginnings (`word*`) as they are."""
    words: list[str] = []
    for part in phrase.split():
        words += [part] if part.endswith("*") else tokens(part)
    return words
