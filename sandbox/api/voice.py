"""The way to the agent; its parts are loaded on first use: a server that nobody spoke to starts without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.agent.turn import Prompt, TitlePair, Turn
from sandbox.app_settings import Tool
from sandbox.reply import Reply
from sandbox.sources import Entropy

if TYPE_CHECKING:
    from sandbox.agent.demo import Draft


def title_pair(
    here: Entropy, *, metadata: Mapping[str, Any], custom_title: str | None, message: str | None
) -> TitlePair:
    """Return a conversation's title in both languages."""
    from sandbox.agent import titles

    return titles.title_pair(here, metadata=metadata, custom_title=custom_title, message=message)


def reply(turn: Turn) -> Reply:
    """Return what the agent says to a message."""
    from sandbox.agent import replies

    return replies.reply(turn)


def complete(prompt: Prompt) -> Reply:
    """Return what the agent makes of a prompt."""
    from sandbox.agent import completions

    return completions.complete(prompt)


def fits(script: Mapping[str, Any], message: str) -> bool:
    """Say whether a message asks for a scripted reply."""
    from sandbox.agent import scripted

    return scripted.fits(script, message)


def scripted_reply(script: Mapping[str, Any], here: Entropy) -> Reply:
    """Return what a script says."""
    from sandbox.agent import scripted

    return scripted.scripted(script, here)


def default_tools() -> tuple[Tool, ...]:
    """Return the tools of an app that sets none."""
    from sandbox.agent import tools

    return tools.default_tools()


def news(reply: Reply, here: Entropy, chat_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield type and data of the webhooks that a reply is the reason for."""
    from sandbox.agent import notices

    return notices.of_reply(reply, here, chat_id)


def drafts(entropy: Entropy, **wanted: Any) -> Iterator[Draft]:
    """Yield what users did in realistic conversations."""
    from sandbox.agent import demo

    return demo.conversations(entropy, **wanted)
