"""Decides which of an app's tools a message calls, and with which arguments; says nothing around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sandbox.agent import answers
from sandbox.agent.speech import Voice
from sandbox.agent.text import READ_LIMIT, read
from sandbox.agent.turn import Tool
from sandbox.reply import FunctionCall

TRANSFER: Final = Tool(
    name="transfer_to_agent", kind="mapping", arguments={"reason": "customer_request", "topic": "", "language": "en-ca"}
)
"""What `[[human]]` calls, whatever tools the app has."""

_MOST_TEXT: Final = 500


def default_tools() -> tuple[Tool, ...]:
    """Return the tools of an app that sets none: one of each kind."""
    return (
        Tool(
            name="check_availability",
            kind="mapping",
            when=(
                *("appointment", "availability", "available times", "to book", "reschedule", "reservation"),
                *("rendez-vous", "rdv", "disponibilité", "disponibilités", "réserver", "réservation"),
            ),
            arguments={"service": "consultation", "date": "2026-03-03"},
        ),
        Tool(
            name="show_map",
            kind="client",
            when=("map", "directions", "nearest", "closest", "on a map", "carte routière", "itinéraire", "plus proche"),
        ),
    )


def called(tools: Sequence[Tool], message: str) -> tuple[Tool, ...]:
    """Return the tools of which a word comes up in `message`, in the order of the settings."""
    if not tools:
        return ()
    text = read(message[:READ_LIMIT]).spaced
    return tuple([tool for tool in tools if any(map(text.__contains__, _spaced(tool.when)))])


def of_each_kind(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Return the first tool of each kind that there is, mapping before client."""
    firsts = (next((tool for tool in tools if tool.kind == kind), None) for kind in ("mapping", "client"))
    return tuple(tool for tool in firsts if tool is not None)


def call(voice: Voice, tool: Tool, number: int) -> FunctionCall:
    """Return the `number`-th call of this reply; a client tool never gets arguments."""
    call_id = "call_" + voice.turn.here.hex(24, "call", number)
    if tool.kind == "client":
        return FunctionCall(call_id=call_id, name=tool.name, arguments=None)
    return FunctionCall(call_id=call_id, name=tool.name, arguments=filled(voice, tool), output=_output(voice, tool))


def filled(voice: Voice, tool: Tool) -> dict[str, Any]:
    """Return the arguments of a tool: its example, with what the message and the metadata tell in its places."""
    return {key: _value(voice, key, example) for key, example in (tool.arguments or {}).items()}


@lru_cache(maxsize=512)
def _spaced(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a tool as a text has them; those without a letter are none."""
    return tuple(spaced for word in words if len(spaced := read(word).spaced) > 2)


def _value(voice: Voice, key: str, example: Any) -> Any:
    """Return what stands under `key`; it always has the JSON type of the example."""
    if isinstance(example, Mapping):
        return {name: _value(voice, name, inner) for name, inner in example.items()}
    told = voice.turn.metadata.get(key)
    if told is not None and type(told) is type(example):
        return told
    if isinstance(example, str):
        reader = _reader(key)
        found = reader(voice, example) if reader else None
        return example if found is None else found
    if isinstance(example, int) and not isinstance(example, bool):
        return _number(voice, key, example)
    return example


@lru_cache(maxsize=512)
def _reader(key: str) -> Callable[[Voice, str], str | None] | None:
    """Return what reads the argument that is called `key`; tools have few, which come again."""
    name = _CAMEL.sub("_", key).lower()
    return next((reader for part, reader in _READERS if part in name), None)


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNT = re.compile(r"\b([1-9]\d{0,2})\b(?! ?(?:h|am|pm|a\.m|p\.m|:))")
_COUNTED: Final = (
    "people",
    "guests",
    "party",
    "quantity",
    "count",
    "number_of",
    "seats",
    "travellers",
    "adults",
    "personnes",
)
_NUMBERS: Final = (
    *(("one", "un"), ("two", "deux"), ("three", "trois"), ("four", "quatre"), ("five", "cinq")),
    *(("six", "six"), ("seven", "sept"), ("eight", "huit"), ("nine", "neuf"), ("ten", "dix")),
)
SPELLED: Final = {word: number for number, words in enumerate(_NUMBERS, 1) for word in words if number > 1}
"""The numbers from two to ten as words of both languages."""


def _number(voice: Voice, key: str, example: int) -> int:
    if not any(part in key.lower() for part in _COUNTED):
        return example
    for word in voice.folded.split()[:200]:
        if word in SPELLED:
            return SPELLED[word]
    match = _COUNT.search(voice.folded)
    return int(match[1]) if match else example


def _email(voice: Voice, _: str) -> str | None:
    return answers.email(voice.text) or answers.known_email(voice.turn.metadata, voice.turn.memory)


def _phone(voice: Voice, _: str) -> str | None:
    return answers.phone(voice.text) or answers.known_phone(voice.turn.metadata)


def _reference(voice: Voice, _: str) -> str | None:
    return answers.reference(voice.text) or answers.known_reference(voice.turn.metadata)


def _date(voice: Voice, _: str) -> str:
    wish = voice.wish()
    day = wish.day if wish and wish.day else voice.facts.slots()[0][0]
    return day.isoformat()


def _time(voice: Voice, _: str) -> str:
    wish = voice.wish()
    hour, minute = wish.time if wish and wish.time else voice.facts.slots()[0][1]
    return f"{hour:02}:{minute:02}"


def _subject(voice: Voice, _: str) -> str | None:
    if voice.topic is None:
        return None
    return voice.topic.label.en if voice.lang == "en" else voice.topic.label.fr


def _reason(voice: Voice, example: str) -> str:
    return example if "_" in example else _message(voice, example) or example


def _language(voice: Voice, example: str) -> str:
    code = example if len(example) <= 2 else ("fr-CA" if example[3:].isupper() else "fr-ca")
    return voice.lang + code[2:]


def _message(voice: Voice, _: str) -> str | None:
    return voice.text.strip()[:_MOST_TEXT] or None


def _metadata(key: str) -> Callable[[Voice, str], str | None]:
    return lambda voice, _: answers.short_text(voice.turn.metadata, key)


# The first part that occurs in an argument's name decides.
_READERS: Final[tuple[tuple[str, Callable[[Voice, str], str | None]], ...]] = (
    *(("email", _email), ("courriel", _email), ("phone", _phone), ("telephone", _phone)),
    *(("first_name", _metadata("first_name")), ("last_name", _metadata("last_name")), ("city", _metadata("city"))),
    *(("language", _language), ("locale", _language), ("langue", _language)),
    *(("order", _reference), ("policy", _reference), ("reference", _reference), ("booking", _reference)),
    *(("invoice", _reference), ("ticket", _reference), ("account", _reference), ("claim", _reference)),
    *(("datetime", _date), ("date", _date), ("day", _date), ("jour", _date), ("time", _time), ("heure", _time)),
    *(("service", _subject), ("topic", _subject), ("subject", _subject), ("sujet", _subject), ("category", _subject)),
    *(("reason", _reason), ("raison", _reason), ("message", _message), ("note", _message), ("comment", _message)),
    *(("description", _message), ("question", _message), ("query", _message), ("details", _message)),
)


def _output(voice: Voice, tool: Tool) -> dict[str, Any]:
    """Return what a tool answered, as the history shows it."""
    if tool is TRANSFER:
        return {"status": "queued", "agent": voice.facts["colleague"], "position": 1}
    if "availab" in tool.name or "disponib" in tool.name:
        slots = [f"{day.isoformat()}T{hour:02}:{minute:02}" for day, (hour, minute) in voice.facts.slots()]
        return {"status": "success", "slots": slots}
    return {"status": "success", "reference": voice.facts["number"]}
