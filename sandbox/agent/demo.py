"""The conversations that a demo app has had: who wrote, when, and what. Owns what users say and no reply.

A draft holds the user's side alone; whoever stores it asks the voice for the replies and the titles, so that they are
the ones that a live conversation would have got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from time import gmtime, struct_time
from typing import Any, TypeVar

from sandbox.agent import intents, language, slots, vocabulary
from sandbox.agent.slots import Value
from sandbox.agent.text import fold
from sandbox.agent.turn import Profile, Tool
from sandbox.sources import Entropy

T = TypeVar("T")
DAY = 86_400
DAYS = 30
EASTERN = -5 * 3_600  # seconds from UTC of most of the users; daylight saving is left aside

_LANGUAGES = ("en", "fr")
# How many of a hundred conversations begin in each hour of the day.
_HOURS = (1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 8, 8, 7, 7, 7, 7, 6, 6, 6, 5, 3, 2, 1)
_EXCHANGES = (10, 20, 24, 18, 13, 9, 6)
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
class Exchange:
    """A message of the user at a time in Unix seconds, and when it was answered: None where it never was."""

    at: int
    text: str
    answered_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A conversation as its user made it; `titled` where the system has made its title, after the first answer."""

    created_at: int
    external_user_id: str | None
    title: str | None
    metadata: Mapping[str, Any]
    deleted: bool
    titled: bool
    exchanges: tuple[Exchange, ...]


def conversations(
    entropy: Entropy, *, now: int, profile: Profile, conversations: int, messages: int | None, users: int
) -> Iterator[Draft]:
    """Yield so many conversations of the 30 days before `now`, the oldest first.

    Each has `messages` messages of both sides together (an odd one is a user's that waits for its answer), or where
    that is None as many as people write. Without `users` the conversations belong to nobody.
    """
    people = [_user(entropy.at("user", number)) for number in range(min(users, conversations))]
    for number, created_at in enumerate(_starts(entropy.random("starts"), now, conversations)):
        random = entropy.random("draft", number)
        # The first conversations go round, so that every user has one.
        place = number if number < len(people) else int(random.random() * len(people))
        user = people[place] if people else _user(entropy.at("nobody", number))
        yield _draft(random, user, profile, created_at, now, messages, known=bool(people))


@dataclass(frozen=True, slots=True, kw_only=True)
class _User:
    """A person with their habits: `careless` of capitals and full stops, `plain` without accents."""

    id: str
    language: str
    business: str
    metadata: Mapping[str, Any]
    city: Value
    careless: bool
    plain: bool


def _user(entropy: Entropy) -> _User:
    random = entropy.random("person")
    spoken = _pick(_LANGUAGES, random)
    business = _pick(vocabulary.businesses(), random)
    people = vocabulary.lines("messages/people")
    city = slots.draw("city", random, slots.shared())
    name = _pick(people[f"= {spoken}"], random)[0]
    plans = next(row[1] for row in people["= plan"] if row[0] == business).split(", ")
    told = (
        ("first_name", name, 1.0),
        ("plan_type", _pick(plans, random), 0.7),
        ("city", city[0], 0.5),
        ("language", f"{spoken}-ca", 0.6),
    )
    return _User(
        id=f"user_{entropy.hex(8, 'id')}",
        language=spoken,
        business=business,
        metadata={key: value for key, value, share in told if random.random() < share},
        city=city,
        careless=random.random() < 0.2,
        plain=random.random() < 0.12,
    )


def _starts(random: Random, now: int, count: int) -> list[int]:
    """Return when the conversations begin, in order: more by day than by night."""
    midnight = now - (now + EASTERN) % DAY
    hours = random.choices(range(24), _HOURS, k=count)
    days = (midnight - int(random.random() * DAYS) * DAY for _ in range(count))
    starts = (day + hour * 3_600 + int(random.random() * 3_600) for day, hour in zip(days, hours, strict=True))
    return sorted(start if start <= now else start - DAY for start in starts)


def _draft(
    random: Random, user: _User, profile: Profile, created_at: int, now: int, messages: int | None, *, known: bool
) -> Draft:
    count, unanswered = _length(random, messages)
    texts = _Texts(random, user, profile, created_at).conversation(count)
    exchanges = tuple(_timed(random, texts, created_at, now, unanswered=unanswered))
    titles = vocabulary.lines("messages/people")["= title"]
    return Draft(
        created_at=created_at,
        external_user_id=user.id if known else None,
        title=_pick(titles, random)[_LANGUAGES.index(user.language)] if random.random() < 0.15 else None,
        metadata=user.metadata if random.random() < 0.9 else {},
        deleted=random.random() < 0.08,
        titled=any(exchange.answered_at is not None for exchange in exchanges),
        exchanges=exchanges,
    )


def _length(random: Random, messages: int | None) -> tuple[int, bool]:
    """Return how many messages the user writes, and whether the last one has no answer."""
    if messages is not None:
        return (messages + 1) // 2, messages % 2 == 1
    count = random.choices(range(len(_EXCHANGES)), _EXCHANGES)[0]
    return count, count > 0 and random.random() < 0.04


def _timed(random: Random, texts: list[str], start: int, now: int, *, unanswered: bool) -> Iterator[Exchange]:
    """Put the messages and their answers on the clock, closer together where there isn't time enough until `now`."""
    pauses: list[int] = []
    for number in range(len(texts)):
        later = number > 0 and random.random() < 0.05
        pauses += [int(3_600 * (1 + 20 * random.random())) if later else int(15 + random.random() * 150)]
        pauses += [int(2 + random.random() * 8)]
    scale = min(1.0, (now - start) / sum(pauses)) if pauses else 1.0
    passed = 0
    for number, text in enumerate(texts):
        passed += pauses[2 * number]
        at = start + int(passed * scale)
        passed += pauses[2 * number + 1]
        last = number == len(texts) - 1
        yield Exchange(at=at, text=text, answered_at=None if last and unanswered else start + int(passed * scale))


class _Texts:
    """Writes what one user says in one conversation, each text once as long as there are others."""

    def __init__(self, random: Random, user: _User, profile: Profile, at: int) -> None:
        self.random = random
        self.user = user
        self.profile = profile
        self.said: set[str] = set()
        self.intent: str | None = None
        self.values: dict[str, Value] = {"city": user.city, **_dates(random, at)}

    def conversation(self, count: int) -> list[str]:
        """Return `count` messages from a first one to a thank-you."""
        openers = _openers(self.user.business, self.user.language)
        topic = _pick(tuple(openers), self.random)
        texts: list[str] = []
        if count > 1 and self.random.random() < 0.12:
            texts.append(self._follow_up("first"))
        if count > len(texts):
            texts.append(self._opener(openers[topic]))
            self.intent = intents.detect(texts[-1]).intent
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
            return self._write(self._unsaid(openers[_pick(tuple(openers), self.random)]))
        kinds = _KINDS | _FITTING.get(self.intent or "", {})
        return self._follow_up(self.random.choices(tuple(kinds), tuple(kinds.values()))[0])

    def _follow_up(self, kind: str) -> str:
        return self._write(self._unsaid(_follow_ups(self.user.language)[kind]))

    def _calls(self, share: float) -> bool:
        return bool(self.profile.tools) and self.random.random() < share

    def _for_tool(self, texts: tuple[str, ...]) -> str | None:
        """Return one of `texts` that makes the agent call a tool, None where none does."""
        tool = _pick(self.profile.tools, self.random)
        fitting = tuple(text for text in _fitting(texts, tool) if text not in self.said)
        return self._unsaid(fitting) if fitting else None

    def _word_of_tool(self) -> str | None:
        """Return a word, in the user's language, that makes the agent call a tool."""
        spoken = self.user.language
        words = [word for tool in self.profile.tools for word in tool.when if len(word) > 5]
        words = [word for word in words if language.detect(word) == spoken]
        return _pick(words, self.random) if words else None

    def _unsaid(self, texts: tuple[str, ...]) -> str:
        fresh = tuple(text for text in texts if text not in self.said) or texts
        text = _pick(fresh, self.random)
        self.said.add(text)
        return text

    def _write(self, text: str) -> str:
        """Fill the places of a text and type it as this user does."""
        parts = slots.places(text)
        self.values.pop("day", None)
        for part in parts[1::2]:
            name = part.partition(".")[0]
            if name not in self.values:
                self.values[name] = slots.draw(name, self.random, slots.shared())
        written = slots.fill(parts, self.values, _LANGUAGES.index(self.user.language))
        return _typed(written.replace(vocabulary.NO_BREAK, " "), self.user)


def _dates(random: Random, at: int) -> dict[str, Value]:
    """Return days and months near a time, so that what is past is past and what is to come is to come."""
    past, soon = (_near(at + DAY * sign * (3 + int(random.random() * 20))) for sign in (-1, 1))
    month = _near(at).tm_mon
    months = slots.shared()["month"]
    return {
        "past": slots.date(past.tm_mon, past.tm_mday),
        "soon": slots.date(soon.tm_mon, soon.tm_mday),
        "lastmonth": months[(month - 2) % 12],
        "nextmonth": months[month % 12],
    }


def _near(at: int) -> struct_time:
    return gmtime(at + EASTERN)


def _typed(text: str, user: _User) -> str:
    if user.careless and not text.startswith(("I ", "I'", "RRSP", "REER")):
        text = text[0].lower() + text[1:].removesuffix(".")
    return _accentless(text) if user.plain else text


def _accentless(text: str) -> str:
    """Drop the accents, keeping capitals."""
    return "".join(plain.upper() if char.isupper() else plain for char in text for plain in [fold(char) or char])


def _fitting(texts: tuple[str, ...], tool: Tool) -> tuple[str, ...]:
    words = tuple(fold(word) for word in tool.when)
    return tuple(text for text in texts if any(word in fold(text) for word in words))


def _pick(options: Sequence[T], random: Random) -> T:
    return options[int(random.random() * len(options))]


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
