"""What fills the places of a title: dates, amounts, cities, people; each value in both languages at once.

Owns how values are drawn and how they are read from a message; knows no title. Amounts and times carry no-break
spaces (U+00A0) in French.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

from sandbox.agent import vocabulary
from sandbox.agent.text import fold

Value = tuple[str, ...]
"""English, French, then the French form with "de" and the one with its article, where there are such."""

Pools = Mapping[str, tuple[Value, ...]]

FORMS = {"of": 2, "the": 3}
SEEN = 1_000  # characters of a message that are searched for values


def draw(name: str, random: Random, pools: Pools) -> Value:
    """Return a value for the slot `name`, from `pools` or made up."""
    pool = pools.get(name)
    if pool is not None:
        return pool[int(random.random() * len(pool))]
    return _MAKERS[name](random)


def places(text: str) -> tuple[str, ...]:
    """Return the parts of a text with places (`{city}`, `{item.of}`): literals at even positions, slots at odd ones."""
    return tuple(_PLACES.split(text))


_PLACES = re.compile(r"\{([a-z.]+)\}")


def fill(parts: tuple[str, ...], values: Mapping[str, Value], column: int) -> str:
    """Return the text that `parts` make with `values`, in English (`column` 0) or French (1)."""
    out = list(parts)
    for position in range(1, len(parts), 2):
        name, _, form = parts[position].partition(".")
        text = values[name][FORMS.get(form, column)]
        out[position] = text[0].upper() + text[1:] if form == "cap" else text
    return "".join(out)


def pools(name: str) -> dict[str, tuple[Value, ...]]:
    """Return the pools of the text file `name`."""
    return {
        heading[2:]: tuple((row[0], *map(vocabulary.typography, row[1:] or row)) for row in rows)
        for heading, rows in vocabulary.lines(name).items()
        if heading.startswith("= ")
    }


@cache
def shared() -> Pools:
    """Return the pools that all businesses use."""
    return pools("titles/slots")


def money(cents: int) -> Value:
    """Return an amount of dollars: `$1,042.50`, `1 042,50 $`."""
    dollars, rest = divmod(cents, 100)
    english = f"{dollars:,}" + (f".{rest:02}" if rest else "")
    french = f"{dollars:,}".replace(",", vocabulary.NO_BREAK) + (f",{rest:02}" if rest else "")
    return f"${english}", f"{french}{vocabulary.NO_BREAK}$"


def date(month: int, day: int) -> Value:
    """Return a day of the year: `March 3`, `3 mars`."""
    english, french, _ = shared()["month"][month - 1]
    return f"{english} {day}", f"{day}{'er' if day == 1 else ''} {french}"


def clock(hour: int, minute: int) -> Value:
    """Return a time of the day: `2:30 p.m.`, `14 h 30`."""
    half = "a.m." if hour < 12 else "p.m."
    english = f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''} {half}"
    return english, f"{hour}{vocabulary.NO_BREAK}h" + (f"{vocabulary.NO_BREAK}{minute:02}" if minute else "")


def known(text: str, metadata: Mapping[str, Any]) -> dict[str, Value]:
    """Return the slots that a message and its metadata fill by themselves."""
    found: dict[str, Value] = {}
    text = text[:SEEN]
    _read_city(text, metadata, found)
    if text:
        _read_money(text, found)
        _read_days(fold(text), found)
        order = _ORDER.search(text)
        if order:
            found["number"] = (order[1], order[1])
        party = _PARTY.search(text)
        if party:
            count = party[1] or party[2]
            found["party" if int(count) < 10 else "many"] = (count, count)
    return found


_ORDER = re.compile(r"(?:#|nº|\bno\.?|order|commande|numéro|number)\s?(\d{4,8})\b", re.IGNORECASE)
_PARTY = re.compile(
    r"\b(?:party of|table for|table pour)\s(\d{1,2})\b"
    r"|\b(\d{1,2})\s(?:people|guests|personnes|invités)\b"
)
_MONEY = re.compile(
    r"\$\s?(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.(\d\d))?\b"
    r"|\b(\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d{1,7})(?:[.,](\d\d))?\s?\$"
)
_TOWN = re.compile(r"(?!(?:le|les)\b)[^\W\d_][^\W\d_' .-]*(?:[ '.-][^\W\d_]+){0,4}", re.IGNORECASE)
_VOWELS = "aeiou"


def _read_city(text: str, metadata: Mapping[str, Any], found: dict[str, Value]) -> None:
    told = metadata.get("city")
    if text:
        words = frozenset(_WORDS.findall(text))
        for value in shared()["city"]:
            if value[0] in words:
                found["city"] = value
                return
    if isinstance(told, str) and len(told) <= 25 and _TOWN.fullmatch(told):
        found["city"] = (told, told, f"d'{told}" if fold(told)[0] in _VOWELS else f"de {told}")


_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def _read_money(text: str, found: dict[str, Value]) -> None:
    match = _MONEY.search(text)
    if match:
        whole = re.sub(r"\D", "", match[1] or match[3])
        value = money(int(whole) * 100 + int(match[2] or match[4] or 0))
        found.update(dict.fromkeys(MONEY, value))


def _read_days(folded: str, found: dict[str, Value]) -> None:
    match = _date_pattern().search(folded)
    if match:
        day = int(match[2] or match[3])
        if 1 <= day <= 31:
            found.update(dict.fromkeys(DATES, date(_months()[match[1] or match[4]], day)))
    for value in (*shared()["day"], ("Sunday", "dimanche")):
        if value[0].lower() in folded or value[1] in folded:
            found["day"] = value
            break


@cache
def _months() -> dict[str, int]:
    months = shared()["month"]
    return {fold(name): number for number, value in enumerate(months, 1) for name in value[:2]}


@cache
def _date_pattern() -> re.Pattern[str]:
    names = "|".join(sorted(_months(), key=len, reverse=True))
    return re.compile(rf"\b({names}) (\d{{1,2}})\b|\b(\d{{1,2}})(?:er)? ({names})\b")


def _steps(low: int, high: int, step: int) -> Callable[[Random], Value]:
    """Return a maker of round amounts of dollars."""
    count = (high - low) // step + 1
    return lambda random: money(100 * (low + step * int(random.random() * count)))


def _numbers(low: int, high: int) -> Callable[[Random], Value]:
    def number(random: Random) -> Value:
        text = str(low + int(random.random() * (high - low + 1)))
        return text, text

    return number


def _amounts(low: int, high: int) -> Callable[[Random], Value]:
    """Return a maker of amounts with or without cents."""

    def amount(random: Random) -> Value:
        cents = (0, 0, 50, 25, 75, 95, 99)[int(random.random() * 7)]
        return money(100 * (low + int(random.random() * (high - low))) + cents)

    return amount


def _points(random: Random) -> Value:
    english = f"{100 * (12 + int(random.random() * 460)):,}"
    return english, english.replace(",", vocabulary.NO_BREAK)


def _percent(*choices: int) -> Callable[[Random], Value]:
    def percent(random: Random) -> Value:
        number = choices[int(random.random() * len(choices))]
        return f"{number}%", f"{number}{vocabulary.NO_BREAK}%"

    return percent


def _dates(*months: int) -> Callable[[Random], Value]:
    return lambda random: date(months[int(random.random() * len(months))], 1 + int(random.random() * 28))


def _times(*choices: tuple[int, int]) -> Callable[[Random], Value]:
    return lambda random: clock(*choices[int(random.random() * len(choices))])


def _car(random: Random) -> Value:
    model = draw("model", random, shared())[0]
    year = 2014 + int(random.random() * 11)
    return f"{year} {model}", f"{model} {year}"


@cache
def _people() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the first and last names of Faker, a pair a locale."""
    from faker.providers.person.en_US import Provider as English  # slow to load: only titles with people need it
    from faker.providers.person.fr_CA import Provider as French

    locales = (French, French, English)
    return tuple((tuple(locale.first_names), tuple(locale.last_names)) for locale in locales)


def _person(random: Random) -> Value:
    first, last = (names[int(random.random() * len(names))] for names in _people()[int(random.random() * 3)])
    return f"{first} {last}", f"{first} {last}"


def _surname(random: Random) -> Value:
    last = _people()[0][1]
    name = last[int(random.random() * len(last))]
    return name, name


def _doctor(random: Random) -> Value:
    name = _surname(random)[0]
    return f"Dr. {name}", f"la Dre {name}" if random.random() < 0.5 else f"le Dr {name}"


_OFFICE = tuple((hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 0, 15, 30, 45))

_MAKERS: dict[str, Callable[[Random], Value]] = {
    "amount": _amounts(12, 220),
    "small": _amounts(5, 30),
    "monthly": _amounts(38, 110),
    "weekly": _amounts(140, 280),
    "plate": _amounts(13, 27),
    "big": _steps(250, 1_950, 5),
    "thousands": _steps(2_100, 18_500, 100),
    "price": _steps(260_000, 890_000, 5_000),
    "carprice": _steps(38_000, 68_000, 1_000),
    "used": _steps(9_000, 32_000, 500),
    "rent": _steps(850, 2_350, 10),
    "fare": _steps(289, 1_489, 10),
    "cover": _steps(100_000, 750_000, 50_000),
    "round": _steps(25, 200, 25),
    "percent": _percent(3, 4, 5, 6, 7, 8, 9),
    "off": _percent(10, 15, 20, 25, 30, 40),
    "points": _points,
    "number": _numbers(20_148, 98_731),
    "party": _numbers(2, 8),
    "many": _numbers(12, 60),
    "date": _dates(*range(1, 13)),
    "fall": _dates(10, 11),
    "winter": _dates(1, 2, 3, 12),
    "spring": _dates(4, 5),
    "time": _times(*_OFFICE),
    "dinner": _times((17, 30), (18, 0), (18, 30), (19, 0), (19, 30), (20, 0), (20, 30)),
    "lunch": _times((11, 30), (11, 45), (12, 15), (12, 30), (13, 0)),
    "car": _car,
    "person": _person,
    "surname": _surname,
    "doctor": _doctor,
}

# Slots of one kind: a date or an amount that a message names can stand in any of them.
DATES = ("date", "fall", "winter", "spring")
_MONEY_SLOTS = "amount small monthly weekly plate big thousands price carprice used rent fare cover round"
MONEY = tuple(_MONEY_SLOTS.split())
