"""The titles that an app makes for its conversations: pairs in Canadian English and French that mean the same thing.

Owns the choice of a pair and its making; the titles themselves are whole phrases in `vocabulary/titles/`. Invents no
fact about a conversation that has begun: of a message's titles only those are taken whose places the message fills.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.agent import intents, mentions, slots, title_book
from sandbox.agent.slots import Value, pick
from sandbox.agent.title_book import Sides, Title
from sandbox.agent.topics import TOPICS, Topic, detect
from sandbox.agent.turn import TitlePair
from sandbox.rng import Entropy

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
    intent = intents.wanted(text)
    known: Mapping[str, Value] = {}
    fitting = _fitting(topic, text, intent)
    if fitting and any(title.names for _, title in fitting):
        known = mentions.known(text, metadata)
        fitting = [(score, title) for score, title in fitting if known.keys() >= set(title.names)]
    if not fitting:
        return title_book.framed(topic, intent or ("question" if "?" in text else ""))
    best = max([score for score, _ in fitting])
    return _choose([title for score, title in fitting if score == best], entropy, known)


def _fitting(topic: Topic, text: str, intent: str | None) -> list[tuple[int, Title]]:
    """Return the titles that say a text, each with how well: better for a common word, place or intent."""
    stems = title_book.stems(text)
    fitting = []
    for title, lead, strange, telling, sides in title_book.worded(topic, intent):
        if lead > 0 or not telling.isdisjoint(stems):
            score = lead + _points(sides, stems, strange)
            if score > 0:
                fitting.append((score, title))
    return fitting


def _points(sides: Sides, stems: Set[str], strange: int) -> int:
    """Return how well the words of a title say a text, in the language that does it better; `strange` is a penalty."""
    best = -9
    for words, needed, spared in sides:
        unsaid = len(needed - stems)
        if unsaid > spared:
            continue
        said = len(words & stems)
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
    return (_SPECIAL.sub(" ", message) if "[[" in message else message).strip()


_SPECIAL = re.compile(r"\[\[[^\[\]]{0,60}\]\]")


@cache
def _topics() -> tuple[Topic, ...]:
    return tuple(TOPICS.values())
