"""What fills the places of a title: dates, amounts, cities, people; each value in both languages at once.

Owns how places are filled and values drawn; knows no title. Amounts and times carry no-break spaces (U+00A0) in French.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import TypeVar

from sandbox.agent import vocabulary

Value = tuple[str, ...]
"""English, French, then the French form with "de" and the one with its article, where there are such."""

Pools = Mapping[str, tuple[Value, ...]]

FORMS = {"of": 2, "the": 3}


T = TypeVar("T")


def pick(options: Sequence[T], random: Random) -> T:
    """Return one of `options`; cheaper than `random.choice`."""
    return options[int(random.random() * len(options))]


def draw(name: str, random: Random, pools: Pools) -> Value:
    """Return a value for the slot `name`, from `pools` or made up."""
    pool = pools.get(name)
    if pool is not None:
        return pick(pool, random)
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
        number = pick(choices, random)
        return f"{number}%", f"{number}{vocabulary.NO_BREAK}%"

    return percent


def _dates(*months: int) -> Callable[[Random], Value]:
    """Return a maker of days when people work: no 1st of January or July, nothing around Christmas."""

    def day(random: Random) -> Value:
        month = pick(months, random)
        return date(month, 1 + int(random.random() * 23) if month not in (1, 7) else 3 + int(random.random() * 20))

    return day


def _times(*choices: tuple[int, int]) -> Callable[[Random], Value]:
    return lambda random: clock(*pick(choices, random))


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
    first, last = (pick(names, random) for names in _people()[int(random.random() * 3)])
    return f"{first} {last}", f"{first} {last}"


def _surname(random: Random) -> Value:
    last = _people()[0][1]
    name = pick(last, random)
    return name, name


def _doctor(random: Random) -> Value:
    name = _surname(random)[0]
    return f"Dr. {name}", f"la Dre {name}" if random.random() < 0.5 else f"le Dr {name}"


_OFFICE = tuple((hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 0, 15, 30, 45))

_MAKERS: dict[str, Callable[[Random], Value]] = {
    "amount": _amounts(12, 220),
    "small": _amounts(5, 30),
    "monthly": _amounts(38, 110),
    "hundreds": _amounts(140, 280),
    "snack": _amounts(6, 12),
    "plate": _amounts(13, 27),
    "course": _amounts(32, 68),
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
