"""Says what entries say, asks what they need (a time for a visit too), does it, and keeps all of it in the ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from sandbox.agent import dates, entities
from sandbox.agent.businesses import Entry
from sandbox.agent.dates import Opening, RequestedTime
from sandbox.agent.rendering import ReplyBuilder, listed
from sandbox.agent.text import kind_of, stems
from sandbox.agent.turn import Ledger
from sandbox.agent.understanding import BARE, ParsedMessage
from sandbox.agent.vocabulary import alternatives

MAX_SAID: Final = 12
_MAX_WORDS: Final = 4
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[«“-])|\n")
_TELLING: Final = {
    "price": re.compile(r"\$|¢|%|\b(?:free|gratuite?s?|included|inclus|comprise?)\b"),
    "howlong": re.compile(alternatives("time units")),
}
_ORDINALS: Final = (
    (0, re.compile(r"\b(?:first|premiere?|1st|1er|1re|earl(?:ier|iest) one|plus tot des)\b")),
    (1, re.compile(r"\b(?:second|deuxieme|2nd|2e)\b")),
    (-1, re.compile(r"\b(?:last|third|derniere?|troisieme|3rd|3e|lat(?:er|est) one|plus tard des)\b")),
)
_HOUR_ALONE: Final = re.compile(r"\W*(?:the |le |celui de |at |a )?(\d{1,2})(?: please| svp)?\W*$")
_ANY: Final = re.compile(alternatives("any"))
_CHECK: Final = re.compile(alternatives("check"))


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
        return [builder.say("which_one", list=listed_options(builder))] if ledger.options else []
    return [builder.question(entry, ledger.asked)]


def answer(builder: ReplyBuilder, entries: Sequence[Entry], parsed: ParsedMessage) -> Response:
    """Say what entries say; the last of them may ask something."""
    ledger = builder.ledger
    before, question = _open_of(builder, entries)
    ledger.close()
    ledger.misses = 0
    *others, last = sorted(entries, key=lambda entry: bool(entry.asks or entry.offers))
    apology = [builder.say("sorry")] if parsed.corrects else []
    if last.id in ledger.said[-1:] and not (others or last.alone or last.effect):
        repeated = _repeated(builder, last, parsed, before, question)
        if repeated:
            return repeated._replace(parts=[*apology, *repeated.parts])
    parts = [*apology, *said_by(builder, others)]
    if before.asked and ledger.said[-1:] == [last.id]:
        return _insisted(builder, last, parsed, parts, before.asked_again)
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


def _open_of(builder: ReplyBuilder, entries: Sequence[Entry]) -> tuple[Ledger, list[str]]:
    """Return the ledger with the open question of `entries`, and its text; an empty one where none of them asked."""
    if builder.ledger.entry not in [entry.id for entry in entries]:
        return Ledger(), []
    return replace(builder.ledger), open_question(builder)


def _repeated(
    builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage, before: Ledger, question: list[str]
) -> Response | None:
    """Answer who asks again for what was said last: by the sentence that is meant, or by a person.

    `before` has the question that was open, `question` is its text.
    """
    may_be_part = parsed.asks or before.asked in ("", "offer")
    known = followed_up(builder, parsed) if may_be_part else None
    if known:
        if before.asked or entry.offers:
            builder.ledger.ask(before.asked or "offer", entry.id, before.options)
        return Response([known, *question], entry=entry)
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
    own = {"detail": told.get(f"detail.{entry.id}"), "when": told.get("when.entry") == entry.id and told.get("when")}
    own |= {slot: told.get(slot) for slot in ("date", "amount", "party")}
    return [slot for slot in wanted if not (own[slot] if slot in own else builder.known(slot))]


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
        return propose(builder, entry, parsed, 0) or go_on(builder, entry, parsed)
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
    parts = (part.strip() for part in _ENDS.split(text))
    return tuple([part for part in parts if part and not part.endswith(":")])


def ordinal(folded: str) -> int | None:
    """Return the place in a list that a text names (-1: the last), None where it names none."""
    return next((place for place, pattern in _ORDINALS if pattern.search(folded)), None)


def is_check(folded: str) -> bool:
    """Say whether a question asks if something is booked at a time, rather than for another time."""
    return _CHECK.search(folded) is not None


def keep_wish(builder: ReplyBuilder, folded: str) -> None:
    """Keep in the ledger the day and the part of the day that a message wishes."""
    wanted = dates.requested(folded, builder.today)
    if wanted is None:
        return
    told = {
        "day": wanted.days and _after_since(builder, wanted).days[0].isoformat(),
        "time": wanted.time and dates.iso((builder.today, wanted.time)),
        "since": wanted.since and wanted.since.isoformat(),
        "part": wanted.is_part and f"{wanted.earliest}/{wanted.latest}",
    }
    builder.ledger.told.update({slot: text for slot, text in told.items() if text})


def wished(builder: ReplyBuilder, folded: str) -> str | None:
    """Return the day and time that a message names, as one says it."""
    wanted = dates.requested(folded, builder.today)
    if wanted is None or not wanted.days:
        return None
    day = _after_since(builder, wanted).days[0]
    return dates.write_opening((day, wanted.time), builder.lang) if wanted.time else dates.write_day(day, builder.lang)


def forget_wish(ledger: Ledger) -> None:
    """Drop what was wished, as nothing of it suits."""
    for name in ("day", "time", "since", "part"):
        ledger.told.pop(name, None)


def take(ledger: Ledger, opening: Opening, entry: Entry) -> None:
    """Keep the opening that was chosen for an entry."""
    ledger.told.update({"when": dates.iso(opening), "when.entry": entry.id})


def propose(builder: ReplyBuilder, entry: Entry, parsed: ParsedMessage, later: int) -> list[str]:
    """Offer openings that meet the wish; return nothing where day and time are settled by it."""
    ledger, business = builder.ledger, builder.business
    wanted = _wish(builder, parsed.folded)
    if wanted.time:
        wanted = wanted._replace(time=dates.fitted(business, wanted.time))
    draw, places = builder.draw(8, 4_096), dict[str, str]()
    if wanted.days and wanted.time and dates.is_possible(business, (wanted.days[0], wanted.time)):
        take(ledger, (wanted.days[0], wanted.time), entry)
        return []
    act = "openings_other" if later else "openings"
    found = dates.openings(business, wanted, builder.today, draw, later)
    if wanted.days and not found:
        found, act = dates.openings(business, None, builder.today, draw, later), "closed_day"
    elif wanted.days and wanted.time:
        found = dates.openings(business, wanted._replace(time=None), builder.today, draw, later)
        first, last = business.visits
        act = "outside_hours"
        places = {
            "from": dates.write_time((first, 0), builder.lang),
            "to": dates.write_time((last + 1, 0), builder.lang),
        }
    builder.openings = found
    ledger.ask("when", entry.id, [dates.iso(opening) for opening in found])
    ledger.asked_again = 0  # other openings are another question
    if len(found) == 1:
        return [builder.say("opening_one", first=dates.write_opening(found[0], builder.lang))]
    about = business.about(entry, builder.lang)
    return [builder.say(act, about=about, list=listed(found, builder.lang), **places)]


def chosen_opening(builder: ReplyBuilder, parsed: ParsedMessage) -> Opening | None:
    """Return the opening that a message chooses: one of those offered, or another one that it names whole."""
    openings = [dates.from_iso(text) for text in builder.ledger.options]
    wanted = dates.requested(parsed.folded, builder.today)
    if wanted is None:
        return _chosen_by_place(openings, parsed)
    wanted = _after_since(builder, wanted)
    if wanted.time:
        wanted = wanted._replace(time=dates.fitted(builder.business, wanted.time))
    fitting = [opening for opening in openings if _fits(opening, wanted)]
    if len(fitting) == 1 or (fitting and (wanted.time or wanted.is_part)):
        return fitting[0]
    return _named_whole(builder, wanted, {day for day, _ in openings})


def _named_whole(builder: ReplyBuilder, wanted: RequestedTime, days: set[date]) -> Opening | None:
    """Return the opening that a wish names whole; the day may be the only one of those offered."""
    day = wanted.days[0] if wanted.days else days.pop() if len(days) == 1 else None
    if day and wanted.time and dates.is_possible(builder.business, (day, wanted.time)):
        return day, wanted.time
    return None


def listed_options(builder: ReplyBuilder) -> str:
    """Return the openings that were offered, as a list."""
    return listed([dates.from_iso(text) for text in builder.ledger.options], builder.lang)


def _wish(builder: ReplyBuilder, folded: str) -> RequestedTime:
    """Return what is wished, by this message or else by those before it."""
    wanted = _after_since(builder, dates.requested(folded, builder.today) or RequestedTime())
    booked = builder.ledger.booking.get("slot")
    if not wanted.days and wanted.time and booked:
        return wanted._replace(days=(dates.from_iso(booked)[0],))
    return _with_told(wanted, builder)


def _with_told(wanted: RequestedTime, builder: ReplyBuilder) -> RequestedTime:
    """Return a wish with the day, and the time or the part of the day, that were told before where it names none."""
    told = builder.ledger.told
    if not wanted.days and not wanted.since:
        day = date.fromisoformat(told["day"]) if "day" in told else None
        if day and day >= builder.today:
            wanted = wanted._replace(days=(day,))
        elif "since" in told:
            wanted = wanted._replace(since=date.fromisoformat(told["since"]))
    if wanted.time or wanted.is_part:
        return wanted
    if "time" in told:
        return wanted._replace(time=dates.from_iso(told["time"])[1])
    earliest, _, latest = told.get("part", "").partition("/")
    if earliest.isdecimal() and latest.isdecimal():
        return wanted._replace(earliest=min(int(earliest), 23), latest=min(int(latest), 24))
    return wanted


def _after_since(builder: ReplyBuilder, wanted: RequestedTime) -> RequestedTime:
    """Return a wish whose days lie in the week that was asked for before ("next week", then "Thursday")."""
    since = builder.ledger.told.get("since")
    if not since or wanted.since:
        return wanted
    start = date.fromisoformat(since)
    return wanted._replace(days=tuple(day if day >= start else day + timedelta(days=7) for day in wanted.days))


def _chosen_by_place(openings: list[Opening], parsed: ParsedMessage) -> Opening | None:
    if not openings:
        return None
    hour = _HOUR_ALONE.match(parsed.folded)
    at = [opening for opening in openings if hour and opening[1][0] % 12 == int(hour[1]) % 12]
    if len(at) == 1:
        return at[0]
    place = ordinal(parsed.folded)
    if place is not None:
        return openings[min(place, len(openings) - 1)]
    if _ANY.search(parsed.folded) or (parsed.yes and len(openings) == 1):
        return openings[0]
    return None


def _fits(opening: Opening, wanted: RequestedTime) -> bool:
    day, time = opening
    if wanted.days and day not in wanted.days:
        return False
    if wanted.time:
        return time == wanted.time or (time[0] % 12, time[1]) == (wanted.time[0] % 12, wanted.time[1])
    return wanted.earliest <= time[0] < wanted.latest
