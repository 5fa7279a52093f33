"""Finds the entries of a business that a text may ask for, by the words that it shares with their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import log
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.businesses import Business, Entry, business
from sandbox.agent.text import HARD, fold, is_time, read, stem, stems

SURE: Final = 0.68
_TIME: Final = 0.6  # a day or a part of it is said with anything
_ELSEWHERE: Final = 0.8  # what an entry is worth where a message names another topic
_ASKABLE: Final = 0.35  # one that isn't sure is only worth a question if it has so much of what is said
_MIN_WEIGHT: Final = 2.6  # a sample's words that are met weigh at least so much, or it is a coincidence
_MIN_SHARE: Final = 0.22  # of what a message says, an entry that is sure accounts for so much
_WHOLE: Final = 0.99  # a light sample counts if all of it is met, and it is most of the message
_MOST_OF_IT: Final = 0.6
_PASSING: Final = 0.7  # what an entry is worth that a long message has only touched
_COVERED: Final = 0.3
_CONTEXT: Final = 0.5  # what a word counts that was not said now, but is what the conversation is about
_THIN: Final = 0.5  # a sample of which one word is left counts if that is so much of a message
_COMMON: Final = 0.8  # what an entry of every business is worth beside the business's own
_TAUGHT: Final = 1.5  # what an entry of an agent profile is worth beside those of its trade
_SPREAD: Final = 4  # a topic's word is only heard as half said if so many entries have it: a rare one tells an entry


class _Sample(NamedTuple):
    """What one sample weighs. `thin`: it says more than one word, but only one of them tells."""

    entry: Entry
    weight: float
    thin: bool


class _Message(NamedTuple):
    """A message as samples are held against it.

    `told` are its words that are known, `total` is what all of it weighs, `named` the topics that it names.
    """

    kind: str | None
    told: Sequence[str]
    total: float
    named: frozenset[str]
    booked: bool


class _Fit(NamedTuple):
    """How an entry fits a message, whichever of its samples is met.

    `about` is how much of the message any sample has; `likely` and `worth` are factors; a sample that is thin counts
    where the message is `thin` enough.
    """

    about: float
    likely: float
    worth: float
    thin: bool


class Index:
    """The samples of one business, found by the stems of their words."""

    def __init__(self, known: Business) -> None:
        self.known = known
        told = [(entry, text, stems(text)) for entry in known.entries.values() for text in sum(entry.samples, ())]
        self.phrases = _phrases(known, told)
        texts = [(entry, text, words) for entry, text, words in told if words and not entry.whole]
        self.entries_of: dict[str, set[str]] = {}
        for entry, _, words in texts:
            for word in words:
                self.entries_of.setdefault(word, set()).add(entry.id)
        count = len(known.entries)
        self.rare = log(1 + count)
        self.weights: Mapping[str, float] = {
            word: log(1 + count / len(ids)) * _worth(word) for word, ids in self.entries_of.items()
        }
        self.samples: list[_Sample] = []
        self.postings: dict[str, list[int]] = {}
        for sample in texts:
            self._add(*sample)
        self.topic_of = _topic_words(known)
        common = frozenset(word for word, ids in self.entries_of.items() if len(ids) >= _SPREAD)
        self.topic_stems = {key: common & _stems_of(topic.words) for key, topic in known.topics.items()}

    def _add(self, entry: Entry, text: str, words: Sequence[str]) -> None:
        """Keep one sample."""
        for word in words:
            self.postings.setdefault(word, []).append(len(self.samples))
        weight = sum(self.weights[word] for word in words)
        self.samples.append(_Sample(entry, weight, len(words) == 1 and len(read(text).words) > 1))

    def knows(self, words: Sequence[str]) -> bool:
        """Say whether any of these stems tells an entry."""
        return any(map(self._known, words))

    def find(
        self, words: Sequence[str], kind: str | None, topic: str | None, *, booked: bool
    ) -> list[tuple[float, float, Entry]]:
        """Return the entries that a message may ask for, the likeliest first, each with how likely it is.

        `words` are its stems; `topic` is what the conversation is about, whose words are heard as half said.
        """
        message = self._read(words, kind, booked=booked)
        heard, total, samples = self._heard(message), message.total, self.samples
        fits: dict[str, _Fit] = {}
        best: dict[str, tuple[float, float, Entry]] = {}
        for number, weight in self._met(words, message.told, topic).items():
            entry, full, thin = samples[number]
            share, about = weight / full, heard[entry.id] / total
            # Most share a word or two by chance: they are left aside before anything else is asked.
            if about < _ASKABLE and share + _COVERED * (1 - share) * about < SURE:
                continue
            if weight < _MIN_WEIGHT and share <= _WHOLE:
                continue
            fit = fits.get(entry.id) or fits.setdefault(entry.id, self._fit(entry, min(about, 1.0), message))
            if thin and (not fit.thin or weight / total < _THIN):
                continue
            rank, likely = _rated(weight, share, weight / total, fit)
            known = best.get(entry.id)
            if rank and (known is None or rank > known[0]):
                best[entry.id] = (rank, likely, entry)
        return sorted(best.values(), key=lambda found: -found[0])

    def _read(self, words: Sequence[str], kind: str | None, *, booked: bool) -> _Message:
        told, total, strange = list[str](), 0.0, 0
        for word in words:
            known = self._known(word)
            if known:
                told.append(known)
                total += self.weights[known] * _worth(known)
            elif not word[0].isdecimal() and not is_time(word):
                strange += 1
        total += self.rare * strange
        named = frozenset([self.topic_of[word] for word in told if word in self.topic_of])
        return _Message(kind, told, total or 1.0, named, booked)

    def _heard(self, message: _Message) -> dict[str, float]:
        """Return by entry what weighs of a message that any of its samples has."""
        heard: dict[str, float] = {}
        for word in message.told:
            weight = self.weights[word]
            for entry in self.entries_of[word]:
                heard[entry] = heard.get(entry, 0.0) + weight
        return heard

    def _fit(self, entry: Entry, about: float, message: _Message) -> _Fit:
        likely = _fitness(entry, message.kind) if message.booked or not entry.needs else 0.0
        if message.named and entry.topic and entry.topic not in message.named:
            likely *= 1.0 if entry.id in self.speaks_of(message.named) else _ELSEWHERE
        common = entry.id in self.known.common
        worth = _TAUGHT if entry.id in self.known.taught else _COMMON if common else 1.0
        return _Fit(about, likely, worth, not common or _is_for(entry, message.kind))

    @lru_cache(maxsize=256)  # noqa: B019 - an index lives as long as its process
    def speaks_of(self, topics: frozenset[str]) -> frozenset[str]:
        """Return the entries of which a sample has a word that tells one of these topics."""
        words = [word for word, topic in self.topic_of.items() if topic in topics]
        return frozenset(entry for word in words for entry in self.entries_of.get(word, ()))

    def _met(self, words: Sequence[str], told: Sequence[str], topic: str | None) -> dict[int, float]:
        """Return by sample what weighs that it shares with a message."""
        met: dict[int, float] = {}
        for word in told:
            weight = self.weights[word]
            if not met:
                met = dict.fromkeys(self.postings[word], weight)
                continue
            for number in self.postings[word]:
                met[number] = met.get(number, 0.0) + weight
        if topic:
            context = self._context(topic)
            for number in met.keys() & context.keys():
                for word in context[number]:
                    if word not in words:
                        met[number] += self.weights[word] * _CONTEXT
        return met

    @cache  # noqa: B019 - an index lives as long as its process
    def _context(self, topic: str) -> Mapping[int, Sequence[str]]:
        """Return by sample which words of a topic it has, in one order: sums differ in their last bit by it."""
        found: dict[int, list[str]] = {}
        for word in sorted(self.topic_stems.get(topic, ())):
            for number in self.postings[word]:
                found.setdefault(number, []).append(word)
        return found

    @lru_cache(maxsize=4_096)  # noqa: B019 - an index lives as long as its process
    def _known(self, word: str) -> str | None:
        """Return the known word that a stem is, or stands for where it is mistyped."""
        return word if word in self.weights else self._corrected(word)

    @cache  # noqa: B019 - an index lives as long as its process
    def _deletes(self) -> Mapping[str, str]:
        """Return words with one letter taken out, and the word that each may stand for."""
        table: dict[str, str] = {}
        for word in self.weights:
            if len(word) >= 5:
                for at in range(len(word)):
                    table.setdefault(word[:at] + word[at + 1 :], word)
        return table

    def _corrected(self, word: str) -> str | None:
        """Return the known word that a mistyped one stands for, None where there is none, or it is a word itself."""
        if len(word) < 4 or word in spelt():
            return None
        table = self._deletes()
        found = table.get(word)
        if found and found[0] == word[0]:
            return found
        if len(word) < 5:
            return None
        for at in range(1, len(word)):
            shorter = word[:at] + word[at + 1 :]
            if shorter in self.weights and len(shorter) > 4:
                return shorter
            found = table.get(shorter)
            if found and len(found) == len(word) and found[0] == word[0]:
                return found
        return None


def _phrases(known: Business, told: Sequence[tuple[Entry, str, Sequence[str]]]) -> dict[tuple[str, ...], Entry]:
    """Return the samples that are only heard word for word, as too little in them tells."""
    own = {tuple(read(text).words) for entry, text, _ in told if entry.id not in known.common}
    phrases: dict[tuple[str, ...], Entry] = {}
    for entry, text, words in told:
        phrase = tuple(read(text).words)
        common = entry.id in known.common
        if (entry.whole or not words or (common and len(words) < 2)) and not (common and phrase in own):
            phrases.setdefault(phrase, entry)
    return phrases


def _rated(weight: float, share: float, covered: float, fit: _Fit) -> tuple[float, float]:
    """Return how a sample ranks of which a message has so much, and how likely it is meant; 0 for a coincidence."""
    if weight < _MIN_WEIGHT and covered <= _MOST_OF_IT:
        return 0.0, 0.0
    # A short message that is all about an entry needn't have all words of a sample.
    likely = (share + _COVERED * (1 - share) * fit.about) * fit.likely
    if covered < _MIN_SHARE:
        likely *= _PASSING
    if likely < SURE and fit.about < _ASKABLE:
        return 0.0, 0.0
    return likely * likely * weight * (0.8 + 0.4 * fit.about) * fit.worth, likely


def _worth(word: str) -> float:
    return _TIME if is_time(word) else 1.0


def _stems_of(words: Sequence[str]) -> frozenset[str]:
    return frozenset(stem for word in words for stem in stems(word))


def _topic_words(known: Business) -> Mapping[str, str]:
    """Return the stems that tell one topic and no other."""
    found: dict[str, set[str]] = {}
    for topic in known.topics.values():
        for word in topic.words:
            words = stems(word)
            if len(words) == 1:
                found.setdefault(words[0], set()).add(topic.id)
    return {word: min(topics) for word, topics in found.items() if len(topics) == 1}


@cache
def spelt() -> frozenset[str]:
    """Return the stems of words that are spelt right, so that none is taken for another."""
    return frozenset(stem(fold(word)) for lang in ("en", "fr") for word in vocabulary.spelt(lang))


@lru_cache(maxsize=256)
def index(name: str) -> Index:
    """Return the index of a business."""
    return Index(business(name))


def _is_for(entry: Entry, kind: str | None) -> bool:
    """Say whether an entry answers a kind of question, or what is told without one."""
    return kind in entry.kinds if kind else not entry.kinds.isdisjoint(("want", "problem"))


def _fitness(entry: Entry, kind: str | None) -> float:
    """Return how well an entry answers a kind of question: 1, or less where it answers another one."""
    if kind in entry.kinds:
        return 1.0
    if kind in HARD:
        near = {"when": "howlong", "howlong": "when"}.get(kind or "")
        return 0.85 if near in entry.kinds else 0.62
    soft = not entry.kinds.isdisjoint(("yesno", "what", "how", "which", "problem", "want"))
    return 1.0 if soft else 0.72
