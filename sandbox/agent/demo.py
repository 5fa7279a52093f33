"""The conversations that a demo app has had: who wrote, and when. Owns no words: `writer` has the users'.

A draft holds the user's side alone; whoever stores it asks the voice for the replies and the titles, so that they are
the ones that a live conversation would have got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sandbox.agent import vocabulary
from sandbox.agent.slots import pick
from sandbox.agent.turn import Profile
from sandbox.agent.writer import DAY, EASTERN, LANGUAGES, User, Writer, user_of
from sandbox.rng import Entropy

DAYS = 30

# How many of a hundred conversations begin in each hour of the day.
_HOURS = (1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 8, 8, 7, 7, 7, 7, 6, 6, 6, 5, 3, 2, 1)
_EXCHANGES = (10, 20, 24, 18, 13, 9, 6)


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
    entropy: Entropy,
    *,
    now: int,
    profile: Profile,
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
    for number, created_at in enumerate(_starts(entropy.random("starts"), now, conversations)):
        random = entropy.random("draft", number)
        # The first conversations go round, so that every user has one.
        place = number if number < len(people) else int(random.random() * len(people))
        user = people[place] if people else user_of(entropy.at("nobody", number))
        yield _draft(random, user, profile, created_at, now, messages, known=bool(people))


def _starts(random: Random, now: int, count: int) -> list[int]:
    """Return when the conversations begin, in order: more by day than by night."""
    midnight = now - (now + EASTERN) % DAY
    hours = random.choices(range(24), _HOURS, k=count)
    days = (midnight - int(random.random() * DAYS) * DAY for _ in range(count))
    starts = (day + hour * 3_600 + int(random.random() * 3_600) for day, hour in zip(days, hours, strict=True))
    return sorted(max(0, start if start <= now else start - DAY) for start in starts)


def _draft(
    random: Random, user: User, profile: Profile, created_at: int, now: int, messages: int | None, *, known: bool
) -> Draft:
    count, unanswered = _length(random, messages)
    texts = Writer(random, user, profile, created_at).conversation(count)
    exchanges = tuple(_timed(random, texts, created_at, now, unanswered=unanswered))
    titles = vocabulary.lines("messages/people")["= title"]
    return Draft(
        created_at=created_at,
        external_user_id=user.id if known else None,
        title=pick(titles, random)[LANGUAGES.index(user.language)] if random.random() < 0.15 else None,
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
