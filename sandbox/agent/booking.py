"""Finds a time for a visit with the customer: what was wished, what is open, what was chosen."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from sandbox.agent import dates
from sandbox.agent.businesses import Entry
from sandbox.agent.dates import Opening, RequestedTime
from sandbox.agent.rendering import ReplyBuilder, listed
from sandbox.agent.turn import Ledger
from sandbox.agent.understanding import ParsedMessage
from sandbox.agent.vocabulary import alternatives

_ORDINALS: Final = (
    (0, re.compile(r"\b(?:first|premiere?|1st|1er|1re|earl(?:ier|iest) one|plus tot des)\b")),
    (1, re.compile(r"\b(?:second|deuxieme|2nd|2e)\b")),
    (-1, re.compile(r"\b(?:last|third|derniere?|troisieme|3rd|3e|lat(?:er|est) one|plus tard des)\b")),
)
_HOUR_ALONE: Final = re.compile(r"\W*(?:the |le |celui de |at |a )?(\d{1,2})(?: please| svp)?\W*$")
_ANY: Final = re.compile(alternatives("any"))
_CHECK: Final = re.compile(alternatives("check"))


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
    told = builder.ledger.told
    if wanted.days:
        told["day"] = _after_since(builder, wanted).days[0].isoformat()
    if wanted.time:
        told["time"] = dates.iso((builder.today, wanted.time))
    if wanted.since:
        told["since"] = wanted.since.isoformat()
    if wanted.is_part:
        told["part"] = f"{wanted.earliest}/{wanted.latest}"


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


def choice(builder: ReplyBuilder, parsed: ParsedMessage) -> Opening | None:
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
    return _with_told_time(_with_told_day(wanted, builder), builder)


def _with_told_day(wanted: RequestedTime, builder: ReplyBuilder) -> RequestedTime:
    """Return a wish with the day that was told before, where it names none itself."""
    told = builder.ledger.told
    if wanted.days or wanted.since:
        return wanted
    day = date.fromisoformat(told["day"]) if "day" in told else None
    if day and day >= builder.today:
        return wanted._replace(days=(day,))
    return wanted._replace(since=date.fromisoformat(told["since"])) if "since" in told else wanted


def _with_told_time(wanted: RequestedTime, builder: ReplyBuilder) -> RequestedTime:
    """Return a wish with the time, or the part of the day, that was told before, where it names none itself."""
    told = builder.ledger.told
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
