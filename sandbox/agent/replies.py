"""Answers one message of a conversation. Puts the reply together; what it is made of lives in the modules beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sandbox.agent import answers, dialogue, directives, facts, forms, intents, language, showcase, tools, topics
from sandbox.agent.dialogue import Response
from sandbox.agent.directives import Directives
from sandbox.agent.intents import Reading
from sandbox.agent.language import Language
from sandbox.agent.speech import Voice, acts, laid_out, question_of
from sandbox.agent.topics import Topic
from sandbox.agent.turn import Tool, Turn
from sandbox.reply import FunctionCall, Message, OutputItem, Reply

_MOST_READ: Final = 6  # earlier messages of the user in which the topic is looked for
_TELLING: Final = 12  # a message of fewer letters hardly tells a topic
_REMEMBERED: Final = 400  # letters of an earlier message that are read
_NOTHING: Final[Mapping[str, Any]] = {}
_FORMS: Final = ("quote", "claim", "complaint", "change", "form")
_SOBER: Final = ("claim", "complaint", "problem", "refund", "return", "cancelling")  # no time for cheer
_NEAR: Final = ("booking", "contact", "hours", "quote", "price")


# A topic's id, then: with which intent and word it is another one.
_OVERRULED: Final = {
    "real_estate.parking": (("claim", "car", "insurance.auto_claim"), ("claim", "auto", "insurance.auto_claim")),
    "energy.water_heater": (("problem", "", "home_services.plumbing"),),
}


def reply(turn: Turn) -> Reply:
    """Return what the agent answers to the message of `turn`."""
    asked = directives.parse(turn.message)
    lang = language.of_message(asked.rest, turn.memory, turn.metadata)
    pace, cut = asked.pace, asked.has("cut")
    if asked.has("fail"):
        return Reply(failure=showcase.failure(lang), pace=pace, cut=cut)
    if asked.echo is not None and not asked.unknown:
        return Reply(output=(Message(text=asked.echo),), pace=pace, cut=cut)
    return Reply(output=_output(_voice(turn, asked, lang), asked), pace=pace, cut=cut)


def _voice(turn: Turn, asked: Directives, lang: Language) -> Voice:
    reading = intents.detect(asked.rest)
    topic, new = _topic(turn, asked.rest, reading)
    return Voice(turn, asked.rest, lang, reading, topic, new)


def _topic(turn: Turn, text: str, reading: Reading) -> tuple[Topic | None, bool]:
    """Return what the conversation is about, and whether this message says so.

    A word of another business ("Is there parking?" at a restaurant) must outweigh what was said before.
    """
    found = None
    if reading.kind == "statement" or reading.words > 3:
        found = _told(text, reading.intent, turn.metadata if not turn.position else {})
    earlier = [said.text for said in reversed(turn.memory) if said.role == "user" and len(said.text) > _TELLING]
    first = earlier[-1] if earlier else ""
    # What was filled in says less than what was said: its labels ("policy number") name other topics.
    for said in sorted(earlier[:_MOST_READ], key=_is_form):
        before = _told_before(said[:_REMEMBERED])
        if before is None:
            continue
        if found is None or (found.business == before.business and reading.intent is None and _asked_for_more(turn)):
            return _settled(before, said, first), False
        if found.business != before.business:
            found = topics.detect(text, {"context": said}) or found
        break
    if found:
        return found, True
    return (topics.detect("", turn.metadata) if turn.metadata else None), False


def _asked_for_more(turn: Turn) -> bool:
    """Say whether the message comes after a question of ours, whose answer ("2019 Honda Civic") opens no new topic."""
    last = turn.memory[-1] if turn.memory else None
    return last is not None and last.role == "assistant" and question_of(last.text) in ("quote", "newinfo")


def _is_form(said: str) -> bool:
    return "\n" in said and bool(intents.submitted(said[:_REMEMBERED]))


def _told(text: str, intent: str | None, metadata: Mapping[str, Any] = _NOTHING) -> Topic | None:
    """Return the topic that a message tells, corrected where its intent makes another one of its words."""
    found = topics.detect(text, metadata)
    if found is None or found.id not in _OVERRULED:
        return found
    wanted = intent or intents.wanted(text)
    for claimed, word, instead in _OVERRULED[found.id]:
        if claimed == wanted and word in text.lower():
            return topics.TOPICS.get(instead, found)
    return found


@lru_cache(maxsize=512)
def _told_before(text: str) -> Topic | None:
    """Return the topic of an earlier message; kept, as each message of a conversation is looked at in many replies."""
    return _told(text, None)


def _settled(before: Topic, said: str, first: str) -> Topic:
    """Return the topic of an earlier message, unless it was a passing word beside what the conversation began with."""
    began = _told_before(first[:_REMEMBERED]) if said is not first else None
    if began is None or began.business == before.business:
        return before
    return topics.detect(said, {"context": first}) or before


def _output(voice: Voice, asked: Directives) -> tuple[OutputItem, ...]:
    """Return the items of a reply: what special words ask for, else what the message does."""
    if asked.unknown:
        return _said(laid_out([_hello(voice), showcase.known(asked, voice.lang)]))
    if not asked.words or {word.name for word in asked.words} <= {"slow", "cut"}:
        return _answered(voice)
    items = _shown_off(voice, asked)
    hello = _hello(voice)
    if items and hello:
        first = items[0]
        items[0] = Message(text=laid_out([hello, first.text])) if isinstance(first, Message) else first
    if asked.has("long") and not _first_name(voice):
        hello = ""  # exactly so many words, and none must be said
    text = showcase.shown(asked, voice.lang, voice.turn.here, "" if items else hello)
    return (*items, *_said(text)) if text is not None else tuple(items)


def _shown_off(voice: Voice, asked: Directives) -> list[OutputItem]:
    """Return the calls and forms that special words ask for, in their order; each begins with a sentence."""
    items: list[OutputItem] = []
    for word in asked.words:
        if word.name == "tool":
            items += _tools(voice, _calls(items))
        elif word.name == "human":
            items += _transfer(voice, _calls(items))
        elif word.name == "form":
            items += _form(voice)
    return items


def _answered(voice: Voice) -> tuple[OutputItem, ...]:
    """Return the answer to an ordinary message, with the calls and the form that its words bring about."""
    response = dialogue.respond(voice)
    hello = [_hello(voice, sober=response.sober or response.intent in _SOBER), *_asides(voice, response.intent)]
    called = tools.called(voice.turn.profile.tools, voice.text)
    if called:
        calls = [tools.call(voice, tool, number) for number, tool in enumerate(called)]
        before = Message(text=laid_out([*hello, voice.say("tool_before")]))
        return (before, *calls, Message(text=laid_out(_after(voice, called, response))))
    if voice.turn.profile.generative_ui and (response.intent in _FORMS or voice.reading.intent == "form"):
        lead = response.parts[:1] if response.intent else []
        return (*_said(laid_out([*hello, *lead, voice.say("form_offer")])), *_fields(voice))
    return _said(laid_out([*hello, *response.parts]))


def _after(voice: Voice, called: tuple[Tool, ...], response: Response) -> list[str]:
    """Return what is said once the tools have answered."""
    if any("map" in tool.name for tool in called):
        return [voice.say("map_after"), *response.parts[-1:]]
    if response.intent or voice.reading.kind != "statement" or voice.last_reply():
        return response.parts
    return [voice.say("tool_after"), voice.ask("anything_else")]


def _hello(voice: Voice, *, sober: bool = False) -> str:
    """Return the greeting of a first reply, with the first name exactly as it was given; later nothing."""
    if not voice.first:
        return ""
    name = _first_name(voice)
    hello = str(voice.pick(acts(voice.lang)[f"hello{'_sober' * sober}{'_name' if name else ''}"]))
    if voice.folded.startswith("bonsoir"):
        hello = hello.replace("Bonjour", "Bonsoir")
    before, _, after = hello.partition("{name}")
    return f"{before}{name}{after}" if name else hello


def _first_name(voice: Voice) -> str:
    """Return the first name that the metadata has, "" without one or where it is no text."""
    name = voice.turn.metadata.get("first_name")
    return name if isinstance(name, str) else ""


def _asides(voice: Voice, intent: str | None) -> list[str]:
    """Return what the first reply shows to know from the metadata: plan and city."""
    if not voice.first:
        return []
    if voice.reading.kind == "greeting":
        return []
    said = []
    plan = answers.short_text(voice.turn.metadata, "plan_type") or answers.short_text(voice.turn.metadata, "plan")
    if plan and _is_about(voice, plan):
        voice.facts["plan"] = facts.plan(plan, voice.lang)
        said.append(voice.say("plan_line"))
    city = answers.short_text(voice.turn.metadata, "city")
    if city and intent in _NEAR:
        voice.facts["city"] = city
        said.append(voice.say("city_line"))
    return said


def _is_about(voice: Voice, plan: str) -> bool:
    """Say whether a plan belongs to what is talked about, so that it is worth a word."""
    meant = topics.of_plan(plan)
    return meant is None or voice.topic is None or meant.business == voice.topic.business


def _tools(voice: Voice, number: int) -> list[OutputItem]:
    """Return a call of each kind of tool that the app has, between two sentences."""
    chosen = tools.of_each_kind(voice.turn.profile.tools)
    if not chosen:
        return [Message(text=voice.say("tool_none"))]
    missing = {"mapping", "client"} - {tool.kind for tool in chosen}
    notes = [voice.say(f"tool_no_{kind}") for kind in missing]
    calls = [tools.call(voice, tool, number + at) for at, tool in enumerate(chosen)]
    after = laid_out([voice.say("tool_after"), *notes, voice.ask("anything_else")])
    return [Message(text=voice.say("tool_before")), *calls, Message(text=after)]


def _transfer(voice: Voice, number: int) -> list[OutputItem]:
    """Return the hand-over to a person."""
    call = tools.call(voice, tools.TRANSFER, number)
    return [Message(text=voice.say("transfer_before")), call, Message(text=voice.say("transfer_after"))]


def _form(voice: Voice) -> list[OutputItem]:
    """Return a form between two sentences, or the sentence that none can be shown."""
    if not voice.turn.profile.generative_ui:
        return [Message(text=voice.say("form_off"))]
    return [Message(text=voice.say("form_offer")), *_fields(voice)]


def _fields(voice: Voice) -> list[OutputItem]:
    return [*forms.fitting(voice), Message(text=voice.say("form_after"))]


def _calls(items: Sequence[OutputItem]) -> int:
    return sum(isinstance(item, FunctionCall) for item in items)


def _said(text: str) -> tuple[OutputItem, ...]:
    return (Message(text=text),)
