"""Finds the line of a TOML file in which a value stands: `tomllib` says it only of what is no TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

Place = tuple[str | int, ...]

_HEADER: Final = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART: Final = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(file: Path, place: Sequence[str | int]) -> int | None:
    """Return the line in which a value begins, or the closest key or table around it; None where that isn't found.

    What looks like a key inside a text of several lines is taken for one.
    """
    try:
        lines = dict(_places(file.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError):
        return None
    return next((lines[wanted] for end in range(len(place), 0, -1) if (wanted := tuple(place[:end])) in lines), None)


def _places(lines: Sequence[str]) -> Iterator[tuple[Place, int]]:
    """Yield the place of each table and key, and its line."""
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(lines, 1):
        if header := _HEADER.fullmatch(line):
            table = _resolve(_names(header[2]), counts, is_item=header[1] == "[[")
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_names(key[1])), number


def _names(text: str) -> list[str]:
    return [part[1:-1] if part[0] in "\"'" else part for part in _PART.findall(text)]


def _resolve(names: Sequence[str], counts: dict[Place, int], *, is_item: bool) -> Place:
    """Return the place of a table: below a list of tables, in its last one."""
    place: Place = ()
    for index, name in enumerate(names):
        place = (*place, name)
        if is_item and index == len(names) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
