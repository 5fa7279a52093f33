"""The words of the voice, as data files read on first use; holds no logic.

`topics/` has a JSON file a business: the words that tell it, and for each topic its name in English and French, its
gender (`m` or `f`, `p` for a plural, `-` where English takes no article) and the words that tell it (`word*`: a
beginning; `~word`: a weak sign). `titles/` and `messages/` are text: under `# topic` a line a title (intent, English,
French) or a message (language, text); under `= slot` what can fill `{slot}`: English, French, French with "de"
(`{slot.of}`) and with its article (`{slot.the}`).

French is written with ordinary spaces: `typography` sets the no-break ones, so an editor can't lose them.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

NO_BREAK = "\u00a0"
NARROW = "\u202f"


@cache
def load(name: str) -> Any:
    """Return the data file `name` (such as `topics/insurance`), parsed; read once a process, never to be changed."""
    path = Path(__file__).parent.joinpath(*name.split("/")).with_suffix(".json")
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def lines(name: str) -> dict[str, list[list[str]]]:
    """Return the text file `name`: under each heading (`# topic`, `= slot`) its lines, their ` | ` columns apart."""
    path = Path(__file__).parent.joinpath(*name.split("/")).with_suffix(".txt")
    sections: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("# ", "= ")):
            sections[line] = []
        elif line:
            sections[next(reversed(sections))].append(line.split(" | "))
    return sections


@cache
def businesses() -> tuple[str, ...]:
    """Return the names of all businesses, in alphabetical order."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.joinpath("topics").glob("*.json")))


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
