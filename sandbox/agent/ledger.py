"""What the agent keeps of a conversation: what was told, asked, offered and booked. Kept with the conversation as JSON.

It is never shown, and nothing in it is found by reading the agent's own sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

# How long the texts of slots that hold a day, or a day and a time, are: those that `dates` writes.
_LENGTHS: Final = {"day": 10, "since": 10, "date": 10, "when": 16, "time": 16}
_YEARS: Final = range(1900, 9_900)
_MAX_ROUNDS: Final = 100


@dataclass(slots=True)
class Ledger:
    """The state of one conversation.

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
