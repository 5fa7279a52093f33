"""Decides which of an app's tools a message calls, and with which arguments; says nothing around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sandbox.agent import dates, entities
from sandbox.agent.rendering import ReplyBuilder
from sandbox.agent.text import MAX_READ, SPELLED, read
from sandbox.agent.turn import Tool
from sandbox.reply import TRANSFER_TOOL, FunctionCall

TRANSFER: Final = Tool(
    name=TRANSFER_TOOL, kind="mapping", arguments={"reason": "customer_request", "topic": "", "language": "en-ca"}
)
"""What `[[human]]` calls, whatever tools the app has."""

_MAX_TEXT: Final = 500


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
    text = read(message[:MAX_READ]).spaced
    return tuple([tool for tool in tools if any(map(text.__contains__, _spaced(tool.when)))])


def of_each_kind(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Return the first tool of each kind that there is, mapping before client."""
    firsts = (next((tool for tool in tools if tool.kind == kind), None) for kind in ("mapping", "client"))
    return tuple(tool for tool in firsts if tool is not None)


def call(builder: ReplyBuilder, tool: Tool, number: int) -> FunctionCall:
    """Return the `number`-th call of this reply; a client tool never gets arguments."""
    call_id = "call_" + builder.turn.here.hex(24, "call", number)
    if tool.kind == "client":
        return FunctionCall(call_id=call_id, name=tool.name, arguments=None)
    return FunctionCall(call_id=call_id, name=tool.name, arguments=filled(builder, tool), output=_output(builder, tool))


def filled(builder: ReplyBuilder, tool: Tool) -> dict[str, Any]:
    """Return the arguments of a tool: its example, with what the message and the metadata tell in its places."""
    return {key: _value(builder, key, example) for key, example in (tool.arguments or {}).items()}


@lru_cache(maxsize=512)
def _spaced(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a tool as a text has them; those without a letter are none."""
    return tuple(spaced for word in words if len(spaced := read(word).spaced) > 2)


def _value(builder: ReplyBuilder, key: str, example: Any) -> Any:
    """Return what stands under `key`; it always has the JSON type of the example."""
    if isinstance(example, Mapping):
        return {name: _value(builder, name, inner) for name, inner in example.items()}
    told = builder.turn.metadata.get(key)
    if told is not None and type(told) is type(example):
        return told
    if isinstance(example, str):
        reader = _reader(key)
        found = reader(builder, example) if reader else None
        return example if found is None else found
    if isinstance(example, int) and not isinstance(example, bool):
        return _number(builder, key, example)
    return example


@lru_cache(maxsize=512)
def _reader(key: str) -> Callable[[ReplyBuilder, str], str | None] | None:
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


def _number(builder: ReplyBuilder, key: str, example: int) -> int:
    if not any(part in key.lower() for part in _COUNTED):
        return example
    for word in read(builder.turn.message[:MAX_READ]).folded.split()[:200]:
        if word in SPELLED:
            return SPELLED[word]
    match = _COUNT.search(read(builder.turn.message[:MAX_READ]).folded)
    return int(match[1]) if match else example


def _known(slot: str) -> Callable[[ReplyBuilder, str], str | None]:
    """Return what gives an argument that is one of the ledger's slots."""
    return lambda builder, _: builder.known(slot)


def _opening(builder: ReplyBuilder) -> dates.Opening:
    """Return the day and time that are wished, else the first that is offered."""
    told = builder.ledger.told.get("when") or builder.ledger.booking.get("slot")
    if told:
        return dates.from_iso(told)
    wanted = dates.requested(read(builder.turn.message[:MAX_READ]).folded, builder.today)
    if wanted and wanted.days and not builder.openings:
        return wanted.days[0], wanted.time or (builder.business.visits[0], 0)
    return _openings(builder)[0]


def _openings(builder: ReplyBuilder) -> list[dates.Opening]:
    """Return the openings that the reply offers, the day's own where it offers none."""
    return builder.openings or dates.openings(builder.business, None, builder.today, builder.draw(8, 4_096))


def _date(builder: ReplyBuilder, _: str) -> str:
    return _opening(builder)[0].isoformat()


def _time(builder: ReplyBuilder, _: str) -> str:
    hour, minute = _opening(builder)[1]
    return f"{hour:02}:{minute:02}"


def _subject(builder: ReplyBuilder, _: str) -> str | None:
    topic = builder.business.topics.get(builder.ledger.topic)
    return topic.label.of(builder.lang) if topic else None


def _reason(builder: ReplyBuilder, example: str) -> str:
    return example if "_" in example else _message(builder, example) or example


def _language(builder: ReplyBuilder, example: str) -> str:
    code = example if len(example) <= 2 else ("fr-CA" if example[3:].isupper() else "fr-ca")
    return builder.lang + code[2:]


def _message(builder: ReplyBuilder, _: str) -> str | None:
    return builder.turn.message.strip()[:_MAX_TEXT] or None


def _metadata(key: str) -> Callable[[ReplyBuilder, str], str | None]:
    return lambda builder, _: entities.short_text(builder.turn.metadata, key)


# The first part that occurs in an argument's name decides.
_READERS: Final[tuple[tuple[str, Callable[[ReplyBuilder, str], str | None]], ...]] = (
    *(
        ("email", _known("email")),
        ("courriel", _known("email")),
        ("phone", _known("phone")),
        ("telephone", _known("phone")),
    ),
    *(("first_name", _metadata("first_name")), ("last_name", _metadata("last_name")), ("city", _metadata("city"))),
    *(("language", _language), ("locale", _language), ("langue", _language)),
    *(("order", _known("ref")), ("policy", _known("ref")), ("reference", _known("ref")), ("booking", _known("ref"))),
    *(("invoice", _known("ref")), ("ticket", _known("ref")), ("account", _known("ref")), ("claim", _known("ref"))),
    *(("datetime", _date), ("date", _date), ("day", _date), ("jour", _date), ("time", _time), ("heure", _time)),
    *(("service", _subject), ("topic", _subject), ("subject", _subject), ("sujet", _subject), ("category", _subject)),
    *(("reason", _reason), ("raison", _reason), ("message", _message), ("note", _message), ("comment", _message)),
    *(("description", _message), ("question", _message), ("query", _message), ("details", _message)),
)


def _output(builder: ReplyBuilder, tool: Tool) -> dict[str, Any]:
    """Return what a tool answered, as the history shows it; its openings are those that the sentence beneath offers."""
    if tool is TRANSFER:
        return {"status": "queued", "agent": builder.value("colleague"), "position": 1}
    if "availab" in tool.name or "disponib" in tool.name:
        booked = builder.ledger.booking.get("slot")
        offered = [dates.iso(each) for each in builder.openings]
        return {"status": "success", "slots": offered or ([booked] if booked else [])}
    return {"status": "success", "reference": builder.number()}
