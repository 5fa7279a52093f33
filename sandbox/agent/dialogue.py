"""Answers one message of a conversation: safety first, then the answer to our open question, then what is asked for.

What is said lies in data: entries (`vocabulary/businesses/`), distress (`vocabulary/safety.txt`), common wordings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sandbox.agent import entities, items, understanding
from sandbox.agent.answering import Response, answer, followed_up, hand_over, open_question
from sandbox.agent.pending import pending, rebooked
from sandbox.agent.rendering import ReplyBuilder, failure_reason, laid_out, listed_words, lowered, shown_off
from sandbox.agent.text import GREETINGS, MAX_READ, of_message, read, stems
from sandbox.agent.turn import Directives, Ledger, Tool, Turn, parse_directives
from sandbox.agent.understanding import DISTRESS, ParsedMessage
from sandbox.agent.vocabulary import NO_BREAK
from sandbox.reply import FunctionCall, Message, OutputItem, Reply

_ANSWERED_BY: Final = {
    "death": ("phone", "human"),
    "legal": ("email", "written_answer"),
    "privacy": ("email", "privacy"),
}

_ANGRY: Final = 3  # words: an insult of more may have a matter in it


def respond(builder: ReplyBuilder, text: str) -> Response:
    """Return what answers a message, and keep in the ledger what it changes."""
    parsed = understanding.parse(text, builder.business.name, builder.ledger)
    for step in _STEPS:
        response = step(builder, parsed)
        if response is not None:
            return response
    return _missed(builder, parsed)


def _safety(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Answer a message of distress; after one there is no business until the customer returns to it."""
    ledger = builder.ledger
    kind = understanding.distress(parsed.folded)
    if kind is None:
        return _after_distress(builder, parsed)
    about = len(stems(parsed.rest)) > _ANGRY and (parsed.near or (parsed.sure and not parsed.sure[0].alone))
    if kind.name == "insult" and about:
        return None
    again = ledger.safety == kind.name and kind.again
    ledger.close()
    ledger.safety = kind.name
    ledger.stopped = ledger.stopped or kind.name == "stop"
    said = builder.fill(builder.pick(kind.again if again else kind.says), {})
    slot, entry = _ANSWERED_BY.get(kind.name, ("", ""))
    if slot:
        found = entities.told(parsed.text)
        ledger.told.update({name: found[name] for name in ("phone", "email", "ref", "address") if name in found})
        ledger.ask(slot, entry)
    return Response([said], sober=True)


def _after_distress(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    ledger = builder.ledger
    if not ledger.safety:
        return None
    if ledger.safety not in DISTRESS:
        ledger.safety = ""
        return None
    if parsed.sure and not parsed.sure[0].alone:
        ledger.safety = ""
        return None
    if (parsed.thanks or parsed.bye) and parsed.is_bare:
        return Response([builder.say("calm")], sober=True)
    kind = understanding.kinds()[ledger.safety]
    return Response([builder.fill(builder.pick(kind.again), {})], sober=True)


def _private(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Ask not to be sent card numbers; go on with an open question."""
    if not entities.is_private(parsed.text):
        return None
    return Response([builder.say("private"), *open_question(builder)], sober=True)


def _empty(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    if not parsed.folded:
        return Response([builder.say("empty")])
    if not any(character.isalnum() for character in parsed.folded):
        return Response([builder.say("opening" if builder.first else "nonsense")])
    return None


def _wished(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Answer what the message surely asks for."""
    entries = parsed.sure
    if parsed.corrects and builder.ledger.said:
        entries = [entry for entry in entries if entry.id != builder.ledger.said[-1]] or entries
    if not entries:
        return None
    if parsed.bye and entries[0].alone:
        return None
    return answer(builder, entries, parsed)


def _followed_up(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Answer a few words that take up what was said last."""
    known = None if parsed.is_bare or parsed.corrects else followed_up(builder, parsed)
    if known is None:
        return None
    builder.ledger.misses = 0
    return Response([known])


def _courtesy(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Answer a message that is a greeting, a thank-you, a yes or a no and nothing else."""
    if not parsed.is_bare and not (parsed.bye and len(parsed.rest) < 12):
        return None
    ledger = builder.ledger
    if parsed.bye or parsed.thanks:
        if builder.first and not parsed.bye:
            return Response([builder.say("opening")])
        return Response([builder.say("bye" if parsed.bye else "thanks")])
    if parsed.greeting:
        return Response([builder.say("opening" if builder.first else "hello_again")])
    if parsed.no:
        return Response([builder.say("done")])
    if parsed.yes:
        return Response([builder.say("yes_what")])
    ledger.misses += 1
    return Response([builder.say("opening" if builder.first else "nonsense")])


def _waiting_for_person(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    if builder.ledger.handed_over and builder.ledger.told.get("phone") and not parsed.asks:
        return Response([builder.say("handed_over")])
    return None


def _other_trade(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    label = entities.other_trade(parsed.rest, builder.business.trade)
    if label is None or parsed.near:
        return None
    builder.ledger.close()
    other = label[0] if builder.lang == "en" else label[1]
    return Response([builder.say("other_trade", other=other, of_other=label[2])])


def _unsure(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Ask which entry is meant, once."""
    near = [
        entry for entry in parsed.near if entry.title and not entry.alone and entry.id not in builder.ledger.said[-1:]
    ]
    near = [entry for entry in near if entry.id not in builder.business.common] or near
    if not near or builder.ledger.misses:
        return None
    ledger = builder.ledger
    ledger.misses += 1
    ledger.ask("confirm", "", [entry.id for entry in near])
    titles = [entry.title.of(builder.lang) for entry in near if entry.title]
    if len(near) == 1:
        return Response([builder.say("unsure_one", first=titles[0], first_low=lowered(titles[0]))])
    return Response([builder.say("unsure_two", first_low=lowered(titles[0]), second_low=lowered(titles[1]))])


def _missed(builder: ReplyBuilder, parsed: ParsedMessage) -> Response:
    """Take up the customer's own noun with one question; at the second miss in a row hand over to a person."""
    ledger = builder.ledger
    ledger.misses += 1
    if not understanding.is_language(builder.business.name, parsed.text.strip()):
        return Response([builder.say("nonsense")])
    if ledger.misses > 1:
        return hand_over(builder)
    given = entities.given(parsed.text)
    if ledger.booking and parsed.text[:1].isupper() and not given:
        given = entities.answer_to("name", parsed.text, builder.today)
    if given and not parsed.asks:
        ledger.close()
        return Response([builder.say("given_booked" if ledger.booking else "given_what", given=given)])
    ledger.close()
    noun = entities.noun(parsed.text, builder.lang)
    if noun:
        return Response([builder.say("noun", noun=noun)])
    topics = list(builder.business.topics.values())
    start = builder.draw(9, len(topics)) if topics else 0
    names = [topics[(start + step) % len(topics)].yours(builder.lang) for step in range(2)] if topics else [""]
    glue = " or " if builder.lang == "en" else " ou "
    return Response([builder.say("no_noun", topics=glue.join(names))])


_Step = Callable[[ReplyBuilder, ParsedMessage], Response | None]
_STEPS: Final[tuple[_Step, ...]] = (
    _empty,
    _safety,
    _private,
    pending,
    rebooked,
    _wished,
    _followed_up,
    _courtesy,
    _waiting_for_person,
    _other_trade,
    _unsure,
)


_FORM = re.compile(r"\b(?:forms?|formulaires?)\b")
_FORM_WISHES: Final = ("quote", "claim", "complaint", "change", "book")
_PLAIN: Final = frozenset(("slow", "cut"))


def reply(turn: Turn) -> Reply:
    """Return what the agent answers to the message of `turn`, and what it keeps of the conversation after it."""
    asked = parse_directives(turn.message)
    ledger = Ledger.from_json(turn.ledger)
    lang, sure = of_message(asked.rest, ledger.lang, turn.metadata)
    if sure or not ledger.lang:
        ledger.lang = lang
    pace, cut = asked.pace, asked.has("cut")
    if asked.has("fail"):
        return Reply(failure=failure_reason(lang), pace=pace, cut=cut)
    if asked.echo is not None and not asked.unknown:
        return Reply(output=(Message(text=asked.echo),), pace=pace, cut=cut, ledger=ledger.to_json())
    output = _output(ReplyBuilder(turn, ledger, lang), asked)
    return Reply(output=output, pace=pace, cut=cut, ledger=ledger.to_json())


def _output(builder: ReplyBuilder, asked: Directives) -> tuple[OutputItem, ...]:
    """Return the items of a reply: what special words ask for, else what the message does."""
    hello = _hello(builder)
    if asked.unknown:
        return _said(laid_out([hello, listed_words(asked, builder.lang)]))
    if not {word.name for word in asked.words} - _PLAIN:
        return _replied(builder, asked.rest)
    output = _asked_for(builder, asked)
    if output and hello:
        first = output[0]
        output[0] = Message(text=laid_out([hello, first.text])) if isinstance(first, Message) else first
    if asked.has("long") and not builder.first_name:
        hello = ""  # exactly so many words, and none must be said
    text = shown_off(asked, builder.lang, builder.turn.here, "" if output else hello)
    return (*output, *_said(text)) if text is not None else tuple(output)


def _asked_for(builder: ReplyBuilder, asked: Directives) -> list[OutputItem]:
    """Return the calls and forms that special words ask for, in their order; each begins with a sentence."""
    output: list[OutputItem] = []
    for word in asked.words:
        if word.name in _SHOWN:
            output += _SHOWN[word.name](builder, sum(isinstance(item, FunctionCall) for item in output))
    return output


def _replied(builder: ReplyBuilder, text: str) -> tuple[OutputItem, ...]:
    """Return the answer to an ordinary message, with the calls and the form that its words bring about."""
    fields = items.submitted(text)
    if fields and (len(fields) > 1 or builder.ledger.form):
        return _said(laid_out([_hello(builder), *_submitted(builder, fields)]))
    builder.ledger.form = False
    response = respond(builder, text)
    hello = _greeting(builder, response)
    called = () if builder.ledger.safety else items.called(builder.turn.profile.tools, text)
    if called:
        calls = [items.call(builder, tool, number) for number, tool in enumerate(called)]
        after = [builder.say("map")] if any("map" in tool.name for tool in called) else response.parts
        return (Message(text=laid_out([*hello, builder.say("tool_before")])), *calls, Message(text=laid_out(after)))
    wish = _form_wish(builder, response, text)
    if wish:
        builder.ledger.close()
        builder.ledger.form = True
        return (
            *_said(laid_out([*hello, *response.parts[:1], builder.say("form_intro")])),
            *items.fitting(builder, wish),
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
    return builder.say("hello" if builder.first_name else "hello_plain")


def _greeting(builder: ReplyBuilder, response: Response) -> list[str]:
    """Return the greeting before an answer: with the name where it is known, else only to whoever greets."""
    if not builder.first:
        return []
    if builder.first_name:
        return [builder.say("hello_sober" if response.sober else "hello")]
    greets = read(builder.turn.message[:40]).words[:1]
    cordial = greets and greets[0] in GREETINGS
    is_formal = builder.turn.profile.tone == "formal"
    return [builder.say("hello_plain")] if cordial and not response.sober and not is_formal else []


def _called(builder: ReplyBuilder, number: int) -> list[OutputItem]:
    """Return a call of each kind of tool that the app has, between two sentences."""
    chosen: tuple[Tool, ...] = items.of_each_kind(builder.turn.profile.tools)
    if not chosen:
        return [Message(text=builder.say("tool_none"))]
    kinds = {tool.kind for tool in chosen}
    notes = [builder.say(f"tool_no_{kind}") for kind in ("mapping", "client") if kind not in kinds]
    calls = [items.call(builder, tool, number + at) for at, tool in enumerate(chosen)]
    after = laid_out([builder.say("tool_after"), *notes])
    return [Message(text=builder.say("tool_before")), *calls, Message(text=after)]


def _transfer(builder: ReplyBuilder, number: int) -> list[OutputItem]:
    """Return the hand-over to a person."""
    builder.ledger.handed_over = True
    call = items.call(builder, items.TRANSFER, number)
    return [Message(text=builder.say("transfer_before")), call, Message(text=builder.say("transfer_after"))]


def _form_shown(builder: ReplyBuilder, _: int) -> list[OutputItem]:
    """Return a form after a sentence, or the sentence that none can be shown."""
    if not builder.turn.profile.generative_ui:
        return [Message(text=builder.say("form_off"))]
    builder.ledger.form = True
    return [Message(text=builder.say("form_intro")), *items.fitting(builder, "any")]


def _said(text: str) -> tuple[OutputItem, ...]:
    return (Message(text=text),)


_SHOWN: Final[Mapping[str, Callable[[ReplyBuilder, int], list[OutputItem]]]] = {
    "tool": _called,
    "human": _transfer,
    "form": _form_shown,
}
