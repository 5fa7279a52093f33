"""What an agent is told before it speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sandbox.app_settings import Tool as Tool
from sandbox.rng import Entropy


class TitlePair(NamedTuple):
    """One title in both locales; the two mean the same thing."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The agent of one app as its settings make it."""

    name: str
    tools: tuple[Tool, ...]
    generative_ui: bool


class Utterance(NamedTuple):
    """One earlier message of a conversation; `tools` are the names of the tools that it called."""

    role: Literal["user", "assistant"]
    text: str
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message that waits for its reply.

    `conversation` is the entropy of the whole conversation: what must stay the same in all its replies (a name, a
    file number) is drawn from it; what belongs to this reply alone from `here`. `memory` holds what was said before,
    oldest first: at most the first two and the last ten messages. `position` counts the user's messages before this
    one. `now` is the app's time in Unix seconds.
    """

    profile: Profile
    conversation: Entropy
    position: int
    now: int
    message: str
    metadata: Mapping[str, Any]
    memory: Sequence[Utterance]

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
