"""Understands the answers to our own questions: one function a kind of question, each returning what is said next.

Knows what was asked; whether a message answers it at all is decided in `dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sandbox.agent import answers, businesses, facts, intents, moves, when
from sandbox.agent.facts import Slot
from sandbox.agent.speech import Voice
from sandbox.agent.telling import has_reference
from sandbox.agent.text import fold

Handler = Callable[[Voice], list[str]]

_TROUBLES: Final = ("problem", "claim", "payment")  # with a bill or a return, they all want the money back
_MOST_READ: Final = 4  # earlier messages of the user that are read for what they wanted


def _quote(voice: Voice) -> list[str]:
    return [voice.say("quote_ready"), voice.ask("offer_email")]


def _reference(voice: Voice) -> list[str]:
    lead = [voice.say("no_reference")] if voice.reading.kind == "no" else []
    goal = _goal(voice)
    if goal == "return":
        return [*lead, voice.say("claim_opened"), voice.ask("anything_else")]
    if goal == "refund":
        return [*lead, voice.say("refunded"), voice.ask("anything_else")]
    if lead:
        return [*lead, str(voice.facts["found_line"]), voice.ask("offer_email")]
    return [voice.say("found"), voice.ask("offer_email")]


def _details(voice: Voice) -> list[str]:
    act = "complaint_filed" if _goal(voice) == "complaint" else "claim_opened"
    return [voice.say(act), voice.ask("phone")]


def _phone(voice: Voice) -> list[str]:
    given = answers.phone(voice.text) or answers.known_phone(voice.turn.metadata)
    if given:
        voice.facts["given"] = given
        return [voice.say("callback"), voice.ask("anything_else")]
    if voice.reading.kind == "yes":
        return [voice.say("yes_more"), voice.ask("phone")]
    if voice.reading.kind == "no":
        return [voice.say("no_callback"), voice.ask("anything_else")]
    return [voice.say("noted"), voice.ask("phone")]


def _email(voice: Voice) -> list[str]:
    given = answers.email(voice.text)
    if not given and voice.reading.kind == "no":
        return [voice.say("not_sent"), voice.ask("anything_else")]
    return _send(voice, given)


def _offer_email(voice: Voice) -> list[str]:
    if voice.reading.kind == "no":
        return [voice.say("not_sent"), voice.ask("anything_else")]
    return _send(voice, answers.email(voice.text))


def _send(voice: Voice, given: str | None) -> list[str]:
    given = given or answers.known_email(voice.turn.metadata, voice.turn.memory)
    if not given:
        return [voice.say("gladly"), voice.ask("email")]
    voice.facts["given"] = given
    return [voice.say("sent"), voice.ask("anything_else")]


def _slot(voice: Voice) -> list[str]:
    offered = _offered_slots(voice)
    chosen = _chosen(voice, offered)
    if chosen is None:
        return _not_chosen(voice, offered)
    voice.facts["slot"] = voice.facts.write_slot(chosen)
    done = "moved" if _goal(voice) == "rescheduling" else "booked"
    return [voice.say(done), voice.say("booked_note"), voice.ask("anything_else")]


def _not_chosen(voice: Voice, offered: Sequence[Slot]) -> list[str]:
    """Offer other times, once; take down what is no answer and offer the same again."""
    wish = voice.wish()
    if wish:
        return moves.wished(voice, wish, "booking")
    told = answers.phone(voice.text) or answers.email(voice.text)
    if told and len(offered) > 1:
        return [voice.say("noted"), voice.say("same_slots"), moves.offered(voice, tuple(offered)), voice.ask("slot")]
    if voice.reading.kind == "no" and (voice.reading.thanks or len(offered) < 2):
        return [voice.say("no_problem"), voice.ask("anything_else")]
    if tuple(offered) != voice.facts.slots():
        return [voice.say("human"), voice.ask("phone")]
    return [voice.say("other_slots"), moves.offered(voice, voice.facts.slots(1)), voice.ask("slot")]


def _chosen(voice: Voice, slots: Sequence[Slot]) -> Slot | None:
    """Return the time that the message takes of those that we offered."""
    if not slots or voice.reading.kind == "no":
        return None
    words = set(re.findall(r"[a-z0-9]+", voice.folded))
    for number, names in enumerate(_ORDINALS):
        if words & names and number < len(slots):
            return slots[number]
    if words & _LAST:
        return slots[-1]
    wish = voice.wish()
    if wish:
        return next((slot for slot in slots if _meets(slot, wish)), None)
    if voice.reading.kind == "yes" or words & _ANY:
        return slots[0]
    return None


_ORDINALS: Final = (
    frozenset(("first", "premier", "premiere", "1", "1st", "earliest", "soonest")),
    frozenset(("second", "deuxieme", "2", "2nd", "seconde")),
    frozenset(("third", "troisieme", "3", "3rd")),
)
_LAST: Final = frozenset(("last", "latest", "dernier", "derniere"))
_ANY: Final = frozenset(("any", "anytime", "whichever", "either", "importe", "peu", "book", "reserve", "reservez"))


def _offered_slots(voice: Voice) -> list[Slot]:
    """Return the times that our last reply offered, as a list or in bold, else those of the reply before."""
    texts = [said.text for said in voice.turn.memory[-4:] if said.role == "assistant"]
    return next((times for text in reversed(texts) if (times := _times(voice, text))), [])


def _times(voice: Voice, text: str) -> list[Slot]:
    lines = [line[2:] for line in text.split("\n") if line.startswith("- ")] or re.findall(
        r"\*\*([^*\n]{5,60})\*\*", text
    )
    wishes = (when.read(fold(line), voice.facts.today) for line in lines[:6])
    return [(wish.day, wish.time) for wish in wishes if wish and wish.day and wish.time]


def _meets(slot: Slot, wish: when.Wish) -> bool:
    if wish.day is not None and wish.day.weekday() != slot[0].weekday() and wish.day != slot[0]:
        return False
    return wish.time is None or wish.time == slot[1] or (wish.day is not None and wish.time[0] in (9, 14, 18))


def _confirm_cancel(voice: Voice) -> list[str]:
    if voice.reading.kind == "no":
        return [voice.say("not_cancelled"), voice.ask("anything_else")]
    if voice.reading.kind == "yes" or voice.reading.intent == "cancelling":
        return [voice.say("cancelled"), voice.ask("anything_else")]
    return [voice.say("noted"), voice.ask("confirm_cancel")]


def _newinfo(voice: Voice) -> list[str]:
    if voice.reading.kind == "no":
        return [voice.say("not_cancelled"), voice.ask("anything_else")]
    if voice.reading.kind == "yes" and voice.reading.words < 3:
        return [voice.say("gladly"), voice.ask("newinfo")]
    return [voice.say("changed"), voice.ask("anything_else")]


def _solved(voice: Voice) -> list[str]:
    if voice.reading.kind == "yes" and voice.reading.intent is None:
        return [voice.say("solved"), voice.ask("anything_else")]
    return [voice.say("unsolved"), moves.offered(voice, voice.facts.slots()), voice.ask("slot")]


def _offer(move: moves.Move) -> moves.Move:
    """Return the handler of an offer that `move` makes good."""

    def handler(voice: Voice) -> list[str]:
        if voice.reading.kind == "no":
            return [voice.say("no_problem"), voice.ask("anything_else")]
        if voice.reading.kind == "yes" or voice.reading.intent or voice.wish():
            return move(voice)
        return [voice.say("noted"), voice.ask("anything_else")]

    return handler


def _split(voice: Voice) -> list[str]:
    return [voice.say("split"), voice.ask("anything_else")]


def _held(voice: Voice) -> list[str]:
    if voice.reading.kind == "no":
        return [voice.say("no_problem"), voice.ask("anything_else")]
    return [voice.say("held"), voice.ask("anything_else")]


def _quoted(voice: Voice) -> list[str]:
    return [voice.say("gladly"), voice.ask("quote")]


def _checked(voice: Voice) -> list[str]:
    return _reference(voice) if has_reference(voice) else [voice.say("gladly"), voice.ask("reference")]


def submitted(voice: Voice) -> list[str]:
    """Confirm what came with a form, and say what happens with it."""
    colon = ":" if voice.lang == "en" else f"{facts.NO_BREAK}:"
    voice.facts["fields"] = "\n".join(f"- **{label}{colon}** {value}" for label, value in voice.reading.fields)
    goal = _goal(voice)
    act = f"submitted_{goal}" if goal in ("quote", "claim", "booking") else "submitted_other"
    voice.facts["submitted_line"] = voice.say(act)
    return [voice.say("submitted"), voice.ask("anything_else")]


def _goal(voice: Voice) -> str | None:
    """Return what the person last asked for before this message."""
    usual = businesses.usual_intent(voice.topic)
    users = [said for said in voice.turn.memory if said.role == "user"]
    for said in reversed(users[-_MOST_READ:]):
        intent = intents.wanted(said.text[:400])
        if intent:
            return str(usual) if intent in _TROUBLES and usual in ("refund", "return") else intent
    return usual


HANDLERS: Final[Mapping[str, Handler]] = {
    "quote": _quote,
    "reference": _reference,
    "details": _details,
    "when_happened": _details,
    "phone": _phone,
    "email": _email,
    "slot": _slot,
    "slot_yes": _slot,
    "confirm_cancel": _confirm_cancel,
    "newinfo": _newinfo,
    "solved": _solved,
    "offer_email": _offer_email,
    "offer_quote": _offer(_quoted),
    "offer_book": _offer(moves.booking),
    "offer_table": _offer(moves.booking),
    "offer_split": _offer(_split),
    "check": _offer(_checked),
    "hold": _held,
}
