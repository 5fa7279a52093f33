"""What an agent is told before it speaks: a turn, its special words, what was kept of the conversation before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import orjson

from sandbox.app_settings import Tool as Tool
from sandbox.reply import Pace
from sandbox.rng import Entropy

Language = Literal["en", "fr"]


class Pair(NamedTuple):
    """One text in both languages; the two mean the same thing."""

    en: str
    fr: str

    def of(self, lang: Language) -> str:
        """Return the text in one language."""
        return self.en if lang == "en" else self.fr


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The agent of one app as its settings make it; `business` is the name of one (`businesses.business`)."""

    name: str
    business: str
    tools: tuple[Tool, ...]
    generative_ui: bool
    tone: str = "friendly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message that waits for its reply.

    `conversation` is the entropy of the whole conversation: what must stay the same in all its replies (a name, a
    file number) is drawn from it; what belongs to this reply alone from `here`. `ledger` is what the agent kept of
    the conversation so far. `position` counts the user's messages before this one, `answered` says whether one of
    them has a reply. `now` is the app's time in Unix seconds.
    """

    profile: Profile
    conversation: Entropy
    now: int
    message: str
    metadata: Mapping[str, Any]
    position: int = 0
    answered: bool = False
    ledger: bytes | None = None

    @property
    def here(self) -> Entropy:
        """The entropy of this reply alone."""
        return self.conversation.at("turn", self.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One completion that is asked for: a single text, no conversation, no tools (docs/contract.md 6.2)."""

    profile: Profile
    here: Entropy
    now: int
    text: str
    metadata: Mapping[str, Any]


# How long the texts of slots that hold a day, or a day and a time, are: those that `dates` writes.
_LENGTHS: Final = {"day": 10, "since": 10, "date": 10, "when": 16, "time": 16}
_YEARS: Final = range(1900, 9_900)
_MAX_ROUNDS: Final = 100


@dataclass(slots=True)
class Ledger:
    """The state of one conversation, kept with it as JSON; nothing in it is found by reading the agent's own sentences.

    `told` has by slot what the customer said. `asked` is the slot of the agent's open question ("offer" and "confirm"
    for those that a yes answers), `entry` what it belongs to, `options` what was put to choice: openings or entries.
    `said` are the entries answered, `misses` how many messages in a row were not understood. `safety` is the kind of
    distress that the conversation stands at, `stopped` that the customer wants no more messages, `form` that a form was
    shown last.
    """

    lang: str = ""
    topic: str = ""
    told: dict[str, str] = field(default_factory=dict)
    asked: str = ""
    entry: str = ""
    options: list[str] = field(default_factory=list)
    asked_again: int = 0
    booking: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    misses: int = 0
    rounds: int = 0
    safety: str = ""
    stopped: bool = False
    handed_over: bool = False
    form: bool = False

    @classmethod
    def from_json(cls, raw: bytes | None) -> Ledger:
        """Return the ledger that `to_json` wrote, an empty one for None."""
        if raw is None:
            return cls()
        known: dict[str, Any] = orjson.loads(raw)
        ledger = cls(**known)
        # A snapshot may have been written by hand.
        ledger.told = {slot: text for slot, text in ledger.told.items() if _is_readable(slot, text)}
        if not _is_readable("when", ledger.booking.get("slot", "")):
            ledger.booking = {}
        if ledger.asked == "when":
            ledger.options = [text for text in ledger.options if _is_readable("when", text)]
        ledger.rounds = min(ledger.rounds, _MAX_ROUNDS)
        return ledger

    def to_json(self) -> bytes:
        """Return it as compact JSON, without what is empty."""
        return orjson.dumps({name: value for name in self.__slots__ if (value := getattr(self, name))})

    def ask(self, slot: str, entry: str, options: list[str] | None = None) -> None:
        """Keep the question that is open from now on."""
        self.asked_again = self.asked_again + 1 if (slot, entry) == (self.asked, self.entry) else 0
        self.asked, self.entry, self.options = slot, entry, options or []

    def close(self) -> None:
        """Keep that no question is open."""
        self.asked, self.entry, self.options, self.asked_again, self.rounds = "", "", [], 0, 0


def _is_readable(slot: str, text: str) -> bool:
    """Say whether a slot's text is as the agent writes it: a day, or a day and a time, of a usual year."""
    length = _LENGTHS.get(slot)
    if length is None:
        return True
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return False
    return at.year in _YEARS and at.isoformat(timespec="minutes")[:length] == text


SPECIAL_WORDS: Final = ("fail", "slow", "cut", "tool", "form", "human", "echo", "markdown", "long", "unicode")
"""All special words, in the order in which they are listed to a user."""

SLOW_MS: Final = 2_000
SLOW_DELTA_MS: Final = 100
MAX_SLOW_MS: Final = 600_000
LONG_WORDS: Final = 2_000
MAX_LONG_WORDS: Final = 20_000

_MAX_UNKNOWN: Final = 10
_MAX_WORDS: Final = 1_000
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
        return Pace(first_ms=min(self.number("slow", SLOW_MS), MAX_SLOW_MS), delta_ms=SLOW_DELTA_MS)

    @property
    def long(self) -> int:
        """How many words `[[long]]` asks for: at least 1, at most 20,000."""
        return max(1, min(self.number("long", LONG_WORDS), MAX_LONG_WORDS))


def parse_directives(text: str) -> Directives:
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
    for bracketed in islice(dict.fromkeys(_BRACKETED.findall(text)), _MAX_WORDS):
        word = _word(bracketed)
        if word is None:
            continue
        taken.add(bracketed)
        if isinstance(word, Word):
            words.setdefault(word.name, word)
        elif len(unknown) < _MAX_UNKNOWN:
            unknown.append(f"[[{bracketed}]]")
    if taken:
        rest = _BRACKETED.sub(lambda match: " " if match[1] in taken else match[0], text)
        text = _GAP.sub(" ", rest).strip()
    if echo is not None:
        words["echo"] = Word("echo")
    return Directives(words=tuple(words.values()), unknown=tuple(unknown), rest=text, echo=echo)


def _word(bracketed: str) -> Word | str | None:
    """Return a known word, the name of an unknown one, or None for what is no special word (a link of a wiki)."""
    if bracketed in SPECIAL_WORDS:
        return Word(bracketed)
    name, *arguments = bracketed.lower().split() or [""]
    if not _NAME.fullmatch(name) or len(arguments) > 1:
        return None
    if not arguments:
        return Word(name) if name in SPECIAL_WORDS else name
    numbered = _NUMBER.fullmatch(arguments[0]) is not None
    if name in SPECIAL_WORDS:
        return Word(name, int(arguments[0])) if numbered else name
    return name if numbered else None
