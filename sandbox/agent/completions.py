"""Answers a completion: one text after an instruction. Calls no tools and sends no forms (docs/contract.md 6.2)."""

from __future__ import annotations

import re

from sandbox.agent import directives, language, showcase
from sandbox.agent.directives import Directives
from sandbox.agent.instructions import Task, split
from sandbox.agent.language import Language
from sandbox.agent.text import READ_LIMIT, fold
from sandbox.agent.turn import Prompt
from sandbox.reply import Message, Reply

_TO_FRENCH = re.compile(r"\b(?:to|into|in|en|vers le) (?:canadian |quebec )?(?:french|francais)\b")
_TO_ENGLISH = re.compile(r"\b(?:to|into|in|en|vers l') ?(?:canadian )?(?:english|anglais)\b")


def complete(prompt: Prompt) -> Reply:
    """Return the answer to `prompt`: one text, or a failure."""
    asked = directives.parse(prompt.text)
    lang = _language(prompt, asked)
    pace, cut = asked.pace, asked.has("cut")
    if asked.has("fail"):
        return Reply(failure=showcase.failure(lang), pace=pace, cut=cut)
    return Reply(output=(Message(text=_text(prompt, asked, lang)),), pace=pace, cut=cut)


def _text(prompt: Prompt, asked: Directives, lang: Language) -> str:
    if asked.unknown:
        return showcase.known(asked, lang)
    if asked.echo is not None:
        return asked.echo
    shown = showcase.shown(asked, lang, prompt.here)
    return shown if shown is not None else Task(prompt, asked.rest, lang).text()


def _language(prompt: Prompt, asked: Directives) -> Language:
    """Return the language of the answer: the one that is asked for, else that of the instruction."""
    instruction = fold(split(asked.rest)[0][:READ_LIMIT])
    if _TO_FRENCH.search(instruction):
        return "fr"
    if _TO_ENGLISH.search(instruction):
        return "en"
    return language.tell(instruction) or language.detect(asked.rest, language.of_metadata(prompt.metadata))
