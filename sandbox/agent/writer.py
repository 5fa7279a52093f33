"""The users of a demo app: who they are and what they type. Owns their words, neither the hour nor the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from sandbox.agent import intents, language, slots, vocabulary, when
from sandbox.agent.slots import Value, pick
from sandbox.agent.text import fold
from sandbox.agent.turn import Profile, Tool
from sandbox.rng import Entropy

DAY = 86_400
EASTERN = -5 * 3_600  # seconds from UTC of most of the users; daylight saving is left aside

LANGUAGES = ("en", "fr")
_KINDS = {"details": 34, "answer": 24, "documents": 9, "hours": 5, "complaint": 4, "human": 6, "form": 4, "language": 1}
# What else follows a first message with such an intent.
_FITTING = {
    "booking": {"slot": 40, "price": 15, "rescheduling": 10},
    "rescheduling": {"slot": 60},
    "claim": {"incident": 40, "price": 5},
    "quote": {"price": 20, "slot": 10},
    "status": {"number": 40},
    "refund": {"number": 40},
    "documents": {"price": 15},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with their habits: `careless` of capitals and full stops, `plain` without accents."""

    id: str
    language: str
    business: str
    metadata: Mapping[str, Any]
    city: Value
    careless: bool
    plain: bool


def user_of(entropy: Entropy) -> User:
    """Return the person that belongs to `entropy`."""
    random = entropy.random("person")
    spoken = pick(LANGUAGES, random)
    business = pick(vocabulary.businesses(), random)
    people = vocabulary.lines("messages/people")
    city = slots.draw("city", random, slots.shared())
    name = pick(people[f"= {spoken}"], random)[0]
    plans = next(row[1] for row in people["= plan"] if row[0] == business).split(", ")
    told = (
        ("first_name", name, 1.0),
        ("plan_type", pick(plans, random), 0.7),
        ("city", city[0], 0.5),
        ("language", f"{spoken}-ca", 0.6),
    )
    return User(
        id=f"user_{entropy.hex(8, 'id')}",
        language=spoken,
        business=business,
        metadata={key: value for key, value, share in told if random.random() < share},
        city=city,
        careless=random.random() < 0.2,
        plain=random.random() < 0.12,
    )


class Writer:
    """Writes what one user says in one conversation, each text once as long as there are others."""

    def __init__(self, random: Random, user: User, profile: Profile, at: int) -> None:
        self.random = random
        self.user = user
        self.profile = profile
        self.said: set[str] = set()
        self.intent: str | None = None
        self.values: dict[str, Value] = {"city": user.city, **_dates(random, at)}

    def conversation(self, count: int) -> list[str]:
        """Return `count` messages from a first one to a thank-you."""
        openers = _openers(self.user.business, self.user.language)
        topic = pick(tuple(openers), self.random)
        texts: list[str] = []
        if count > 1 and self.random.random() < 0.12:
            texts.append(self._follow_up("first"))
        if count > len(texts):
            texts.append(self._opener(openers[topic]))
            self.intent = intents.wanted(texts[-1])
        closes = count > len(texts) + 1 and self.random.random() < 0.75
        while len(texts) < count - closes:
            texts.append(self._next(openers))
        if closes:
            texts.append(self._follow_up("thanks" if self.random.random() < 0.85 else "goodbye"))
        return texts

    def _opener(self, texts: tuple[str, ...]) -> str:
        asked = self._for_tool(_all_openers(self.user.business, self.user.language)) if self._calls(0.15) else None
        return self._write(asked or self._unsaid(texts))

    def _next(self, openers: Mapping[str, tuple[str, ...]]) -> str:
        if self._calls(0.12):
            asked = self._for_tool(_all_follow_ups(self.user.language))
            if asked:
                return self._write(asked)
            word = self._word_of_tool()
            if word:
                self.values["when"] = (word, word)
                return self._follow_up("tool")
        if self.profile.generative_ui and self.random.random() < 0.08:
            return self._follow_up("form")
        if self.random.random() < 0.06:
            return self._write(self._unsaid(openers[pick(tuple(openers), self.random)]))
        kinds = _KINDS | _FITTING.get(self.intent or "", {})
        return self._follow_up(self.random.choices(tuple(kinds), tuple(kinds.values()))[0])

    def _follow_up(self, kind: str) -> str:
        return self._write(self._unsaid(_follow_ups(self.user.language)[kind]))

    def _calls(self, share: float) -> bool:
        return bool(self.profile.tools) and self.random.random() < share

    def _for_tool(self, texts: tuple[str, ...]) -> str | None:
        """Return one of `texts` that makes the agent call a tool, None where none does."""
        tool = pick(self.profile.tools, self.random)
        fitting = tuple(text for text in _fitting(texts, tool) if text not in self.said)
        return self._unsaid(fitting) if fitting else None

    def _word_of_tool(self) -> str | None:
        """Return a word, in the user's language, that makes the agent call a tool."""
        spoken = self.user.language
        words = [word for tool in self.profile.tools for word in tool.when if len(word) > 5]
        words = [word for word in words if language.detect(word) == spoken]
        return pick(words, self.random) if words else None

    def _unsaid(self, texts: tuple[str, ...]) -> str:
        fresh = tuple(text for text in texts if text not in self.said) or texts
        text = pick(fresh, self.random)
        self.said.add(text)
        return text

    def _write(self, text: str) -> str:
        """Fill the places of a text and type it as this user does."""
        parts = _places(text)
        self.values.pop("day", None)
        for part in parts[1::2]:
            name = part.partition(".")[0]
            if name not in self.values:
                self.values[name] = slots.draw(name, self.random, slots.shared())
        written = slots.fill(parts, self.values, LANGUAGES.index(self.user.language))
        return _typed(written.replace(vocabulary.NO_BREAK, " "), self.user)


def _dates(random: Random, at: int) -> dict[str, Value]:
    """Return days and months near a time, so that what is past is past and what is to come is to come."""
    past, soon = (when.today(at + DAY * sign * (3 + int(random.random() * 20))) for sign in (-1, 1))
    month = when.today(at).month
    months = slots.shared()["month"]
    return {
        "past": slots.date(past.month, past.day),
        "soon": slots.date(soon.month, soon.day),
        "lastmonth": months[(month - 2) % 12],
        "nextmonth": months[month % 12],
    }


def _typed(text: str, user: User) -> str:
    if user.careless and not text.startswith(("I ", "I'", "RRSP", "REER")):
        text = text[0].lower() + text[1:].removesuffix(".")
    return _accentless(text) if user.plain else text


def _accentless(text: str) -> str:
    """Drop the accents, keeping capitals."""
    return "".join(plain.upper() if char.isupper() else plain for char in text for plain in [fold(char) or char])


def _fitting(texts: tuple[str, ...], tool: Tool) -> tuple[str, ...]:
    words = tuple(fold(word) for word in tool.when)
    return tuple(text for text in texts if any(word in _folded(text) for word in words))


@cache
def _folded(text: str) -> str:
    """Fold a text of the vocabulary once a process."""
    return fold(text)


@cache
def _places(text: str) -> tuple[str, ...]:
    """Part a text of the vocabulary once a process."""
    return slots.places(text)


@cache
def _openers(business: str, language: str) -> Mapping[str, tuple[str, ...]]:
    return _texts(f"messages/{business}", language)


@cache
def _all_openers(business: str, language: str) -> tuple[str, ...]:
    return tuple(text for texts in _openers(business, language).values() for text in texts)


@cache
def _follow_ups(language: str) -> Mapping[str, tuple[str, ...]]:
    return _texts("messages/followups", language)


@cache
def _all_follow_ups(language: str) -> tuple[str, ...]:
    return tuple(text for kind in _KINDS for text in _follow_ups(language)[kind])


def _texts(name: str, language: str) -> dict[str, tuple[str, ...]]:
    return {
        heading[2:]: tuple(text for spoken, text in rows if spoken == language)
        for heading, rows in vocabulary.lines(name).items()
    }
