"""Turns a scripted reply (docs/control.md, Scripted replies) into a reply; special words have no effect in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.agent.forms import form
from sandbox.reply import DataSpec, FunctionCall, Message, OutputItem, Pace, Reply
from sandbox.rng import Entropy


def fits(script: Mapping[str, Any], message: str) -> bool:
    """Say whether a message asks for this script: it contains the word, or one of the words, in any case."""
    wanted = script.get("contains")
    if wanted is None:
        return True
    words = [wanted] if isinstance(wanted, str) else wanted
    return any(word.casefold() in message.casefold() for word in words)


def scripted(script: Mapping[str, Any], here: Entropy) -> Reply:
    """Return the reply that a script says; one `fail` makes the whole reply fail."""
    pace = Pace(**script["pace"]) if script.get("pace") else None
    failure = next((item["message"] for item in script["output"] if item["type"] == "fail"), None)
    if failure is not None:
        return Reply(failure=failure, pace=pace)
    output = [item for index, said in enumerate(script["output"]) for item in _items(said, here, index)]
    return Reply(output=tuple(output), pace=pace)


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
