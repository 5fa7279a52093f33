"""What a message names by itself: amounts, dates, cities, numbers of people, order numbers.

Owns the reading of them into slots, so that a title can repeat what was said; draws nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from sandbox.agent import slots
from sandbox.agent.slots import Value
from sandbox.agent.text import fold, read

SEEN = 1_000  # characters of a message that are searched for values

# Slots of one kind: a date or an amount that a message names can stand in any of them.
DATES = ("date", "fall", "winter", "spring")
_MONEY_SLOTS = (
    "amount small monthly hundreds snack plate course big thousands price carprice used rent fare cover round"
)
MONEY = tuple(_MONEY_SLOTS.split())


def known(text: str, metadata: Mapping[str, Any]) -> dict[str, Value]:
    """Return the slots that a message and its metadata fill by themselves."""
    found = _read(text[:SEEN])
    if "city" not in found:
        _read_city(metadata, found)
    return found


def _read(text: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if _city_pattern().search(text):  # seldom, and the words of a text are slow to find
        cities = _cities()
        city = next((cities[word] for word in _WORDS.findall(text) if word in cities), None)
        if city:
            found["city"] = city
    _read_day(text, found)
    if _DIGIT.search(text):
        _read_numbers(text, found)
    return found


_DIGIT = re.compile(r"\d")


def _read_numbers(text: str, found: dict[str, Value]) -> None:
    _read_date(read(text).folded, found)
    if "$" in text:
        _read_money(text, found)
    order = _ORDER.search(text)
    if order:
        found["number"] = (order[1], order[1])
    party = _PARTY.search(text)
    if party:
        count = party[1] or party[2]
        found["party" if int(count) < 10 else "many"] = (count, count)


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


def _read_city(metadata: Mapping[str, Any], found: dict[str, Value]) -> None:
    told = metadata.get("city")
    if isinstance(told, str) and len(told) <= 25 and _TOWN.fullmatch(told):
        found["city"] = (told, told, f"d'{told}" if fold(told)[0] in _VOWELS else f"de {told}")


@cache
def _cities() -> dict[str, Value]:
    return {value[0]: value for value in slots.shared()["city"]}


@cache
def _city_pattern() -> re.Pattern[str]:
    """Return what finds the name of a city, perhaps inside a word."""
    return re.compile("|".join(map(re.escape, _cities())))


_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def _read_money(text: str, found: dict[str, Value]) -> None:
    match = _MONEY.search(text)
    if match:
        whole = re.sub(r"\D", "", match[1] or match[3])
        value = slots.money(int(whole) * 100 + int(match[2] or match[4] or 0))
        found.update(dict.fromkeys(MONEY, value))


def _read_date(folded: str, found: dict[str, Value]) -> None:
    match = _date_pattern().search(folded)
    if match:
        day = int(match[2] or match[3])
        if 1 <= day <= 31:
            found.update(dict.fromkeys(DATES, slots.date(_months()[match[1] or match[4]], day)))


def _read_day(text: str, found: dict[str, Value]) -> None:
    low = text.lower()
    for name, value in _days():
        if name in low:
            found["day"] = value
            return


@cache
def _days() -> tuple[tuple[str, Value], ...]:
    """Return the days of the week by each of their names."""
    days = (*slots.shared()["day"], ("Sunday", "dimanche"))
    return tuple((name, value) for value in days for name in (value[1], value[0].lower()))


@cache
def _months() -> dict[str, int]:
    months = slots.shared()["month"]
    return {fold(name): number for number, value in enumerate(months, 1) for name in value[:2]}


@cache
def _date_pattern() -> re.Pattern[str]:
    names = "|".join(sorted(_months(), key=len, reverse=True))
    return re.compile(rf"\b({names}) (\d{{1,2}})\b|\b(\d{{1,2}})(?:er)? ({names})\b")
