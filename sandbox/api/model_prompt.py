"""Which texts a model may write in the agent's place, and what it is told for it (docs/model.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from sandbox.agent import items
from sandbox.agent.businesses import business
from sandbox.agent.text import MAX_READ, detect, of_metadata, read
from sandbox.agent.turn import Language, Ledger, Prompt, Turn, parse_directives
from sandbox.agent.understanding import distress
from sandbox.api import TextModel
from sandbox.apps.app import App
from sandbox.apps.records import Item
from sandbox.handler_types import TextWriter
from sandbox.reply import Message, Reply

# Of a long conversation the model is told the end: so many items, and so many characters.
MAX_ITEMS = 40
MAX_CHARACTERS = 60_000

_NOT_REPEATABLE = "a model wrote texts"
_LANGUAGES: Mapping[Language, str] = {"en": "Canadian English", "fr": "French as it is written in Québec"}


async def write_reply(model: TextModel, app: App, conversation_id: str, turn: Turn, reply: Reply) -> TextWriter | None:
    """Let the model write the text of a reply; None where our own agent is to be heard."""
    transcript = await app.conversations.transcript(conversation_id) if _is_ordinary(turn, reply) else None
    if transcript is None:
        return None
    lang: Language = "fr" if Ledger.from_json(reply.ledger).lang == "fr" else "en"
    company = business(turn.profile.business).facts
    instructions = (
        f"You answer the customers of {company['company'].of(lang)}, {company['trade'].en}, in a chat. "
        f"Write the next message, in {_LANGUAGES[lang]}: plain text, at most a few short sentences. "
        "Make nothing up about the customer: what neither the chat nor the facts below say, ask or offer to find out."
    )
    app.history.mark_incomplete(_NOT_REPEATABLE)
    return model.write([_system(instructions, turn.metadata), *_history(transcript.items)])


def write_completion(model: TextModel, app: App, prompt: Prompt) -> TextWriter | None:
    """Let the model write a completion; None where the prompt has special words."""
    if _has_special_words(prompt.text):
        return None
    company = business(prompt.profile.business).facts
    lang = detect(prompt.text, of_metadata(prompt.metadata))
    instructions = (
        f"You write texts for {company['company'].of(lang)}, {company['trade'].en}. Do what the prompt asks, "
        f"in {_LANGUAGES[lang]} unless it asks for another language, and answer with the text alone."
    )
    app.history.mark_incomplete(_NOT_REPEATABLE)
    return model.write([_system(instructions, prompt.metadata), {"role": "user", "content": prompt.text}])


def _is_ordinary(turn: Turn, reply: Reply) -> bool:
    """Say whether a reply is text alone, and neither special words, safety nor a form that was sent made it."""
    is_text = len(reply.output) == 1 and isinstance(reply.output[0], Message)
    if not is_text or _has_special_words(turn.message):
        return False
    if Ledger.from_json(reply.ledger).safety or distress(read(turn.message[:MAX_READ]).folded):
        return False
    fields = items.submitted(turn.message)
    return not (len(fields) > 1 or (fields and Ledger.from_json(turn.ledger).form))


def _has_special_words(text: str) -> bool:
    asked = parse_directives(text)
    return bool(asked.words or asked.unknown) or asked.echo is not None


def _system(instructions: str, metadata: Mapping[str, Any]) -> dict[str, str]:
    facts = orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS).decode() if metadata else "none"
    return {"role": "system", "content": f"{instructions}\nFacts about the customer: {facts}"}


def _history(items: Sequence[Item]) -> list[dict[str, str]]:
    """Return the end of a conversation as the messages of a chat: at least its last one."""
    messages: list[dict[str, str]] = []
    left = MAX_CHARACTERS
    for item in reversed(items[-MAX_ITEMS:]):
        content = "\n".join(filter(None, map(_plain, orjson.loads(item.json)["parts"])))
        left -= len(content)
        if left < 0 and messages:
            break
        if content:
            messages.append({"role": item.role, "content": content})
    return messages[::-1]


def _plain(part: Mapping[str, Any]) -> str:
    """Return a part of an item as text; a form has none."""
    if part["type"] == "text":
        return str(part["text"])
    if part["type"] == "tool-call":
        return f"({part['toolName']}: {orjson.dumps(part['output']).decode()})" if part["output"] else ""
    return ""
