"""The titles that an app makes for its conversations: pairs in Canadian English and French that mean the same thing.

Owns the choice of a pair and its making; the titles themselves are whole phrases in `vocabulary/titles/`. Invents no
fact about a conversation that has begun: of a message's titles only those are taken whose places the message fills.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.agent import intents, mentions, slots, title_book
from sandbox.agent.slots import Value, pick
from sandbox.agent.title_book import Sides, Title
from sandbox.agent.topics import TOPICS, Topic, detect
from sandbox.agent.turn import TitlePair
from sandbox.sources import Entropy

if TYPE_CHECKING:
    from faker.providers import BaseProvider

LONGEST = 80


def title_pair(
    entropy: Entropy, *, metadata: Mapping[str, Any], custom_title: str | None, message: str | None
) -> TitlePair:
    """Return the title pair that belongs to `entropy`, about what message, custom title or metadata tell."""
    if message is None and custom_title is None and not metadata:
        return draw(entropy.random("title"))
    text = (custom_title or "").strip() if message is None else _plain(message)
    topic = detect(text, metadata)
    if topic is None and message is not None and custom_title:
        topic = detect(custom_title, {})
    if text or message is not None:
        return _about(topic, text, metadata, entropy) if topic else _general(text, metadata, entropy)
    known = mentions.known("", metadata)
    return _choose(title_book.titles(topic), entropy, known) if topic else draw(entropy.random("title"), known)


def draw(random: Random, known: Mapping[str, Value] | None = None) -> TitlePair:
    """Return a pair about anything."""
    return _render(pick(title_book.weighted(pick(_topics(), random)), random), random, known or {})


@cache
def provider() -> type[BaseProvider]:
    """Return the Faker provider with `title_pair()`, for `Faker().add_provider(provider())`."""
    from faker.providers import BaseProvider  # slow to load, and only users of Faker need it

    class TitleProvider(BaseProvider):
        """Draws title pairs from Faker's own generator."""

        def title_pair(self) -> TitlePair:
            """Return a pair in Canadian English and French."""
            return draw(self.generator.random)

    return TitleProvider


def _choose(titles: Sequence[Title], entropy: Entropy, known: Mapping[str, Value]) -> TitlePair:
    """Return the pair that one of `titles` makes."""
    random = entropy.random("title")
    return _render(pick(titles, random), random, known)


def _render(title: Title, random: Random, known: Mapping[str, Value]) -> TitlePair:
    if not title.names:
        return TitlePair(title.english[0], title.french[0])
    values = {name: known.get(name) or slots.draw(name, random, title.pools) for name in title.names}
    return TitlePair(slots.fill(title.english, values, 0), slots.fill(title.french, values, 1))


def _about(topic: Topic, text: str, metadata: Mapping[str, Any], entropy: Entropy) -> TitlePair:
    """Return the pair of a topic that says most of what a text says, and nothing that it doesn't."""
    known = mentions.known(text, metadata)
    ties, intent = _fitting(topic, text, frozenset(known))
    if ties:
        return _choose(ties, entropy, known)
    return title_book.framed(topic, intent or ("question" if "?" in text else ""))


def _fitting(topic: Topic, text: str, known: frozenset[str]) -> tuple[list[Title], str | None]:
    """Return the titles that say a text best, of those whose places are known, and what the text wants.

    A title says it better for a common word, place or intent, worse for what the text has not. The words of the
    topic's name, and those that say the intent they share, it may say unsaid.
    """
    intent = intents.detect(text).intent
    stems = title_book.stems(text)
    named = stems | title_book.named(topic)
    implied = named | title_book.implied(intent)
    best = 3 if intent else 2
    ties: list[Title] = []
    for title, sides in title_book.worded(topic):
        if title.names and not known.issuperset(title.names):
            continue
        if intent is None:
            score = _points(sides, stems, named) + len(title.names)
        elif title.says(intent):
            score = _points(sides, stems, implied) + len(title.names) + 3
        else:
            score = _points(sides, stems, named, strange=3) + len(title.names)
        if score > best:
            best, ties = score, [title]
        elif score == best and ties:
            ties.append(title)
    return ties, intent


def _points(sides: Sides, stems: frozenset[str], implied: frozenset[str], strange: int = 0) -> int:
    """Return how well the words of a title say a text, in the language that does it better; `strange` is a penalty."""
    best = -9
    for words in sides:
        said, unsaid = len(words & stems), len(words - implied)
        if said >= 3 * unsaid:
            # A title of two words that are all in the text is about it, whatever the text seems to want.
            points = 3 * said - 4 * unsaid - (strange if unsaid or said < 2 else 0)
            if points > best:
                best = points
    return best


def _general(text: str, metadata: Mapping[str, Any], entropy: Entropy) -> TitlePair:
    """Return a pair for a text without topic, by what it wants."""
    reading = intents.detect(text)
    known = mentions.known(text, metadata)
    names = frozenset(known)
    for tag in (reading.intent, reading.kind, "info"):
        fitting = [title for title in title_book.general(tag) if names.issuperset(title.names)]
        if fitting:
            telling = [title for title in fitting if title.names]
            return _choose(telling or fitting, entropy, known)
    raise AssertionError("general.txt has no title for `info`")


def _plain(message: str) -> str:
    """Return a message without its special words."""
    return _SPECIAL.sub(" ", message).strip()


_SPECIAL = re.compile(r"\[\[[^\[\]]{0,60}\]\]")


@cache
def _topics() -> tuple[Topic, ...]:
    return tuple(TOPICS.values())
