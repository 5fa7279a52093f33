"""Decides what a reply says: safety first, then the answer to our open question, then what the message asks for.

What is said lies in data: entries (`vocabulary/businesses/`), distress (`vocabulary/safety.txt`), common wordings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.agent import entities, followups, nouns, safety, understanding
from sandbox.agent.answering import Response, answer, hand_over, open_question
from sandbox.agent.pending import pending, rebooked
from sandbox.agent.rendering import ReplyBuilder, lowered
from sandbox.agent.safety import DISTRESS
from sandbox.agent.text import stems
from sandbox.agent.understanding import ParsedMessage

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
    kind = safety.heard(parsed.folded)
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
    kind = next(kind for kind in safety.kinds() if kind.name == ledger.safety)
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
    known = None if parsed.is_bare or parsed.corrects else followups.sentence(builder, parsed)
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
    label = nouns.other_trade(parsed.rest, builder.business.trade)
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
    noun = nouns.noun(parsed.text, builder.lang)
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
