"""The titles that an app makes for its conversations: pairs in Canadian English and French that mean the same thing.

Owns the choice of a pair and its making; the titles themselves are whole phrases in `vocabulary/titles/`. Invents no
fact about a conversation that has begun: of a message's titles only those are taken whose places the message fills.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.agent import intents, mentions, slots, vocabulary
from sandbox.agent.slots import Pools, Value, pick
from sandbox.agent.text import KEPT
from sandbox.agent.topics import READ, TOPICS, Topic, detect, tokens
from sandbox.agent.turn import TitlePair
from sandbox.sources import Entropy

if TYPE_CHECKING:
    from faker.providers import BaseProvider

LONGEST = 80
STEM = 5  # letters of a word by which a title's words are found in a message


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
    return _choose(_titles(topic), entropy, known) if topic else draw(entropy.random("title"), known)


def draw(random: Random, known: Mapping[str, Value] | None = None) -> TitlePair:
    """Return a pair about anything."""
    return _render(pick(_weighted(pick(_topics(), random)), random), random, known or {})


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


_Words = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Title:
    """A pair with places to fill."""

    intent: str
    english: tuple[str, ...]
    french: tuple[str, ...]
    names: tuple[str, ...]
    pools: Pools


def _choose(titles: Sequence[_Title], entropy: Entropy, known: Mapping[str, Value]) -> TitlePair:
    """Return the pair that one of `titles` makes."""
    random = entropy.random("title")
    return _render(pick(titles, random), random, known)


def _render(title: _Title, random: Random, known: Mapping[str, Value]) -> TitlePair:
    if not title.names:
        return TitlePair(title.english[0], title.french[0])
    values = {name: known.get(name) or slots.draw(name, random, title.pools) for name in title.names}
    return TitlePair(slots.fill(title.english, values, 0), slots.fill(title.french, values, 1))


def _about(topic: Topic, text: str, metadata: Mapping[str, Any], entropy: Entropy) -> TitlePair:
    """Return the pair of a topic that says most of what a text says, and nothing that it doesn't."""
    known = mentions.known(text, metadata)
    fitting = _kept_fitting if len(text) <= KEPT else _fitting
    ties, intent = fitting(topic, text, frozenset(known))
    if ties:
        return _choose(ties, entropy, known)
    return _framed(topic, intent or ("question" if "?" in text else ""))


def _fitting(topic: Topic, text: str, known: frozenset[str]) -> tuple[tuple[_Title, ...], str | None]:
    """Return the titles that say a text best, of those whose places are known, and what the text wants.

    A title says it better for a common word, place or intent, worse for what the text has not. The words of the
    topic's name, and those that say the intent they share, it may say unsaid.
    """
    intent = intents.detect(text).intent
    stems = _stems(text)
    named = stems | _named(topic)
    implied = named | _implied(intent)
    best, ties = 3 if intent else 2, []
    for title, sides in _worded(topic):
        if title.names and not known.issuperset(title.names):
            continue
        if intent is None:
            score = _points(sides, stems, named) + len(title.names)
        elif _same(title.intent, intent):
            score = _points(sides, stems, implied) + len(title.names) + 3
        else:
            score = _points(sides, stems, named, strange=3) + len(title.names)
        if score > best:
            best, ties = score, [title]
        elif score == best and ties:
            ties.append(title)
    return tuple(ties), intent


_kept_fitting = lru_cache(maxsize=512)(_fitting)


def _points(sides: _Words, stems: frozenset[str], implied: frozenset[str], strange: int = 0) -> int:
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


def _same(tag: str, intent: str) -> bool:
    return tag == intent or (tag, intent) in _KIN


_KIN = frozenset(
    {("change", "rescheduling"), ("return", "refund"), ("claim", "problem"), ("problem", "claim"), ("info", "contact")}
)


@cache
def _framed(topic: Topic, intent: str) -> TitlePair:
    """Name a topic and what is wanted of it, or the topic alone where both would say the same."""
    english, french = topic.label
    frame = _frames().get(intent)
    if frame and not (_stems(" ".join(frame)) | _TROUBLES.get(intent, frozenset())) & _named(topic):
        english = frame[0].format(label=english, the=topic.the_en)
        french = frame[1].format(label=french, the=topic.the_fr, of_the=topic.of_the_fr)
    return TitlePair(english[0].upper() + english[1:], french[0].upper() + french[1:])


# Topics that don't go with an intent: nobody has a problem with an outage.
_TROUBLES = {
    "problem": frozenset(("outag", "lost", "damag", "suspi", "absen", "repai", "claim", "compe", "recal")),
    "change": frozenset(("move",)),
    "refund": frozenset(("proof", "trans", "recor", "docum", "state", "quote", "renew")),
    "payment": frozenset(("trade", "quote", "offer", "proof", "recor")),
}


def _general(text: str, metadata: Mapping[str, Any], entropy: Entropy) -> TitlePair:
    """Return a pair for a text without topic, by what it wants."""
    reading = intents.detect(text)
    known = mentions.known(text, metadata)
    names = frozenset(known)
    for tag in (reading.intent, reading.kind, "info"):
        fitting = [title for title in _general_titles(tag) if names.issuperset(title.names)]
        if fitting:
            telling = [title for title in fitting if title.names]
            return _choose(telling or fitting, entropy, known)
    raise AssertionError("general.txt has no title for `info`")


def _plain(message: str) -> str:
    """Return a message without its special words."""
    return _SPECIAL.sub(" ", message).strip()


_SPECIAL = re.compile(r"\[\[[^\[\]]{0,60}\]\]")


def _stems(text: str) -> frozenset[str]:
    """Return the beginnings of a text's telling words."""
    words = [word for word in tokens(text[:READ]) if word not in _NEUTRAL and not word.isdecimal()]
    return frozenset([word.removesuffix("ing")[:STEM] for word in words])


# Words that a title may have though the message has not.
_NEUTRAL_WORDS = (
    "in at by with from after before until since still already that which who does do not no are be will"
    " ne pa non qui dan avec apre avant depuis chez est sont deja encore toujour plus a il elle"
    " when how what why quand comment quel quelle quoi pourquoi ou faut need needed"
)
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())


@cache
def _topics() -> tuple[Topic, ...]:
    return tuple(TOPICS.values())


@cache
def _titles(topic: Topic) -> tuple[_Title, ...]:
    return _read(f"titles/{topic.business}", f"# {topic.id.partition('.')[2]}")


@cache
def _weighted(topic: Topic) -> tuple[_Title, ...]:
    """Return the titles of a topic, those with places thrice, as they can be filled in many ways."""
    return tuple(title for title in _titles(topic) for _ in range(3 if title.names else 1))


@cache
def _named(topic: Topic) -> frozenset[str]:
    """Return the stems of a topic's name."""
    return _stems(" ".join(topic.label))


@cache
def _worded(topic: Topic) -> tuple[tuple[_Title, _Words], ...]:
    """Return the titles of a topic with their stems by language, by which a message is matched."""
    return tuple(
        (title, (_stems(" ".join(title.english[::2])), _stems(" ".join(title.french[::2]))))
        for title in _titles(topic)
    )


@cache
def _general_titles(tag: str | None) -> tuple[_Title, ...]:
    """Return the titles of what has no topic, that say what `tag` means."""
    titles = _read("titles/general", "# general")
    return tuple(title for title in titles if tag is not None and _same(title.intent, tag))


@cache
def _implied(intent: str | None) -> frozenset[str]:
    """Return the stems that say an intent: a title of that intent may have them unsaid in the message."""
    return _stems(" ".join(slots.places(part)[0] for part in _frames().get(intent or "", ())))


@cache
def _frames() -> dict[str, tuple[str, str]]:
    rows = vocabulary.lines("titles/frames")["# frames"]
    return {intent: (english, vocabulary.typography(french)) for intent, english, french in rows}


def _read(name: str, heading: str) -> tuple[_Title, ...]:
    pools = _pools(name)
    return tuple(
        _compile(intent, english, french, pools) for intent, english, french in vocabulary.lines(name)[heading]
    )


@cache
def _pools(name: str) -> Pools:
    return {**slots.shared(), **slots.pools(name)}


def _compile(intent: str, english: str, french: str, pools: Pools) -> _Title:
    parts = tuple(slots.places(text) for text in (english, vocabulary.typography(french)))
    return _Title(
        intent=intent,
        english=parts[0],
        french=parts[1],
        names=tuple(dict.fromkeys(part.partition(".")[0] for side in parts for part in side[1::2])),
        pools=pools,
    )
