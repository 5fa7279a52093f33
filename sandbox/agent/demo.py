"""The conversations that an app has had: who wrote, when, and what each customer writes next.

The customers write the samples of their business's entries, and answer what the agent asked, which the ledger tells;
so a conversation that is made up here goes as a live one would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

from sandbox.agent import dates, vocabulary
from sandbox.agent.businesses import Entry, business
from sandbox.agent.text import fold
from sandbox.agent.turn import Language, Ledger, Pair
from sandbox.rng import Entropy

DAY: Final = 86_400
DAYS: Final = 30
EASTERN: Final = -5 * 3_600  # seconds from UTC of most of the users; daylight saving is left aside

# How many of a hundred conversations begin in each hour of the day, and have so many exchanges.
_HOURS: Final = (1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 8, 8, 7, 7, 7, 7, 6, 6, 6, 5, 3, 2, 1)
_EXCHANGES: Final = (10, 20, 24, 18, 13, 9, 6)

_GREETING = re.compile(r"^(?:hi|hello|hey|good \w+|bonjour|bonsoir|salut|allô|allo)\b[ ,!.]*", re.IGNORECASE)


class Start(NamedTuple):
    """When a conversation begins, in Unix seconds, and how many exchanges it has; `unanswered`: the last one waits."""

    at: int
    exchanges: int
    unanswered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with their habits: `careless` of capitals and full stops, `plain` without accents."""

    id: str
    lang: Language
    name: str
    metadata: Mapping[str, Any]
    careless: bool
    plain: bool


@dataclass(slots=True)
class Customer:
    """One user in one conversation: writes what the agent's last reply calls for."""

    random: Random
    user: User
    business: str
    entries: list[Entry] = field(default_factory=list)

    def writes(self, ledger: Ledger, *, last: bool) -> str:
        """Return the next message; `last` where it is the last one of several."""
        text = self._answer(ledger)
        if text is None:
            text = self._pick(_answers()["thanks"]) if last and self.entries else self._opener()
        return _typed(text, self.user)

    def _answer(self, ledger: Ledger) -> str | None:
        """Return the answer to the agent's open question, None where it has none."""
        asked = ledger.asked
        if asked == "when":
            return self._choice(ledger.options)
        if asked in _answers():
            return self._pick(_answers()[asked])
        if asked == "name":
            return self.user.name
        if asked == "phone":
            area = vocabulary.pick(("514", "438", "450", "418", "613"), self.random)
            return f"{area}-555-01{10 + int(self.random.random() * 90)}"
        if asked == "email":
            return f"{fold(self.user.name).replace(' ', '.')}@example.com"
        if asked in ("ref", "last4"):
            number = 100_000 + int(self.random.random() * 899_999)
            return f"{number}"[:4] if asked == "last4" else f"{business(self.business).facts['code'].en}-{number}"
        return None

    def _choice(self, options: Sequence[str]) -> str:
        """Return the choice of one of the openings."""
        opening = dates.from_iso(vocabulary.pick(options, self.random)) if options else None
        if opening is None:
            return self._pick(_answers()["confirm"])
        said = dates.write_opening(opening, self.user.lang).replace(vocabulary.NO_BREAK, " ")
        return self._pick((Pair(f"{said} works", f"{said}, c'est parfait"), Pair(f"{said} please", f"le {said} svp")))

    def _opener(self) -> str:
        """Return a first message about something not yet written about, of the same topic where that is possible."""
        entry = self._next_entry()
        text = entry.samples[0 if self.user.lang == "en" else 1][0]
        if self.entries:
            text = _GREETING.sub("", text)
            lead = f"{self._pick(_answers()['more'])} " if self.random.random() < 0.5 else ""
            text = lead + (text[:1].lower() + text[1:] if lead[-2:] == ", " and text[1:2].islower() else text)
        self.entries.append(entry)
        return text

    def _next_entry(self) -> Entry:
        pool = _openers(self.business)
        fresh = [entry for entry in pool if entry not in self.entries] or pool
        near = [entry for entry in fresh if self.entries and entry.topic == self.entries[-1].topic]
        return vocabulary.pick(near or fresh, self.random)

    def _pick(self, pairs: Sequence[Pair]) -> str:
        return vocabulary.pick(pairs, self.random).of(self.user.lang)


@cache
def _answers() -> Mapping[str, Sequence[Pair]]:
    """Return by slot what made-up customers answer."""
    return {head[2:]: [Pair(*row) for row in rows] for head, rows in vocabulary.lines("customers").items()}


@cache
def _openers(name: str) -> Sequence[Entry]:
    """Return what made-up customers of a business write about: what needs a story of their own is left to people."""
    return [
        entry
        for entry in business(name).entries.values()
        if entry.topic and not entry.alone and not entry.needs and not any("detail" in slots for _, slots in entry.asks)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A conversation as its user begins it."""

    start: Start
    user: User
    known: bool
    title: str | None
    metadata: Mapping[str, Any]
    deleted: bool
    customer: Customer

    def times(self, now: int) -> Iterator[tuple[int, int]]:
        """Yield when each message is written and answered, closer together where there isn't time until `now`."""
        random, pauses = self.customer.random, list[tuple[int, int]]()
        for number in range(self.start.exchanges):
            later = number > 0 and random.random() < 0.05
            wrote = int(3_600 * (1 + 20 * random.random())) if later else int(15 + random.random() * 150)
            pauses.append((wrote, int(2 + random.random() * 8)))
        total = sum(map(sum, pauses))
        scale = min(1.0, (now - self.start.at) / total) if total else 1.0
        passed = 0
        for wrote, answered in pauses:
            yield (
                self.start.at + int((passed + wrote) * scale),
                self.start.at + int((passed + wrote + answered) * scale),
            )
            passed += wrote + answered


def conversations(
    entropy: Entropy,
    *,
    now: int,
    business_name: str,
    conversations: int,
    messages: int | None,
    users: int,
    user_id: str | None = None,
) -> Iterator[Draft]:
    """Yield so many conversations of the 30 days before `now`, the oldest first.

    Each has `messages` messages of both sides together (an odd one is a user's that waits for its answer), or where
    that is None as many as people write. Without `users` the conversations belong to nobody.
    With a `user_id` they all belong to the one user who has it.
    """
    people = [user_of(entropy.at("user", number)) for number in range(min(users, conversations))]
    if user_id is not None:
        people = [replace(user_of(entropy.at("user", 0)), id=user_id)]
    for number, at in enumerate(_starts(entropy.random("starts"), now, conversations)):
        random = entropy.random("draft", number)
        # The first conversations go round, so that every user has one.
        place = number if number < len(people) else int(random.random() * len(people))
        user = people[place] if people else user_of(entropy.at("nobody", number))
        count, unanswered = _length(random, messages)
        titles = vocabulary.lines("people")["= title"]
        yield Draft(
            start=Start(at, count, unanswered),
            user=user,
            known=bool(people),
            title=vocabulary.pick(titles, random)[0 if user.lang == "en" else 1] if random.random() < 0.08 else None,
            metadata=user.metadata if random.random() < 0.9 else {},
            deleted=random.random() < 0.08,
            customer=Customer(random, user, business_name),
        )


def user_of(entropy: Entropy) -> User:
    """Return the person that belongs to `entropy`."""
    random = entropy.random("person")
    lang: Language = "en" if random.random() < 0.5 else "fr"
    people = vocabulary.lines("people")
    names, cities = people[f"= {lang}"], vocabulary.lines("titles/slots")["= city"]
    first = vocabulary.pick(names, random)[0]
    last = vocabulary.pick(people["= last"], random)[0]
    told = (
        ("first_name", first, 1.0),
        ("city", vocabulary.pick(cities, random)[0], 0.5),
        ("language", f"{lang}-ca", 0.6),
    )
    return User(
        id=f"user_{entropy.hex(8, 'id')}",
        lang=lang,
        name=f"{first} {last}",
        metadata={key: value for key, value, share in told if random.random() < share},
        careless=random.random() < 0.2,
        plain=random.random() < 0.12,
    )


def _starts(random: Random, now: int, count: int) -> list[int]:
    """Return when the conversations begin, in order: more by day than by night."""
    midnight = now - (now + EASTERN) % DAY
    hours = random.choices(range(24), _HOURS, k=count)
    days = (midnight - int(random.random() * DAYS) * DAY for _ in range(count))
    starts = (day + hour * 3_600 + int(random.random() * 3_600) for day, hour in zip(days, hours, strict=True))
    return sorted(max(0, start if start <= now else start - DAY) for start in starts)


def _length(random: Random, messages: int | None) -> tuple[int, bool]:
    """Return how many messages the user writes, and whether the last one has no answer."""
    if messages is not None:
        return (messages + 1) // 2, messages % 2 == 1
    count = random.choices(range(len(_EXCHANGES)), _EXCHANGES)[0]
    return count, count > 0 and random.random() < 0.04


def _typed(text: str, user: User) -> str:
    """Return a text as this user types it."""
    if user.careless and not text.startswith(("I ", "I'", "RRSP", "REER")):
        text = text[:1].lower() + text[1:].removesuffix(".")
    if user.plain:
        return "".join(plain.upper() if char.isupper() else plain for char in text for plain in [fold(char) or char])
    return text


class Written(NamedTuple):
    """A conversation of the demo app, written by hand: its lines are (mark, text), as in `vocabulary/demo.txt`."""

    title: Pair
    titled: bool
    user_id: str
    metadata: Mapping[str, Any]
    lines: tuple[tuple[str, str], ...]


def written() -> Iterator[Written]:
    """Yield the conversations that the demo app begins with."""
    for block in _text().strip().split("\n\n"):
        rows = block.strip().split("\n")
        title, lines, titled = Pair(*rows[0][2:].split(" | ")), list[tuple[str, str]](), True
        user_id, first, lang, plan = rows[1].removeprefix("by: ").split(" | ")
        metadata = {"first_name": first, "language": f"{lang}-ca"} | ({} if plan == "-" else {"plan_type": plan})
        for row in rows[2:]:
            if row.startswith("titled:"):
                titled = False
            else:
                said = row[2:].replace("\\n", "\n")
                lines.append((row[0], vocabulary.typography(said) if lang == "fr" and row[0] == "<" else said))
        yield Written(title, titled, user_id, metadata, tuple(lines))


@cache
def _text() -> str:
    return (vocabulary.FOLDER / "demo.txt").read_text(encoding="utf-8")


def preload() -> None:
    """Read what the demo app says."""
    _text()
