"""Reads the special words of a message or prompt (docs/contract.md 10); what they do is decided elsewhere."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

from sandbox.reply import Pace

KNOWN: Final = ("fail", "slow", "cut", "tool", "form", "human", "echo", "markdown", "long", "unicode")
"""All special words, in the order in which they are listed to a user."""

SLOW_MS: Final = 2_000
SLOW_DELTA_MS: Final = 100
MOST_SLOW_MS: Final = 600_000
LONG_WORDS: Final = 2_000
MOST_LONG_WORDS: Final = 20_000

_MOST_UNKNOWN: Final = 10
_MOST_READ: Final = 1_000
_FEW: Final = 40  # so many different words are taken out one by one, more in one go
_BRACKETED = re.compile(r"\[\[([^\[\]\n]{1,90})\]\]")
_NAME = re.compile(r"[^\W\d_][\w-]*")
_NUMBER = re.compile(r"[0-9]+")
_GAP = re.compile(" {2,}")
_ECHO = re.compile(r"\[\[ {0,3}echo {0,3}\]\]", re.IGNORECASE)


class Word(NamedTuple):
    """One special word as it stood in the text; `number` is None where none was given."""

    name: str
    number: int | None = None


class Directives(NamedTuple):
    """The special words of one text.

    `words` are the known ones in the order of their first appearance, `unknown` the others as they were written,
    `rest` is the text without either, `echo` what follows `[[echo]]`, None without one.
    """

    words: tuple[Word, ...] = ()
    unknown: tuple[str, ...] = ()
    rest: str = ""
    echo: str | None = None

    def has(self, name: str) -> bool:
        """Say whether the known word `name` is among them."""
        return name in [word.name for word in self.words]

    def number(self, name: str, default: int) -> int:
        """Return the number that stands with `name`, `default` without one."""
        return next((word.number for word in self.words if word.name == name and word.number is not None), default)

    @property
    def pace(self) -> Pace | None:
        """The pace that `[[slow]]` asks for, None without it; more than ten minutes is ten minutes."""
        if not self.has("slow"):
            return None
        return Pace(first_ms=min(self.number("slow", SLOW_MS), MOST_SLOW_MS), delta_ms=SLOW_DELTA_MS)

    @property
    def long(self) -> int:
        """How many words `[[long]]` asks for: at least 1, at most 20,000."""
        return max(1, min(self.number("long", LONG_WORDS), MOST_LONG_WORDS))


def parse(text: str) -> Directives:
    """Read the special words of `text`, in any case; all that follows `[[echo]]` is quoted and has no effect."""
    if "[[" not in text:
        return Directives(rest=text)
    echo = _ECHO.search(text)
    if echo is None:
        return _parsed(text, None)
    before, after = text[: echo.start()], text[echo.end() :]
    return _parsed(before, after.removeprefix(" "))


def _parsed(text: str, echo: str | None) -> Directives:
    words: dict[str, Word] = {}
    unknown: list[str] = []
    taken: set[str] = set()
    # A word said a hundred thousand times is read once; of a hundred thousand words, the first thousand.
    for bracketed in islice(dict.fromkeys(_BRACKETED.findall(text)), _MOST_READ):
        word = _word(bracketed)
        if word is None:
            continue
        taken.add(bracketed)
        if isinstance(word, Word):
            words.setdefault(word.name, word)
        elif len(unknown) < _MOST_UNKNOWN:
            unknown.append(f"[[{bracketed}]]")
    rest = _without(text, taken) if taken else text
    if echo is not None:
        words["echo"] = Word("echo")
    return Directives(words=tuple(words.values()), unknown=tuple(unknown), rest=rest, echo=echo)


def _word(bracketed: str) -> Word | str | None:
    """Return a known word, the name of an unknown one, or None for what is no special word (a link of a wiki)."""
    if bracketed in KNOWN:
        return Word(bracketed)
    name, *arguments = bracketed.lower().split() or [""]
    if not _NAME.fullmatch(name) or len(arguments) > 1:
        return None
    if not arguments:
        return Word(name) if name in KNOWN else name
    numbered = _NUMBER.fullmatch(arguments[0]) is not None
    if name in KNOWN:
        return Word(name, int(arguments[0])) if numbered else name
    return name if numbered else None


def _without(text: str, taken: set[str]) -> str:
    """Return `text` without the bracketed words that were taken."""
    if len(taken) > _FEW:
        return _closed(_BRACKETED.sub(lambda match: " " if match[1] in taken else match[0], text))
    for bracketed in taken:
        text = text.replace(f"[[{bracketed}]]", " ")
    return _closed(text)


def _closed(text: str) -> str:
    """Close the gaps that taken words left."""
    return _GAP.sub(" ", text).strip()
