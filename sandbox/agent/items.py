"""What a reply brings beside its messages: calls of an app's tools, and forms as json-render patches.

Decides which tools a message calls and with which arguments (docs/contract.md 8). Of a form the root comes first, then
its card with the list of its children, then these in the order in which they are read: so something shows from the
start and fills in step by step. Every element has `children`, as the vendor's catalog asks (docs/contract.md 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from sandbox.agent import dates, entities, vocabulary
from sandbox.agent.rendering import ReplyBuilder
from sandbox.agent.text import MAX_READ, detect, fold, numbers, read
from sandbox.agent.turn import Language, Tool
from sandbox.reply import TRANSFER_TOOL, DataSpec, FunctionCall

TRANSFER: Final = Tool(
    name=TRANSFER_TOOL, kind="mapping", arguments={"reason": "customer_request", "topic": "", "language": "en-ca"}
)
"""What `[[human]]` calls, whatever tools the app has."""

_MAX_TEXT: Final = 500
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNT = re.compile(r"\b([1-9]\d{0,2})\b(?! ?(?:h|am|pm|a\.m|p\.m|:))")
PROPS: Final[Mapping[str, frozenset[str]]] = {
    "Card": frozenset(("title", "description")),
    "Stack": frozenset(("direction", "gap")),
    "Input": frozenset(("label", "name", "type", "placeholder", "value")),
    "Textarea": frozenset(("label", "name", "placeholder", "rows", "value")),
    "Select": frozenset(("label", "name", "options", "placeholder", "value")),
    "Radio": frozenset(("label", "name", "options", "value")),
    "Checkbox": frozenset(("label", "name", "checked")),
    "Switch": frozenset(("label", "name", "checked")),
    "Slider": frozenset(("label", "min", "max", "step", "value")),
    "Button": frozenset(("label",)),
}
"""The elements that the example client renders, with their props (docs/contract.md 7.2)."""

INPUT_TYPES: Final = frozenset(("text", "email", "password", "number"))
"""What an Input may take, by the vendor's catalog."""

_STRUCTURE: Final = frozenset(("Card", "Stack", "Button"))
_ROOT: Final = "form"
_MAX_LINES: Final = 60
_BLANKS: Final = " \u00a0\u202f*"
_FORM_LINE = re.compile(r"(?!https?:)([^\W\d_][^\n:]{0,59}):([^\n]*)")
_NOT_NAME = re.compile(r"[^a-z0-9]+")


def default_tools() -> tuple[Tool, ...]:
    """Return the tools of an app that sets none: one of each kind."""
    return tuple(Tool(**{**tool, "when": tuple(tool["when"])}) for tool in vocabulary.load("tools"))


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
        name, *slot = _reader(key)
        found = _READERS[name](builder, example, *slot) if name else None
        return example if found is None else found
    if isinstance(example, int) and not isinstance(example, bool):
        return _number(builder, key, example)
    return example


@lru_cache(maxsize=512)
def _reader(key: str) -> Sequence[str]:
    """Return what reads the argument that is called `key`, and of which slot; tools have few, which come again."""
    name = _CAMEL.sub("_", key).lower()
    rows = vocabulary.lines("words")["# arguments"]
    return next((row[1:] for row in rows if any(part in name for part in row[0].split())), [""])


def _number(builder: ReplyBuilder, key: str, example: int) -> int:
    if not any(part in key.lower() for part in vocabulary.words("counted")):
        return example
    spelled = (numbers()[word] for word in builder.folded.split()[:200] if word in numbers())
    match = _COUNT.search(builder.folded)
    return next(spelled, int(match[1]) if match else example)


def _opening(builder: ReplyBuilder) -> dates.Opening:
    """Return the day and time that are wished, else the first that is offered."""
    told = builder.ledger.told.get("when") or builder.ledger.booking.get("slot")
    if told:
        return dates.from_iso(told)
    wanted = dates.requested(builder.folded, builder.today)
    if wanted and wanted.days and not builder.openings:
        return wanted.days[0], wanted.time or (builder.business.visits[0], 0)
    return _openings(builder)[0]


def _openings(builder: ReplyBuilder) -> list[dates.Opening]:
    """Return the openings that the reply offers, the day's own where it offers none."""
    return builder.openings or dates.openings(builder.business, None, builder.today, builder.draw(8, 4_096))


def _subject(builder: ReplyBuilder, _: str) -> str | None:
    topic = builder.business.topics.get(builder.ledger.topic)
    return topic.label.of(builder.lang) if topic else None


def _language(builder: ReplyBuilder, example: str) -> str:
    code = example if len(example) <= 2 else ("fr-CA" if example[3:].isupper() else "fr-ca")
    return builder.lang + code[2:]


def _message(builder: ReplyBuilder, _: str) -> str | None:
    return builder.turn.message.strip()[:_MAX_TEXT] or None


_READERS: Final[Mapping[str, Callable[..., str | None]]] = {
    "slot": lambda builder, _, slot: builder.known(slot),
    "metadata": lambda builder, _, key: entities.short_text(builder.turn.metadata, key),
    "language": _language,
    "date": lambda builder, _: dates.iso(_opening(builder))[:10],
    "time": lambda builder, _: dates.iso(_opening(builder))[11:],
    "subject": _subject,
    "reason": lambda builder, example: example if "_" in example else _message(builder, example),
    "message": _message,
}


def _output(builder: ReplyBuilder, tool: Tool) -> dict[str, Any]:
    """Return what a tool answered, as the history shows it; its openings are those that the sentence beneath offers."""
    if tool is TRANSFER:
        return {"status": "queued", "agent": builder.value("colleague"), "position": 1}
    if "availab" in tool.name or "disponib" in tool.name:
        booked = builder.ledger.booking.get("slot")
        offered = [dates.iso(each) for each in builder.openings]
        return {"status": "success", "slots": offered or ([booked] if booked else [])}
    return {"status": "success", "reference": builder.number()}


def form(
    title: str,
    fields: Sequence[Mapping[str, Any]],
    *,
    lang: Language | None = None,
    description: str | None = None,
    submit: str | None = None,
) -> tuple[DataSpec, ...]:
    """Return the patches of a form: a card with one element a field, and a button that submits.

    A field is a mapping with `label`, perhaps `type` (an element, `Input` without one, or one of `INPUT_TYPES`),
    `name` and any other prop; props that its element does not know are left out. A Select without a placeholder has one
    in `lang`, by default the language of the texts.
    """
    lang = lang or detect(" ".join([title, *(str(field.get("label", "")) for field in fields)]))
    choose = _typeset(lang)(vocabulary.load("forms")[lang]["choose"])
    elements: dict[str, Mapping[str, Any]] = {}
    for field in fields:
        element, props = _element(field)
        key = _free(str(props.get("name") or _name(str(props["label"]))), elements)
        if "name" in PROPS[element]:
            props["name"] = key
        if element == "Select":
            props.setdefault("placeholder", choose)
        elements[key] = {"type": element, "props": props, "children": []}
    elements["submit"] = {
        "type": "Button",
        "props": {"label": submit or "Submit"},
        "children": [],
        "on": {"press": {"action": "submit"}},
    }
    heading = {"title": title} if description is None else {"title": title, "description": description}
    return tuple(DataSpec(patch=patch) for patch in _patches(heading, elements))


def fitting(builder: ReplyBuilder, wish: str) -> tuple[DataSpec, ...]:
    """Return the form that fits the business and what is wished ("quote", "claim" …), in the reply's language."""
    submit = builder.pick(vocabulary.load("forms")[builder.lang]["submit"])
    return _fixed(builder.lang, _fitting(builder.lang, builder.business.trade, wish), submit)


def submitted(text: str) -> tuple[tuple[str, str], ...]:
    """Return the labels and values of a submitted form, () for another text.

    A form comes as `Label: value` lines; a line without a label continues the value before it. A single line is one
    only after a form, which the caller knows.
    """
    pairs: list[tuple[str, str]] = []
    lines = [line.strip() for line in text.strip().split("\n")[:_MAX_LINES]]
    for line in lines:
        match = _FORM_LINE.fullmatch(line)
        if match:
            pairs.append((match[1].strip(_BLANKS), match[2].strip()))
        elif not pairs:
            return ()
        elif line:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {line}")
    return tuple(pairs) if 2 * len(pairs) >= len(lines) else ()


@cache
def _fitting(lang: Language, business: str, wish: str) -> str:
    """Return the form of the vocabulary that fits a business and a wish best."""
    forms = vocabulary.load("forms")[lang]
    names = (f"{business}.{wish}", f"any.{wish}", f"{business}.any", f"{business}.quote", "any.any")
    return next(name for name in names if name in forms)


@cache
def _fixed(lang: Language, name: str, submit: str) -> tuple[DataSpec, ...]:
    """Return a form of the vocabulary, with one of the texts that its button may have."""
    title, description, fields = vocabulary.load("forms")[lang][name]
    text = _typeset(lang)
    rows = [_field(row, text) for row in fields]
    return form(text(title), rows, lang=lang, description=text(description), submit=text(submit))


def _patches(heading: Mapping[str, str], elements: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    card = {"type": "Card", "props": heading, "children": list(elements)}
    steps: list[tuple[str, Any]] = [("/root", _ROOT), (f"/elements/{_ROOT}", card)]
    steps += [(f"/elements/{key}", element) for key, element in elements.items()]
    return [{"op": "add", "path": path, "value": value} for path, value in steps]


def _element(field: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the element of a field and its props."""
    given = field.get("type")
    is_element = isinstance(given, str) and given in PROPS and given not in _STRUCTURE
    element = str(given) if is_element else "Input"
    props = {key: value for key, value in field.items() if key in PROPS[element] and key != "type"}
    if element == "Input":
        props["type"] = _input_type(field.get("input_type") if given == "Input" else given)
    if "options" in PROPS[element]:
        props["options"] = list(map(str, field.get("options") or []))
    return element, {"label": str(field.get("label") or field.get("name") or ""), **props}


def _input_type(given: object) -> str:
    return str(given) if given in INPUT_TYPES else "text"


def _name(label: str) -> str:
    return _NOT_NAME.sub("_", fold(label[:100])).strip("_")[:40] or "field"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """Return `name` as a key that stands in a JSON pointer as it is and is not taken."""
    base = name.replace("~", "_").replace("/", "_")
    key, number = base, 2
    while key in taken or key in (_ROOT, "submit"):
        key, number = f"{base}_{number}", number + 1
    return key


def _field(row: Sequence[Any], text: Callable[[str], str]) -> dict[str, Any]:
    """Return a field from a row of the data file: element, label, and what its element needs."""
    element, label, *rest = row
    field: dict[str, Any] = {"type": element, "label": text(label)}
    if element == "Input":
        field |= {"input_type": rest[0], **({"placeholder": text(rest[1])} if len(rest) > 1 else {})}
    elif element == "Textarea":
        field |= {"placeholder": text(rest[0]), "rows": rest[1]}
    elif element in ("Select", "Radio"):
        field["options"] = [text(option) for option in rest[0]]
    elif element in ("Checkbox", "Switch"):
        field["checked"] = rest[0]
    else:
        field |= dict(zip(("min", "max", "step", "value"), rest, strict=True))
    return field


def _typeset(lang: Language) -> Callable[[str], str]:
    return vocabulary.typography if lang == "fr" else str
