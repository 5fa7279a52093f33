"""The titles of `vocabulary/titles/`, read and compiled on first use, and the stems by which a message finds them.

Owns no choice and no text: which title is taken is decided in `titles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sandbox.agent import slots, vocabulary
from sandbox.agent.slots import Pools
from sandbox.agent.topics import READ, Topic, tokens
from sandbox.agent.turn import TitlePair

_STEM = 5  # letters of a word by which a title's words are found in a message

Sides = tuple[frozenset[str], frozenset[str]]


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
def named(topic: Topic) -> frozenset[str]:
    """Return the stems of a topic's name."""
    return stems(" ".join(topic.label))


@cache
def worded(topic: Topic) -> tuple[tuple[Title, Sides], ...]:
    """Return the titles of a topic with their stems by language, by which a message is matched."""
    return tuple(
        (title, (stems(" ".join(title.english[::2])), stems(" ".join(title.french[::2])))) for title in titles(topic)
    )


@cache
def general(tag: str | None) -> tuple[Title, ...]:
    """Return the titles of what has no topic, that say what `tag` means."""
    if tag is None:
        return ()
    return tuple(title for title in _read("titles/general", "# general") if title.says(tag))


@cache
def implied(intent: str | None) -> frozenset[str]:
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


def stems(text: str) -> frozenset[str]:
    """Return the beginnings of a text's telling words."""
    words = set(tokens(text[:READ])) - _NEUTRAL
    return frozenset([word.removesuffix("ing")[:_STEM] for word in words if not word.isdecimal()])


# Words that a title may have though the message has not.
_NEUTRAL_WORDS = (
    "in at by with from after before until since still already that which who does do not no are be will"
    " ne pa non qui dan avec apre avant depuis chez est sont deja encore toujour plus a il elle"
    " when how what why quand comment quel quelle quoi pourquoi ou faut need needed"
)
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
