"""Conversations with the agent of one business, for the tests of the agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sandbox.agent.businesses import NAMES
from sandbox.agent.dialogue import reply
from sandbox.agent.items import form
from sandbox.agent.turn import Ledger, Profile, Tool, Turn
from sandbox.reply import DataSpec, FunctionCall, Message, Reply
from sandbox.rng import Entropy

NOW = 1_772_480_000  # Monday, March 2, 2026, in the afternoon


def profile(
    business: str = "general", *, tools: Sequence[Tool] = (), generative_ui: bool = False, name: str = "Camille"
) -> Profile:
    return Profile(name=name, business=business, tools=tuple(tools), generative_ui=generative_ui)


def turn(
    message: str,
    agent: Profile | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    seed: int = 1,
    position: int = 0,
    ledger: bytes | None = None,
) -> Turn:
    return Turn(
        profile=agent or profile(),
        conversation=Entropy(seed).at("conversation"),
        position=position,
        answered=position > 0,
        now=NOW,
        message=message,
        metadata=metadata or {},
        ledger=ledger,
    )


class Conversation:
    """One conversation as it goes on: what was said last, and what the agent keeps of it."""

    def __init__(self, business: str = "general", *, seed: int = 1, **about: Any) -> None:
        metadata = about.pop("metadata", None)
        self.agent = profile(business, **about)
        self.metadata = metadata or {}
        self.seed = seed
        self.kept: bytes | None = None
        self.position = 0
        self.reply = Reply()

    def say(self, message: str) -> str:
        """Send a message and return the text of its reply."""
        self.reply = reply(
            turn(
                message,
                self.agent,
                metadata=self.metadata,
                seed=self.seed,
                position=self.position,
                ledger=self.kept,
            )
        )
        self.kept = self.reply.ledger
        self.position += 1
        return text_of(self.reply)

    @property
    def ledger(self) -> Ledger:
        return Ledger.from_json(self.kept)

    @property
    def calls(self) -> list[FunctionCall]:
        """The calls of the last reply."""
        return [item for item in self.reply.output if isinstance(item, FunctionCall)]


def talk(business: str, *messages: str, **about: Any) -> str:
    """Return the text of the reply to the last of some messages."""
    conversation = Conversation(business, **about)
    return [conversation.say(message) for message in messages][-1]


def text_of(answer: Reply) -> str:
    """Return what a reply says, its no-break spaces as plain ones, so that tests can be typed."""
    said = "\n\n".join(item.text for item in answer.output if isinstance(item, Message))
    return said.replace("\u00a0", " ").replace("\u202f", " ")


def patches_of(answer: Reply) -> list[dict[str, Any]]:
    return [dict(item.patch) for item in answer.output if isinstance(item, DataSpec)]


@cache
def patches_of_all_forms() -> list[list[dict[str, Any]]]:
    """Return the patches of a form of each business, in both languages, for two wishes, and of a scripted one."""
    forms = [
        patches_of(reply(turn(f"[[form]] {message}", profile(name, generative_ui=True))))
        for name in NAMES
        for message in ("please", "s'il vous plaît")
    ]
    forms += [
        patches_of(reply(turn(message, profile(name, generative_ui=True))))
        for name in NAMES
        for message in ("I want the form to file a complaint", "je veux le formulaire pour porter plainte")
    ]
    fields: list[dict[str, Any]] = [
        {"label": "A/b~c"},
        {"label": "A/b~c", "type": "Select", "options": ["x"]},
        {"label": "", "type": "odd"},
    ]
    return [*filter(None, forms), [dict(spec.patch) for spec in form("Title", fields)]]
