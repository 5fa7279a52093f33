"""Reads and writes days and times of both languages, and finds openings. Knows no clock: today is an argument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.businesses import Business
from sandbox.agent.text import read
from sandbox.agent.turn import Language
from sandbox.agent.vocabulary import NO_BREAK, alternatives

DAYS: Final = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
MONTHS: Final = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}
_SHORT_DAYS: Final = {"tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4}
_WEEKDAYS: Final = {
    **{name.lower(): number for names in DAYS.values() for number, name in enumerate(names)},
    **_SHORT_DAYS,
}
_MONTHS: Final = {
    **{name.lower(): number for number, name in enumerate(MONTHS["en"], 1)},
    **{name[:3].lower(): number for number, name in enumerate(MONTHS["en"], 1)},
    **{name: number for number, name in enumerate(MONTHS["fr"], 1)},
    "fevrier": 2,
    "aout": 8,
    "decembre": 12,
    "sept": 9,
}
_NEAR: Final = {"today": 0, "tonight": 0, "tonite": 0, "aujourd": 0, "tantot": 0, "tomorrow": 1, "demain": 1, "asap": 0}
_PAST: Final = re.compile(alternatives("past"))
_DAY_NAME: Final = f"(?:{'|'.join([*_WEEKDAYS, 'today', 'tomorrow', 'demain', 'tonight'])})s?"
_BEFORE_DAY: Final = re.compile(rf"\b(?:before|avant) (?:le |this |next )?(?={_DAY_NAME}\b)")
_AFTER_DAY: Final = re.compile(rf"\b(?:after|apres) (?:le |this |next )?(?={_DAY_NAME}\b)")
_NEGATED: Final = re.compile(
    alternatives("no such day").replace(
        "DAY", rf"{_DAY_NAME}(?: (?:morning|afternoon|evening|matin|soir|apres[- ]?midi))?"
    )
)
_TELLING: Final = frozenset((*_WEEKDAYS, *_NEAR)) | vocabulary.words("dated")
"""A text without one of these words and without a digit names no day and no time."""
_LATEST: Final = 250_000_000_000
_MONTREAL: Final = timezone(timedelta(hours=-5))

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH_DAY = re.compile(r"\b([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?\b")
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:er|st|nd|rd|th)? (?:of )?([a-z]{3,9})\b")
_DAY = re.compile(
    r"\bthe (\d{1,2})(?:st|nd|rd|th)\b"
    r"|\ble (\d{1,2})(?:er)?(?= ?(?:$|[.,;!?]|a\b|au\b|me\b|ou\b|vers\b|svp|serait|c'est))"
)
_TWELVE = re.compile(r"\b(\d{1,2})(?::(\d{2}))? ?(a|p)\.?m\b")
_HOURS = re.compile(r"\b(\d{1,2}) ?h(?:eures?)?\b ?(\d{2})?\b|\b(\d{1,2})h(\d{2})\b|\b(\d{1,2}):(\d{2})\b")
_AT = re.compile(r"\b(?:at|around|vers) (\d{1,2})\b(?! ?(?:people|personnes|guests|of|\$|%|st\b|nd\b|rd\b|th\b|er\b))")
_AFTER = re.compile(r"\b(?:after|apres|past|a partir de)(?: de)? \d")
_BEFORE = re.compile(r"\b(?:before|avant)(?: de)? \d")
_IN_WEEKS = re.compile(r"\b(?:in|dans) (\d|two|deux|three|trois|une?|a) (?:weeks?|semaines?)\b")
_IN_DAYS = re.compile(r"\b(?:in|dans) (\d|two|deux|three|trois) (?:days?|jours?)\b")
_NEXT_WEEK = re.compile(r"\bnext week\b|\b(?:sem|semaine) prochaine\b")
_TODAY = re.compile(r"\bce soir\b|\bcet(?:te)? apres[- ]?midi\b|\bthis (?:afternoon|evening)\b")
_MOVED = re.compile(alternatives("move"))
_WEEKEND = re.compile(r"\bweek-? ?end\b|\bfin de semaine\b")
_COUNTS: Final = {"a": 1, "un": 1, "une": 1, "two": 2, "deux": 2, "three": 3, "trois": 3}
_HOURS_OF: Final = {"afternoon": (12, 17), "morning": (7, 12), "evening": (16, 22), "noon": (12, 13)}
_PARTS: Final = tuple((re.compile(alternatives(part)), hours) for part, hours in _HOURS_OF.items())
_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[a-z]+")

Time = tuple[int, int]
Opening = tuple[date, Time]


class RequestedTime(NamedTuple):
    """Days and a time that somebody named: `days` in their order, the hours between which it may be."""

    days: tuple[date, ...] = ()
    time: Time | None = None
    earliest: int = 0
    latest: int = 24
    since: date | None = None

    @property
    def is_part(self) -> bool:
        """Whether a part of the day was named."""
        return self.earliest > 0 or self.latest < 24


def today(now: int) -> date:
    """Return the day in Montréal (standard time) at `now`, in Unix seconds; absurd times are brought into range."""
    return datetime.fromtimestamp(min(max(now, 86_400), _LATEST), _MONTREAL).date()


@lru_cache(maxsize=64)
def requested(folded: str, now: date) -> RequestedTime | None:
    """Return the coming days and time that a folded text names, None where it names none or speaks of the past.

    A day that somebody doesn't want is none.
    """
    words = read(folded).words
    if (_TELLING.isdisjoint(words) and not _DIGIT.search(folded)) or _PAST.search(folded):
        return None
    folded = _NEGATED.sub(" ", folded)
    words = _WORDS.findall(folded)
    moved = _MOVED.search(folded)
    if moved and moved[1] in _WEEKDAYS and moved[2] in _WEEKDAYS:
        words = [moved[2]]  # "from Sunday to Monday"
    days, since = _bounded(folded, list(_days(folded, words, now)), now)
    earliest, latest = next((span for pattern, span in _PARTS if pattern.search(folded)), (0, 24))
    wanted = _with_time(RequestedTime(days, None, earliest, latest, since), folded)
    return wanted if wanted != RequestedTime() else None


def _bounded(folded: str, named: Sequence[date], now: date) -> tuple[tuple[date, ...], date | None]:
    """Return the days that are named, or those before the one named, and the day after which it may be."""
    if len(named) == 1 and _AFTER_DAY.search(folded):
        return (), named[0] + timedelta(days=1)
    if len(named) == 1 and _BEFORE_DAY.search(folded):
        named = [now + timedelta(days=ahead) for ahead in range(1, (named[0] - now).days)] or named
    return tuple(named), _since(folded, now)


def _with_time(wanted: RequestedTime, folded: str) -> RequestedTime:
    """Return a wish with the time that a text names: exactly, or as a bound ("after 6")."""
    time = _time(folded)
    if time is None:
        return wanted
    evening = wanted.earliest >= 16 and time[0] < 11
    if evening or (wanted.earliest == 12 and 1 <= time[0] < 7):
        time = (time[0] + 12, time[1])
    if _AFTER.search(folded):
        return wanted._replace(earliest=time[0], latest=24)
    if _BEFORE.search(folded):
        return wanted._replace(earliest=0, latest=time[0])
    return wanted._replace(time=time, earliest=0, latest=24)


def past_day(folded: str, now: date) -> date | None:
    """Return the day of something that happened, None where a folded text names none."""
    words = _WORDS.findall(folded)
    if "hier" in words or "yesterday" in words or "last night" in folded:
        return now - timedelta(days=1)
    if {"today", "aujourd", "tantot"}.intersection(words) or "this morning" in folded or "ce matin" in folded:
        return now
    found = _dated(folded, now)
    if found:
        return found if found <= now else date(found.year - 1, found.month, min(found.day, 28))
    for word in words:
        if word in _WEEKDAYS:
            return now - timedelta(days=(now.weekday() - _WEEKDAYS[word] - 1) % 7 + 1)
    return None


def openings(business: Business, wanted: RequestedTime | None, now: date, draw: int, later: int = 0) -> list[Opening]:
    """Return up to three openings that meet a wish, on days when the business is open; `draw` chooses among them."""
    wanted = wanted or RequestedTime()
    if wanted.time and wanted.days:
        return [(day, wanted.time) for day in wanted.days if _is_open(business, day)][:1]
    found: list[Opening] = []
    for number, day in enumerate(_candidates(business, wanted, now, draw, later)):
        first, last = _hours_on(business, day)
        if max(first, wanted.earliest) <= min(last, wanted.latest - 1):
            first, last = max(first, wanted.earliest), min(last, wanted.latest - 1)
        halves = 2 * (last - first) + 1
        for step in range(3 if len(wanted.days) == 1 else 2 if len(wanted.days) == 2 else 1):
            at = (draw // 7 + 5 * number + 3 * later + step * max(2, halves // 3)) % halves
            time = wanted.time or (first + at // 2, at % 2 * 30)
            if (day, time) not in found:
                found.append((day, time))
        if len(found) >= 3:
            break
    return sorted(found[:3])


def fitted(business: Business, time: Time) -> Time:
    """Return a time of day that one named in the morning's hours, as the business takes visits: "at 7" is 7 p.m."""
    hour, minute = time
    first, last = business.visits
    return (hour + 12, minute) if hour < first <= hour + 12 <= last else time


def is_possible(business: Business, opening: Opening) -> bool:
    """Say whether the business takes visits at that day and time."""
    day, (hour, _) = opening
    first, last = _hours_on(business, day)
    return _is_open(business, day) and first <= hour <= last


def _hours_on(business: Business, day: date) -> tuple[int, int]:
    """Return the first and the last hour at which a visit begins on a day."""
    first, last = business.visits
    span = business.hours[max(0, day.weekday() - 4)]
    if span is None:
        return first, last
    opens, closes = (int(text.partition(":")[0]) for text in span)
    usual = next((int(other[1].partition(":")[0]) for other in business.hours if other), closes)
    if day.weekday() > 4 and opens < closes < usual:  # a short day
        first, last = max(first, opens), min(last, last - (usual - closes))
    return (first, last) if first <= last else (opens, max(opens, closes - 1))


def _candidates(business: Business, wanted: RequestedTime, now: date, draw: int, later: int) -> Iterator[date]:
    if wanted.days:
        yield from (day for day in wanted.days if _is_open(business, day))
        return
    start = wanted.since or now + timedelta(days=1 + draw % 2)
    day, count = start + timedelta(days=4 * later), 0
    while count < 6:
        if _is_open(business, day) and day.weekday() < 5:
            yield day
            count += 1
            day += timedelta(days=(draw // 3) % 2)
        day += timedelta(days=1)


def _is_open(business: Business, day: date) -> bool:
    return business.hours[max(0, day.weekday() - 4)] is not None


def write_day(day: date, lang: Language) -> str:
    """Return a day with its weekday: `Tuesday, March 3`, `mardi 3 mars`."""
    name = DAYS[lang][day.weekday()]
    return f"{name}, {write_date(day, lang)}" if lang == "en" else f"{name} {write_date(day, lang)}"


def write_date(day: date, lang: Language) -> str:
    """Return a date without its year: `March 3`, `3 mars`, `1er mars`."""
    month = MONTHS[lang][day.month - 1]
    if lang == "en":
        return f"{month} {day.day}"
    return f"{'1er' if day.day == 1 else day.day} {month}"


def write_time(time: Time, lang: Language) -> str:
    """Return a time of day: `2:30 p.m.`, `14 h 30`."""
    hour, minute = time
    if time == (12, 0):
        return "noon" if lang == "en" else "midi"
    if lang == "fr":
        return f"{hour}{NO_BREAK}h" + (f"{NO_BREAK}{minute:02}" if minute else "")
    clock = f"{(hour - 1) % 12 + 1}" + (f":{minute:02}" if minute else "")
    return f"{clock}{NO_BREAK}{'a' if hour < 12 else 'p'}.m."


def write_opening(opening: Opening, lang: Language) -> str:
    """Return a day and time as one says it: `Tuesday, March 3 at 2:30 p.m.`, `mardi 3 mars à 14 h 30`."""
    return write_day(opening[0], lang) + (" at " if lang == "en" else " à ") + write_time(opening[1], lang)


def iso(opening: Opening) -> str:
    """Return an opening as `2026-03-03T14:30`."""
    return f"{opening[0].isoformat()}T{opening[1][0]:02}:{opening[1][1]:02}"


def from_iso(text: str) -> Opening:
    """Return the opening that `iso` wrote."""
    at = datetime.fromisoformat(text)
    return at.date(), (at.hour, at.minute)


def working_day(day: date, count: int) -> date:
    """Return the working day `count` working days after `day` (before it for a negative count)."""
    if day.weekday() > 4:  # a weekend: counted from the working day behind one's back
        day += timedelta(days=(4 if count > 0 else 7) - day.weekday())
    weeks, number = divmod(day.weekday() + count, 5)
    return day + timedelta(days=7 * weeks + number - day.weekday())


def _days(folded: str, words: Sequence[str], now: date) -> Iterator[date]:
    dated = _dated(folded, now)
    if dated:
        yield dated
        return
    next_week = 7 if _NEXT_WEEK.search(folded) else 0
    named = False
    for word in dict.fromkeys(words):
        if word in _WEEKDAYS:
            named = True
            ahead = (_WEEKDAYS[word] - now.weekday() - 1) % 7 + 1
            yield now + timedelta(days=ahead + (7 if next_week and ahead + now.weekday() < 7 else 0))
        elif word in _NEAR:
            named = True
            yield now + timedelta(days=_NEAR[word])
    if named:
        return
    if _TODAY.search(folded):
        yield now
        return
    in_days = _IN_DAYS.search(folded)
    if in_days:
        yield now + timedelta(days=_COUNTS.get(in_days[1]) or int(in_days[1]))
    elif _WEEKEND.search(folded):
        saturday = now + timedelta(days=(5 - now.weekday() - 1) % 7 + 1)
        yield from (saturday, saturday + timedelta(days=1))
    else:
        bare = _day_of_month(folded, now)
        if bare:
            yield bare


def _since(folded: str, now: date) -> date | None:
    in_weeks = _IN_WEEKS.search(folded)
    if in_weeks:
        return now + timedelta(days=7 * (_COUNTS.get(in_weeks[1]) or int(in_weeks[1])))
    return now + timedelta(days=7 - now.weekday()) if _NEXT_WEEK.search(folded) else None


def _dated(folded: str, now: date) -> date | None:
    """Return the day that a text names with its month."""
    if not _DIGIT.search(folded):
        return None
    written = _ISO.search(folded)
    if written:
        return _date(int(written[1]), int(written[2]), int(written[3]))
    for pattern, month_at, day_at in ((_MONTH_DAY, 1, 2), (_DAY_MONTH, 2, 1)):
        for match in pattern.finditer(folded):
            month = _MONTHS.get(match[month_at])
            found = _date(now.year, month, int(match[day_at])) if month else None
            if found:
                return found if found >= now else _date(now.year + 1, found.month, found.day)
    return None


def _day_of_month(folded: str, now: date) -> date | None:
    """Return the coming day that a text names by its number alone: `the 14th`, `le 14`."""
    bare = _DAY.search(folded)
    if not bare:
        return None
    number = int(bare[1] or bare[2])
    found = _date(now.year, now.month, number)
    if found and found > now:
        return found
    return _date(now.year + now.month // 12, now.month % 12 + 1, number)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(folded: str) -> Time | None:
    twelve = _TWELVE.search(folded)
    if twelve:
        return _clock(int(twelve[1]) % 12 + (12 if twelve[3] == "p" else 0), int(twelve[2] or 0))
    full = _HOURS.search(folded)
    if full:
        hour, minute = next((full[at], full[at + 1]) for at in (1, 3, 5) if full[at])
        return _clock(int(hour), int(minute or 0))
    bare = _AT.search(folded)
    if bare:
        hour = int(bare[1])
        return _clock(hour + (12 if hour < 8 else 0), 0)
    return None


def _clock(hour: int, minute: int) -> Time | None:
    return (hour, minute) if hour < 24 and minute < 60 else None
