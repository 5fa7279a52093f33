"""Answers one message of a conversation. Puts the reply together; what it is made of lives in the modules beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sandbox.agent import dialogue, directives, forms, language, tools
from sandbox.agent.answering import Response
from sandbox.agent.directives import Directives
from sandbox.agent.ledger import Ledger
from sandbox.agent.rendering import ReplyBuilder, laid_out
from sandbox.agent.text import GREETINGS, MAX_READ, read
from sandbox.agent.turn import Tool, Turn
from sandbox.agent.vocabulary import NO_BREAK
from sandbox.reply import FunctionCall, Message, OutputItem, Reply

_FORM = re.compile(r"\b(?:forms?|formulaires?)\b")
_FORM_WISHES: Final = ("quote", "claim", "complaint", "change", "book")
_PLAIN: Final = frozenset(("slow", "cut"))


def reply(turn: Turn) -> Reply:
    """Return what the agent answers to the message of `turn`, and what it keeps of the conversation after it."""
    asked = directives.parse(turn.message)
    ledger = Ledger.from_json(turn.ledger)
    lang, sure = language.of_message(asked.rest, ledger.lang, turn.metadata)
    if sure or not ledger.lang:
        ledger.lang = lang
    pace, cut = asked.pace, asked.has("cut")
    if asked.has("fail"):
        return Reply(failure=directives.failure(lang), pace=pace, cut=cut)
    if asked.echo is not None and not asked.unknown:
        return Reply(output=(Message(text=asked.echo),), pace=pace, cut=cut, ledger=ledger.to_json())
    output = _output(ReplyBuilder(turn, ledger, lang), asked)
    return Reply(output=output, pace=pace, cut=cut, ledger=ledger.to_json())


def _output(builder: ReplyBuilder, asked: Directives) -> tuple[OutputItem, ...]:
    """Return the items of a reply: what special words ask for, else what the message does."""
    hello = _hello(builder)
    if asked.unknown:
        return _said(laid_out([hello, directives.known(asked, builder.lang)]))
    if not {word.name for word in asked.words} - _PLAIN:
        return _answered(builder, asked.rest)
    items = _shown_off(builder, asked)
    if items and hello:
        first = items[0]
        items[0] = Message(text=laid_out([hello, first.text])) if isinstance(first, Message) else first
    if asked.has("long") and not _first_name(builder):
        hello = ""  # exactly so many words, and none must be said
    text = directives.shown(asked, builder.lang, builder.turn.here, "" if items else hello)
    return (*items, *_said(text)) if text is not None else tuple(items)


def _shown_off(builder: ReplyBuilder, asked: Directives) -> list[OutputItem]:
    """Return the calls and forms that special words ask for, in their order; each begins with a sentence."""
    items: list[OutputItem] = []
    for word in asked.words:
        calls = sum(isinstance(item, FunctionCall) for item in items)
        if word.name == "tool":
            items += _tools(builder, calls)
        elif word.name == "human":
            items += _transfer(builder, calls)
        elif word.name == "form":
            items += _form(builder)
    return items


def _answered(builder: ReplyBuilder, text: str) -> tuple[OutputItem, ...]:
    """Return the answer to an ordinary message, with the calls and the form that its words bring about."""
    fields = forms.submitted(text)
    if fields and (len(fields) > 1 or builder.ledger.form):
        return _said(laid_out([_hello(builder), *_submitted(builder, fields)]))
    builder.ledger.form = False
    response = dialogue.respond(builder, text)
    hello = _greeting(builder, response)
    called = () if builder.ledger.safety else tools.called(builder.turn.profile.tools, text)
    if called:
        calls = [tools.call(builder, tool, number) for number, tool in enumerate(called)]
        after = [builder.say("map")] if any("map" in tool.name for tool in called) else response.parts
        return (Message(text=laid_out([*hello, builder.say("tool_before")])), *calls, Message(text=laid_out(after)))
    wish = _form_wish(builder, response, text)
    if wish:
        builder.ledger.close()
        builder.ledger.form = True
        return (
            *_said(laid_out([*hello, *response.parts[:1], builder.say("form_intro")])),
            *forms.fitting(builder, wish),
        )
    return _said(laid_out([*hello, *response.parts]))


def _form_wish(builder: ReplyBuilder, response: Response, text: str) -> str | None:
    """Return what the form is for that this answer comes with, None where it comes with none."""
    if not builder.turn.profile.generative_ui or builder.ledger.safety:
        return None
    entry = response.entry
    wish = next((wish for wish in _FORM_WISHES if entry and wish in entry.id), None)
    if _FORM.search(read(text[:MAX_READ]).folded):
        return wish or "any"
    return wish if entry and entry.asks and builder.first and builder.ledger.asked not in ("", "when") else None


def _submitted(builder: ReplyBuilder, fields: Sequence[tuple[str, str]]) -> list[str]:
    """Confirm what came with a form, and say what happens with it."""
    colon = ":" if builder.lang == "en" else f"{NO_BREAK}:"
    told = [(label, value) for label, value in fields if value and value.lower() not in ("true", "false")]
    builder.ledger.form = False
    rows = "\n" + "\n".join(f"- **{label}{colon}** {value}" for label, value in told)
    return [builder.say("form_received", fields=rows), builder.say("form_next")]


def _hello(builder: ReplyBuilder) -> str:
    """Return the greeting of a first reply, with the first name exactly as it was given; later nothing."""
    if not builder.first:
        return ""
    return builder.say("hello" if _first_name(builder) else "hello_plain")


def _greeting(builder: ReplyBuilder, response: Response) -> list[str]:
    """Return the greeting before an answer: with the name where it is known, else only to whoever greets."""
    if not builder.first:
        return []
    if _first_name(builder):
        return [builder.say("hello_sober" if response.sober else "hello")]
    greets = read(builder.turn.message[:40]).words[:1]
    cordial = greets and greets[0] in GREETINGS
    is_formal = builder.turn.profile.tone == "formal"
    return [builder.say("hello_plain")] if cordial and not response.sober and not is_formal else []


def _first_name(builder: ReplyBuilder) -> str:
    """Return the first name that the metadata has, "" without one or where it is no text."""
    name = builder.turn.metadata.get("first_name")
    return name if isinstance(name, str) else ""


def _tools(builder: ReplyBuilder, number: int) -> list[OutputItem]:
    """Return a call of each kind of tool that the app has, between two sentences."""
    chosen: tuple[Tool, ...] = tools.of_each_kind(builder.turn.profile.tools)
    if not chosen:
        return [Message(text=builder.say("tool_none"))]
    kinds = {tool.kind for tool in chosen}
    notes = [builder.say(f"tool_no_{kind}") for kind in ("mapping", "client") if kind not in kinds]
    calls = [tools.call(builder, tool, number + at) for at, tool in enumerate(chosen)]
    after = laid_out([builder.say("tool_after"), *notes])
    return [Message(text=builder.say("tool_before")), *calls, Message(text=after)]


def _transfer(builder: ReplyBuilder, number: int) -> list[OutputItem]:
    """Return the hand-over to a person."""
    builder.ledger.handed_over = True
    call = tools.call(builder, tools.TRANSFER, number)
    return [Message(text=builder.say("transfer_before")), call, Message(text=builder.say("transfer_after"))]


def _form(builder: ReplyBuilder) -> list[OutputItem]:
    """Return a form after a sentence, or the sentence that none can be shown."""
    if not builder.turn.profile.generative_ui:
        return [Message(text=builder.say("form_off"))]
    builder.ledger.form = True
    return [Message(text=builder.say("form_intro")), *forms.fitting(builder, "any")]


def _said(text: str) -> tuple[OutputItem, ...]:
    return (Message(text=text),)
