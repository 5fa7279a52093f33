"""Answers a completion: one text after an instruction. Calls no tools and sends no forms (CONTRACT.md 6.2)."""

from __future__ import annotations

from sandbox.agent import directives, language, showcase
from sandbox.agent.turn import Prompt
from sandbox.reply import Message, Reply


def complete(prompt: Prompt) -> Reply:
    """Return the answer to `prompt`: one text, or a failure."""
    asked = directives.parse(prompt.text)
    lang = language.detect(asked.echo or asked.rest, language.of_metadata(prompt.metadata))
    if asked.has("fail"):
        return Reply(failure=showcase.failure(lang), pace=asked.pace, cut=asked.has("cut"))
    text = showcase.shown(asked, lang, prompt.here)
    if text is None:
        text = "Merci! Comment puis-je vous aider?" if lang == "fr" else "Thank you! How can I help you?"
    return Reply(output=(Message(text=text),), pace=asked.pace, cut=asked.has("cut"))
