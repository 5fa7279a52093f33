"""What an agent is told before it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

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
