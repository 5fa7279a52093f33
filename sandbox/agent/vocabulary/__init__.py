"""The words of the agent, as data files read on first use; holds no logic.

`businesses/` has a file a business: facts, topics, and entries (what customers write, and what is answered).
`titles/` has the titles that a business's conversations are born with: under `# topic` a line a title (intent, English,
French), under `= slot` what can fill `{slot}`: English, French, French with "de" (`{slot.of}`) and with its article.

French is written with ordinary spaces: `typography` sets the no-break ones, so an editor can't lose them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

NO_BREAK = "\u00a0"
NARROW = "\u202f"
FOLDER = Path(__file__).parent
T = TypeVar("T")


@cache
def load(name: str) -> Any:
    """Return the data file `name` (such as `forms`), parsed; read once a process, never to be changed."""
    return json.loads(FOLDER.joinpath(*name.split("/")).with_suffix(".json").read_text(encoding="utf-8"))


@cache
def lines(name: str) -> dict[str, list[list[str]]]:
    """Return the text file `name`: under each heading (`# topic`, `= slot`) its lines, their ` | ` columns apart."""
    sections: dict[str, list[list[str]]] = {}
    for line in FOLDER.joinpath(*name.split("/")).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(("# ", "= ")):
            sections[line] = []
        elif line:
            sections[next(reversed(sections))].append(line.split(" | "))
    return sections


@cache
def words(section: str) -> frozenset[str]:
    """Return the words of a section of `words.txt`; of a line with columns, those of the first."""
    return frozenset(word for row in lines("words")[f"# {section}"] for word in row[0].split())


@cache
def spelt(lang: str) -> frozenset[str]:
    """Return words of a language that are spelt right."""
    return frozenset((FOLDER / f"words_{lang}.txt").read_text(encoding="utf-8").split())


@cache
def metadata_keys(name: str) -> tuple[str, ...]:
    """Return the keys of an app's metadata that may tell what `name` is, the likeliest first."""
    return next((tuple(row[1].split()) for row in lines("words")["# metadata"] if row[0] == name), ())


@cache
def alternatives(name: str) -> str:
    """Return the regular expression of a section of `patterns.txt`: any of its lines, as a group."""
    return f"(?:{'|'.join(patterns(name))})"


def patterns(name: str) -> list[str]:
    """Return the lines of a section of `patterns.txt`."""
    return _patterns()[name]


@cache
def _patterns() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in (FOLDER / "patterns.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            heading = line[2:]
        else:
            sections.setdefault(heading, []).append(line)
    return sections


def pick(options: Sequence[T], random: Random) -> T:
    """Return one of `options`; cheaper than `random.choice`."""
    return options[int(random.random() * len(options))]


def typography(french: str) -> str:
    """Return a French text with its no-break spaces: narrow inside « », full before colons and units."""
    text = french.replace("« ", f"«{NARROW}").replace(" »", f"{NARROW}»").replace(" :", f"{NO_BREAK}:")
    return _UNITS.sub(NO_BREAK, text)


def typeset(value: Any) -> Any:
    """Return French words with their no-break spaces, whatever they are nested in."""
    if isinstance(value, str):
        return typography(value)
    if isinstance(value, list):
        return [typeset(item) for item in value]
    return {key: typeset(item) for key, item in value.items()} if isinstance(value, dict) else value


_UNITS = re.compile(r"(?<=\d) (?=(?:\$|%|h\b|km\b|\d{2,3}\b))|(?<=\d h) (?=\d)")
