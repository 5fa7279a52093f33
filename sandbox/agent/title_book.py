"""The titles of `vocabulary/titles/`, read and compiled on first use, and the stems by which a message finds them.

Owns no choice and no text: which title is taken is decided in `titles`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from sandbox.agent import slots, vocabulary
from sandbox.agent.slots import Pools
from sandbox.agent.topics import READ, Topic, tokens
from sandbox.agent.turn import TitlePair

_STEM = 5  # letters of a word by which a title's words are found in a message

Sides = Sequence[tuple[Set[str], Set[str], int]]
"""By language the stems of a title, those of them that a text should have, and how many of these it may lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A pair with places to fill."""

    intent: str
    english: tuple[str, ...]
    french: tuple[str, ...]
    names: tuple[str, ...]
    pools: Pools

    def says(self, intent: str) -> bool:
        """Say whether the title speaks of `intent`, or of what comes to the same."""
        return self.intent == intent or (self.intent, intent) in _KIN


class Worded(NamedTuple):
    """A title as a text of some intent is matched with it.

    `lead` are its points before any word is counted, less those that no title is taken for; `strange` is what it costs
    to be of another intent. Where no word is `telling`, none of its `sides` is close enough to the text.
    """

    title: Title
    lead: int
    strange: int
    telling: Set[str]
    sides: Sides


_KIN = frozenset(
    {("change", "rescheduling"), ("return", "refund"), ("claim", "problem"), ("problem", "claim"), ("info", "contact")}
)


@cache
def titles(topic: Topic) -> tuple[Title, ...]:
    """Return the titles of a topic."""
    return _read(f"titles/{topic.business}", f"# {topic.id.partition('.')[2]}")


@cache
def weighted(topic: Topic) -> tuple[Title, ...]:
    """Return the titles of a topic, those with places thrice, as they can be filled in many ways."""
    return tuple(title for title in titles(topic) for _ in range(3 if title.names else 1))


@cache
def named(topic: Topic) -> Set[str]:
    """Return the stems of a topic's name."""
    return stems(" ".join(topic.label))


@cache
def worded(topic: Topic, intent: str | None) -> tuple[Worded, ...]:
    """Return the titles of a topic as a text of an intent is matched with them.

    The words of the topic's name, and those that say an intent they share, may be unsaid in the text.
    """
    return tuple(_worded(title, words, named(topic), intent) for title, words in _stemmed(topic))


def _worded(title: Title, words: Sequence[Set[str]], free: Set[str], intent: str | None) -> Worded:
    says = intent is not None and title.says(intent)
    if says:
        free = free | implied(intent)
    # Three words are said for each that isn't, so that no more than a quarter isn't.
    sides = [(side, side - free, len(side) // 4) for side in words]
    return Worded(
        title=title,
        lead=len(title.names) + (3 if says else 0) - (3 if intent else 2),
        strange=3 if intent and not says else 0,
        telling=frozenset().union(*(needed if len(needed) > spared else side for side, needed, spared in sides)),
        sides=sides,
    )


@cache
def _stemmed(topic: Topic) -> Sequence[tuple[Title, Sequence[Set[str]]]]:
    """Return the titles of a topic, each with its stems by language."""
    return [(title, [stems(" ".join(side[::2])) for side in (title.english, title.french)]) for title in titles(topic)]


@cache
def general(tag: str | None) -> tuple[Title, ...]:
    """Return the titles of what has no topic, that say what `tag` means."""
    if tag is None:
        return ()
    return tuple(title for title in _read("titles/general", "# general") if title.says(tag))


@cache
def implied(intent: str | None) -> Set[str]:
    """Return the stems that say an intent: a title of that intent may have them unsaid in the message."""
    return stems(" ".join(slots.places(part)[0] for part in _frames().get(intent or "", ())))


@cache
def framed(topic: Topic, intent: str) -> TitlePair:
    """Name a topic and what is wanted of it, or the topic alone where both would say the same."""
    english, french = topic.label
    frame = _frames().get(intent)
    if frame and not (stems(" ".join(frame)) | _TROUBLES.get(intent, frozenset())) & named(topic):
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


@cache
def _frames() -> dict[str, tuple[str, str]]:
    """Return how a topic is framed by what is wanted of it, English and French, by intent."""
    rows = vocabulary.lines("titles/frames")["# frames"]
    return {intent: (english, vocabulary.typography(french)) for intent, english, french in rows}


def _read(name: str, heading: str) -> tuple[Title, ...]:
    pools = _pools(name)
    return tuple(
        _compile(intent, english, french, pools) for intent, english, french in vocabulary.lines(name)[heading]
    )


@cache
def _pools(name: str) -> Pools:
    return {**slots.shared(), **slots.pools(name)}


def _compile(intent: str, english: str, french: str, pools: Pools) -> Title:
    parts = tuple(slots.places(text) for text in (english, vocabulary.typography(french)))
    return Title(
        intent=intent,
        english=parts[0],
        french=parts[1],
        names=tuple(dict.fromkeys(part.partition(".")[0] for side in parts for part in side[1::2])),
        pools=pools,
    )


def stems(text: str) -> Set[str]:
    """Return the beginnings of a text's telling words."""
    words = tokens(text[:READ])
    return {word.removesuffix("ing")[:_STEM] for word in words if word not in _NEUTRAL and not word.isdecimal()}


# Words that a title may have though the message has not.
_NEUTRAL_WORDS = (
    "in at by with from after before until since still already that which who does do not no are be will"
    " ne pa non qui dan avec apre avant depuis chez est sont deja encore toujour plus a il elle"
    " when how what why quand comment quel quelle quoi pourquoi ou faut need needed"
)
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
