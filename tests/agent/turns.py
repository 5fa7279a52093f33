"""Turns and conversations for the tests of the voice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.agent.businesses import about as phrase_of
from sandbox.agent.forms import form
from sandbox.agent.replies import reply
from sandbox.agent.tools import default_tools
from sandbox.agent.topics import TOPICS
from sandbox.agent.turn import Profile, Tool, Turn, Utterance
from sandbox.reply import DataSpec, FunctionCall, Message, Reply
from sandbox.rng import Entropy

NOW = 1_772_480_000  # March 2, 2026


def profile(*, tools: Sequence[Tool] | None = None, generative_ui: bool = False, name: str = "Camille") -> Profile:
    return Profile(name=name, tools=default_tools() if tools is None else tuple(tools), generative_ui=generative_ui)


def turn(
    message: str,
    *memory: Utterance,
    metadata: Mapping[str, Any] | None = None,
    seed: int | str = 1,
    position: int | None = None,
    agent: Profile | None = None,
) -> Turn:
    said_before = sum(said.role == "user" for said in memory)
    return Turn(
        profile=agent or profile(tools=()),
        conversation=Entropy(seed).at("conversation"),
        position=said_before if position is None else position,
        now=NOW,
        message=message,
        metadata=metadata or {},
        memory=memory,
    )


def text_of(answer: Reply) -> str:
    return "\n\n".join(item.text for item in answer.output if isinstance(item, Message))


def say(message: str, *memory: Utterance, **about: Any) -> str:
    """Return the text of the reply to one message."""
    return text_of(reply(turn(message, *memory, **about)))


def converse(messages: Sequence[str], **about: Any) -> list[Reply]:
    """Return the replies to messages that follow each other in one conversation."""
    memory: list[Utterance] = []
    replies = []
    for position, message in enumerate(messages):
        kept = memory if len(memory) <= 12 else [*memory[:2], *memory[-10:]]
        replies.append(reply(turn(message, *kept, position=position, **about)))
        called = tuple(item.name for item in replies[-1].output if isinstance(item, FunctionCall))
        memory += [Utterance("user", message), Utterance("assistant", text_of(replies[-1]), called)]
    return replies


def rendered(answer: Reply) -> str:
    """Return a reply as a person reads it: texts, calls and the elements of a form."""
    lines = []
    for item in answer.output:
        if isinstance(item, Message):
            lines.append(item.text)
        elif isinstance(item, FunctionCall):
            lines.append(f"[{item.name} {json.dumps(item.arguments, ensure_ascii=False)}]")
        elif isinstance(item, DataSpec):
            lines.append(f"[{json.dumps(item.patch, ensure_ascii=False)}]")
    return "\n\n".join(lines)


def patches_of(answer: Reply) -> list[dict[str, Any]]:
    return [dict(item.patch) for item in answer.output if isinstance(item, DataSpec)]


def patches_of_all_forms() -> list[list[dict[str, Any]]]:
    """Return the patches of a form about each business, in both languages, for two wishes, and of a scripted one."""
    agent = profile(tools=(), generative_ui=True)
    firsts = {topic.business: topic for topic in TOPICS.values()}.values()
    asked = [f"[[form]] {wish} {about}" for topic in firsts for wish, about in (
        *(("a quote for", phrase_of(topic, "en")), ("I want to complain about", phrase_of(topic, "en"))),
        *(("une soumission pour", phrase_of(topic, "fr")), ("je veux porter plainte pour", phrase_of(topic, "fr"))),
    )]  # fmt: skip
    forms = [patches_of(reply(turn(message, agent=agent))) for message in (*asked, "[[form]]", "bonjour [[form]]")]
    fields: list[dict[str, Any]] = [
        {"label": "A/b~c"},
        {"label": "A/b~c", "type": "Select", "options": ["x"]},
        {"label": "", "type": "odd"},
    ]
    return [*forms, [dict(spec.patch) for spec in form("Title", fields)]]
