"""What a conversation can be about: the businesses, their topics, and how a text shows its topic.

Owns the list of topics and their detection; says nothing to anybody. The words are in `vocabulary/topics/`, in both
languages; nothing is read before it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sandbox.agent import vocabulary
from sandbox.agent.phrases import Phrases
from sandbox.agent.text import KEPT, fold, read
from sandbox.agent.turn import TitlePair

READ = 2_000  # characters of a text that are looked at
_GAP = 3  # the next word of a keyword is one of so many that follow
_MOST_CONTEXT = 6  # points that a topic gets at most for words of its business

# Plans that say how much is bought, not what.
_TIERS = "premium basic standard gold silver platinum free pro plus enterprise starter trial"
TIERS = frozenset(_TIERS.split())

# Metadata about the person, not about the matter.
_PERSONAL = (
    "name first_name last_name firstname lastname full_name city town province state country address street postal_code"
    " language lang locale email phone company id user_id external_id uuid age gender birthday timezone"
)
PERSONAL = frozenset(_PERSONAL.split())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
    points: dict[str, int] = {}
    for target, weight in _told(text) if len(text) <= KEPT else _tell(text[:READ]):
        points[target] = points.get(target, 0) + 2 * weight
    for key, value in metadata.items():
        for target, weight in _hinted(key, value[:200] if isinstance(value, str) else ""):
            points[target] = points.get(target, 0) + weight
    return _winner(points) if points else None


def _tell(text: str) -> list[tuple[str, int]]:
    """Return which topics and businesses a text names, and how much."""
    return _keywords().find(tokens(text))


_told = lru_cache(maxsize=512)(_tell)


@lru_cache(maxsize=512)
def _hinted(key: str, value: str) -> list[tuple[str, int]]:
    """Return what one entry of the metadata tells; kept, as all messages of a conversation come with the same."""
    name = _CAMEL.sub("_", key).lower()
    if name in PERSONAL or name.endswith("_name"):
        return []
    return _tell(f"{name.replace('_', ' ')} {'' if value.lower() in TIERS else value}")


@lru_cache(maxsize=512)
def of_plan(plan: str) -> Topic | None:
    """Return the topic that a plan belongs to, None for one that tells none; kept, as an app has few plans."""
    return detect("", {"plan_type": plan})


def _winner(points: Mapping[str, int]) -> Topic:
    """Return the topic with most points, its business's included; the first mentioned of equals.

    Where only businesses are mentioned, it is the usual topic of the one with most.
    """
    topics = _read_topics()
    winner, most = None, 0
    for target, own in points.items():
        topic = topics.get(target)
        if topic:
            total = own + min(points.get(topic.business, 0), _MOST_CONTEXT)
            if total > most:
                winner, most = topic, total
    return winner or topics[_usual(max(points, key=points.__getitem__))]


@lru_cache(maxsize=16)
def tokens(text: str) -> list[str]:
    """Return the words of a text, folded, in the singular, without the small words of both languages."""
    folded, words, spaced = read(text)
    if not spaced.isascii():
        words = _WORD.findall(folded)
    return [word[:-1] if word[-1] in "sx" and len(word) > 3 else word for word in words if word not in _SMALL]


_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = (
    "a an the my your our his her their for of to on is it at this that i t s"
    " d l m n c j qu de du des la le les un une mon ma mes ton ta tes son sa ses votre vos notre nos leur leurs pour"
    " sur au aux et en que ce cet cette ces"
)
_SMALL = frozenset(_SMALL_WORDS.split())


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


def _usual(business: str) -> str:
    return f"{business}.{vocabulary.load(f'topics/{business}')['default']}"


@cache
def _keywords() -> Phrases[tuple[str, int]]:
    """Return the phrases that tell a topic or a business, each with whom it tells and how much."""
    return Phrases(_read_keywords(), gap=_GAP)


def _read_keywords() -> Iterator[tuple[list[str], tuple[str, int]]]:
    for business in vocabulary.businesses():
        data = vocabulary.load(f"topics/{business}")
        phrases = [(business, 1, phrase) for phrase in data["words"].split(", ")]
        for name, entry in data["topics"].items():
            # A topic's own name tells it, unless it is a word of many uses ("move", "return").
            named = [label for label in entry[:2] if len(tokens(label)) > 1]
            phrases += [(f"{business}.{name}", 3, phrase) for phrase in (*entry[3].split(", "), *named)]
        for target, weight, phrase in phrases:
            words = _phrase_words(phrase.removeprefix("~"))
            yield words, (target, 1 if phrase[0] == "~" else weight + 3 * (len(words) - 1))


def _phrase_words(phrase: str) -> list[str]:
    """Return the words of a keyword as `tokens` would leave them, beginnings (`word*`) as they are."""
    words: list[str] = []
    for part in phrase.split():
        words += [part] if part.endswith("*") else tokens(part)
    return words
