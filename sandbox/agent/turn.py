"""What an agent is told before it speaks, and what it keeps of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson

from sandbox.app_settings import Tool as Tool
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
    position: int
    answered: bool
    now: int
    message: str
    metadata: Mapping[str, Any]
    ledger: bytes | None

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
