"""Says what entries say, asks what they need, does what they are for, and keeps all of it in the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from sandbox.agent import booking, entities
from sandbox.agent.businesses import Entry
from sandbox.agent.rendering import ReplyBuilder
from sandbox.agent.text import kind_of, stems
from sandbox.agent.understanding import BARE, ParsedMessage
from sandbox.agent.vocabulary import alternatives

MAX_SAID: Final = 12
_MAX_WORDS: Final = 4
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[«“-])|\n")
_TELLING: Final = {
    "price": re.compile(r"\$|¢|%|\b(?:free|gratuite?s?|included|inclus|comprise?)\b"),
    "howlong": re.compile(alternatives("time units")),
}


class Response(NamedTuple):
    """What is said, in sentences with the next step last; `sober` where no cheerful greeting fits."""

    parts: list[str]
    sober: bool = False
    entry: Entry | None = None


def is_ahead(entry: Entry | None) -> bool:
    """Say whether the day that an entry asks for is to come, rather than past."""
    return entry is not None and (bool(entry.effect) or "problem" not in entry.kinds)


def open_question(builder: ReplyBuilder) -> list[str]:
    """Return the question that is open, nothing where none is or a yes answers it."""
    ledger = builder.ledger
    entry = builder.business.entries.get(ledger.entry)
    if entry is None or ledger.asked in ("", "offer", "confirm"):
        return []
    if ledger.asked == "when":
        return [builder.say("which_one", list=booking.listed_options(builder))] if ledger.options else []
    return [builder.question(entry, ledger.asked)]


def answer(builder: ReplyBuilder, entries: Sequence[Entry], parsed: ParsedMessage) -> Response:
    """Say what entries say; the last of them may ask something."""
    ledger = builder.ledger
    before = _Before.of(builder, entries)
    ledger.close()
    ledger.misses = 0
    *others, last = sorted(entries, key=lambda entry: bool(entry.asks or entry.offers))
    apology = [builder.say("sorry")] if parsed.corrects else []
    if last.id in ledger.said[-1:] and not (others or last.alone or last.effect):
        repeated = _repeated(builder, last, parsed, before)
        if repeated:
            return repeated._replace(parts=[*apology, *repeated.parts])
    parts = [*apology, *said_by(builder, others)]
    if before.asked and ledger.said[-1:] == [last.id]:
        return _insisted(builder, last, parsed, parts, before.times)
    parts += said_by(builder, [last])
    ledger.topic = last.topic or ledger.topic
    if last.effect.startswith("speak_"):
        ledger.lang = last.effect.removeprefix("speak_")
    after = _next_step(builder, last, parsed)
    return Response([*parts, *after], sober="problem" in last.kinds and "want" not in last.kinds, entry=last)


def _next_step(builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage) -> list[str]:
    """Return what comes after an answer: its offer, the question for what it needs, or what is done."""
    offer = builder.line(entry.offers) if entry.offers else None
    if offer:
        builder.ledger.ask("offer", entry.id)
        return [offer]
    return go_on(builder, entry, parsed) if entry.asks else []


class _Before(NamedTuple):
    """The open question of the entries that are asked for again, how often it was asked, and what was put to choice."""

    asked: str
    times: int
    options: list[str]
    question: list[str]

    @classmethod
    def of(cls, builder: ReplyBuilder, entries: Sequence[Entry]) -> _Before:
        """Return what is open of `entries` before they are answered again."""
        ledger = builder.ledger
        if ledger.entry not in [entry.id for entry in entries]:
            return cls("", 0, [], [])
        return cls(ledger.asked, ledger.asked_again, list(ledger.options), open_question(builder))


def _repeated(builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage, before: _Before) -> Response | None:
    """Answer who asks again for what was said last: by the sentence that is meant, or by a person."""
    may_be_part = parsed.asks or before.asked in ("", "offer")
    known = followed_up(builder, parsed) if may_be_part else None
    if known:
        if before.asked or entry.offers:
            builder.ledger.ask(before.asked or "offer", entry.id, before.options)
        return Response([known, *before.question], entry=entry)
    if before.asked or entry.asks or entry.id in builder.business.common:
        return None
    return hand_over(builder)


def _insisted(builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage, before: list[str], times: int) -> Response:
    """Answer who says the same again while a question of ours is open: ask it once more, then hand over."""
    if times:
        return hand_over(builder)
    parts = go_on(builder, entry, parsed)
    builder.ledger.asked_again = times + 1
    lead = [] if before or not builder.ledger.asked else [builder.say("insisted")]
    return Response([*before, *lead, *parts], sober=True, entry=entry)


def said_by(builder: ReplyBuilder, entries: Sequence[Entry]) -> list[str]:
    """Return what entries say, and keep that they have said it."""
    parts = []
    for entry in entries:
        text = builder.line(entry.says)
        if text:
            parts.append(text)
        builder.ledger.said = [*builder.ledger.said, entry.id][-MAX_SAID:]
    return parts


def missing_slots(builder: ReplyBuilder, entry: Entry) -> list[str]:
    """Return the slots of an entry that aren't known yet."""
    told = builder.ledger.told
    wanted = [slot for condition, group in entry.asks if not condition or builder.holds(condition) for slot in group]
    missing = []
    for slot in wanted:
        if slot == "detail":
            known: object = told.get(f"detail.{entry.id}")
        elif slot == "when":
            known = told.get("when") if told.get("when.entry") == entry.id else None
        elif slot in ("date", "amount", "party"):
            known = told.get(slot)
        else:
            known = builder.known(slot)
        if not known:
            missing.append(slot)
    return missing


def go_on(builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage) -> list[str]:
    """Ask what is missing for an entry, or do it."""
    ledger = builder.ledger
    missing = missing_slots(builder, entry)
    if "date" in missing:
        day = entities.answer_to("date", parsed.text, builder.today, ahead=is_ahead(entry))
        if day:
            ledger.told["date"] = day
            missing.remove("date")
    if missing and missing[0] == "when":
        return booking.propose(builder, entry, parsed, 0) or go_on(builder, entry, parsed)
    if missing:
        ledger.ask(missing[0], entry.id)
        return [builder.question(entry, missing[0])]
    text = _done(builder, entry) if _is_to_do(builder, entry) else None
    ledger.close()
    return [text] if text else []


def _is_to_do(builder: ReplyBuilder, entry: Entry) -> bool:
    """Say whether anything is left to do: not where all it would have asked is settled by what is known."""
    if not entry.asks or any(not condition or builder.holds(condition) for condition, _ in entry.asks):
        return True
    return any(line.condition and builder.holds(line.condition) for line in entry.dones)


def _done(builder: ReplyBuilder, entry: Entry) -> str | None:
    """Do what an entry asks for, and say so."""
    ledger = builder.ledger
    detail = ledger.told.pop(f"detail.{entry.id}", None)
    if detail:
        ledger.told["detail"] = detail
    if entry.effect == "cancel":
        text = builder.line(entry.dones)
        ledger.booking = {}
        ledger.told.pop("when", None)
        return text
    if "when" in ledger.told and ledger.told.get("when.entry") == entry.id:
        number = builder.number()
        moved = entry.effect == "move" and ledger.booking
        ledger.booking = {"slot": ledger.told["when"], "entry": entry.id, "number": number}
        text = builder.line(entry.dones) if entry.dones else builder.say("moved" if moved else "booked")
        ledger.told.pop("when"), ledger.told.pop("when.entry")
        return text
    return builder.line(entry.dones)


def hand_over(builder: ReplyBuilder) -> Response:
    """Give the conversation to a person by name."""
    ledger = builder.ledger
    ledger.close()
    ledger.misses = 0
    ledger.handed_over = True
    phone = builder.known("phone")
    if phone:
        return Response([builder.say("hand_over_known", phone=phone)], sober=True)
    ledger.ask("phone", "human")
    return Response([builder.say("hand_over")], sober=True)


def followed_up(builder: ReplyBuilder, parsed: ParsedMessage) -> str | None:
    """Return the sentence of the last answer that a short message asks about, None where there is none."""
    entry = builder.business.entries.get(builder.ledger.said[-1]) if builder.ledger.said else None
    words = set(stems(parsed.rest)) - BARE
    if entry is None or entry.alone or len(words) > _MAX_WORDS:
        return None
    kind = _TELLING.get(kind_of(parsed.rest) or "")
    parts = [part for part in _sentences(builder.line(entry.says) or "") if not kind or kind.search(part.lower())]
    if not words:
        return parts[0] if kind and parts else None
    best = max(parts, key=lambda part: _shared(words, part), default="")
    return best.lstrip("- ") if _shared(words, best) * 2 >= len(words) else None


def _shared(words: set[str], part: str) -> int:
    return len(words.intersection(stems(part)))


@lru_cache(maxsize=64)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(_split(text))


def _split(text: str) -> Iterator[str]:
    return (part.strip() for part in _ENDS.split(text) if part.strip() and not part.rstrip().endswith(":"))
