"""Reads and writes dates and times of day in both languages. Knows no clock: today is an argument."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from sandbox.agent.language import Language

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
_WEEKDAYS: Final = {name.lower(): number for names in DAYS.values() for number, name in enumerate(names)}
_MONTHS: Final = {
    **{name.lower(): number for number, name in enumerate(MONTHS["en"], 1)},
    **{name: number for number, name in enumerate(MONTHS["fr"], 1)},
    "fevrier": 2,
    "aout": 8,
    "decembre": 12,
}
_PARTS: Final = {
    **dict.fromkeys(("morning", "matin", "matinee"), (9, 0)),
    **dict.fromkeys(("noon", "midi"), (12, 0)),
    **dict.fromkeys(("afternoon",), (14, 0)),
    **dict.fromkeys(("evening", "tonight", "soir", "soiree"), (18, 30)),
}
_NEAR: Final = {"today": 0, "tonight": 0, "aujourd": 0, "tomorrow": 1, "demain": 1}
_PAST: Final = frozenset(
    ("last", "yesterday", "ago", "hier", "passe", "passee", "dernier", "derniere", "depuis", "since")
)
_LATEST: Final = 250_000_000_000
_MONTREAL: Final = timezone(timedelta(hours=-5))

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH_DAY = re.compile(r"\b([a-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?\b")
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:er|st|nd|rd|th)? (?:of )?([a-z]{3,9})\b")
_DAY = re.compile(
    r"\bthe (\d{1,2})(?:st|nd|rd|th)\b|\ble (\d{1,2})(?:er)?(?= ?(?:$|[.,;!?]|a\b|au\b|me\b|ou\b|vers\b|svp|serait))"
)
_TWELVE = re.compile(r"\b(\d{1,2})(?::(\d{2}))? ?(a|p)\.?m\b")
_HOURS = re.compile(r"\b(\d{1,2}) ?h(?:eures?)?\b ?(\d{2})?\b|\b(\d{1,2})h(\d{2})\b|\b(\d{1,2}):(\d{2})\b")
_AT = re.compile(r"\bat (\d{1,2})\b")
_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[a-z]+")

Time = tuple[int, int]


class Wish(NamedTuple):
    """A day and a time that somebody named; either may be missing."""

    day: date | None
    time: Time | None


def today(now: int) -> date:
    """Return the day in Montréal (standard time) at `now`, in Unix seconds; absurd times are brought into range."""
    return datetime.fromtimestamp(min(max(now, 86_400), _LATEST), _MONTREAL).date()


def read(folded: str, now: date) -> Wish | None:
    """Return the coming day or time that a folded text names, None where it names none or speaks of the past."""
    words = _WORDS.findall(folded)
    if not _PAST.isdisjoint(words) or "this morning" in folded or "ce matin" in folded:
        return None
    numbered = _DIGIT.search(folded) is not None
    day = (_dated(folded, now) if numbered else None) or _named_day(words, now)
    if numbered:
        wish = Wish(day or _day_of_month(folded, now), _time(folded, words))
    else:
        wish = Wish(day, _part_of_day(folded, words))
    return wish if wish.day or wish.time else None


def speaks_of_time(folded: str) -> bool:
    """Say whether a folded text tells when something happened."""
    words = set(_WORDS.findall(folded))
    if not _PAST.isdisjoint(words) or not words.isdisjoint(_WEEKDAYS):
        return True
    return not words.isdisjoint(("today", "tonight", "morning", "aujourd", "matin", "soir", "semaine", "week"))


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
        return f"{hour}\u00a0h" + (f"\u00a0{minute:02}" if minute else "")
    clock = f"{(hour - 1) % 12 + 1}" + (f":{minute:02}" if minute else "")
    return f"{clock}\u00a0{'a' if hour < 12 else 'p'}.m."


def weekday_after(day: date, count: int) -> date:
    """Return the working day `count` working days after `day` (before it for a negative count)."""
    if day.weekday() > 4:  # a weekend: counted from the working day behind one's back
        day += timedelta(days=(4 if count > 0 else 7) - day.weekday())
    weeks, number = divmod(day.weekday() + count, 5)
    return day + timedelta(days=7 * weeks + number - day.weekday())


def _named_day(words: list[str], now: date) -> date | None:
    """Return the coming day that a text names by a word."""
    for word in words:
        if word in _WEEKDAYS:
            return now + timedelta(days=(_WEEKDAYS[word] - now.weekday() - 1) % 7 + 1)
        if word in _NEAR:
            return now + timedelta(days=_NEAR[word])
    return None


def _dated(folded: str, now: date) -> date | None:
    """Return the day that a text names with its month."""
    iso = _ISO.search(folded)
    if iso:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
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


def _time(folded: str, words: list[str]) -> Time | None:
    twelve = _TWELVE.search(folded)
    if twelve:
        return _clock(int(twelve[1]) % 12 + (12 if twelve[3] == "p" else 0), int(twelve[2] or 0))
    full = _HOURS.search(folded)
    if full:
        hour, minute = next((full[at], full[at + 1]) for at in (1, 3, 5) if full[at])
        return _clock(int(hour), int(minute or 0))
    bare = _AT.search(folded)
    if bare:
        return _clock(int(bare[1]) + (12 if int(bare[1]) < 8 else 0), 0)
    return _part_of_day(folded, words)


def _part_of_day(folded: str, words: list[str]) -> Time | None:
    if "apres-midi" in folded or "apres midi" in folded:
        return (14, 0)
    return next((_PARTS[word] for word in words if word in _PARTS), None)


def _clock(hour: int, minute: int) -> Time | None:
    return (hour, minute) if hour < 24 and minute < 60 else None
