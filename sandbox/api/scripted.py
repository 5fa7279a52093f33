"""Turns a scripted reply (docs/control.md, Scripted replies) into a reply; special words have no effect in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.agent.items import form
from sandbox.agent.text import of_message
from sandbox.agent.turn import Language
from sandbox.reply import DataSpec, FunctionCall, Message, OutputItem, Pace, Reply
from sandbox.rng import Entropy


def fits(script: Mapping[str, Any], message: str) -> bool:
    """Say whether a message asks for this script: it contains the word, or one of the words, in any case."""
    wanted = script.get("contains")
    if wanted is None:
        return True
    words = [wanted] if isinstance(wanted, str) else wanted
    return any(word.casefold() in message.casefold() for word in words)


def scripted(script: Mapping[str, Any], here: Entropy, message: str, metadata: Mapping[str, Any]) -> Reply:
    """Return the reply that a script says, in the language of the message; one `fail` makes the whole reply fail."""
    pace = Pace(**script["pace"]) if script.get("pace") else None
    said = script["output"]
    if _has_pairs(said):
        said = _in_language(said, of_message(message, "", metadata)[0])
    failure = next((item["message"] for item in said if item["type"] == "fail"), None)
    if failure is not None:
        return Reply(failure=failure, pace=pace)
    output = [item for index, one in enumerate(said) for item in _items(one, here, index)]
    return Reply(output=tuple(output), pace=pace)


def _has_pairs(value: Any) -> bool:
    """Say whether a text is there in both languages."""
    if isinstance(value, Mapping):
        return value.keys() == {"en", "fr"} or any(map(_has_pairs, value.values()))
    return isinstance(value, list) and any(map(_has_pairs, value))


def _in_language(value: Any, lang: Language) -> Any:
    """Return a value with the text of one language in place of each pair."""
    if isinstance(value, Mapping):
        if value.keys() == {"en", "fr"}:
            return value[lang]
        return {name: _in_language(child, lang) for name, child in value.items()}
    return [_in_language(child, lang) for child in value] if isinstance(value, list) else value


def _items(said: Mapping[str, Any], here: Entropy, index: int) -> Iterator[OutputItem]:
    if said["type"] == "message":
        yield Message(text=said["text"])
    elif said["type"] == "function_call":
        call_id = "call_" + here.hex(24, "call", index)
        yield FunctionCall(call_id=call_id, name=said["name"], arguments=said.get("arguments"))
    elif said["type"] == "data_spec":
        yield DataSpec(patch=said["patch"])
    else:
        yield from form(said["title"], said["fields"])
