"""Decides what a reply says: understands the answer to our own question, else follows what the message asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sandbox.agent import answers, facts, intents, moves, speech, when
from sandbox.agent.facts import Slot
from sandbox.agent.moves import MOVES
from sandbox.agent.speech import Voice
from sandbox.agent.text import fold

_MOST_READ: Final = 4  # earlier messages of the user that are read for what they wanted

# What may come as part of an answer: telling what happened, one says "stolen"; choosing a time, one says "book".
_ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    "details": frozenset(
        ("claim", "complaint", "problem", "status", "refund", "payment", "contact", "booking", "question")
    ),
    "when_happened": frozenset(("claim", "complaint", "problem", "status", "contact", "question")),
    "quote": frozenset(("quote", "booking", "change", "claim", "contact", "documents")),
    "reference": frozenset(
        ("status", "payment", "claim", "refund", "quote", "documents", "change", "booking", "question")
    ),
    "newinfo": frozenset(("change", "contact", "payment", "booking")),
    "phone": frozenset(("human", "contact")),
    "email": frozenset(("documents", "contact")),
    "slot": frozenset(("booking", "rescheduling", "hours")),
    "slot_yes": frozenset(("booking", "rescheduling")),
    "confirm_cancel": frozenset(("cancelling",)),
    "solved": frozenset(("problem", "status")),
    "offer_email": frozenset(("documents",)),
    "offer_quote": frozenset(("quote", "price")),
    "offer_book": frozenset(("booking",)),
    "offer_split": frozenset(("payment",)),
    "check": frozenset(("status",)),
}
# Questions that only a yes or a no answers; "It never came" is no answer to "Shall I send you a copy?".
_YES_OR_NO: Final = frozenset(
    ("offer_email", "offer_quote", "offer_book", "offer_split", "check", "confirm_cancel", "solved", "slot_yes")
)
_HOW = re.compile(r"\bhow (?:do|can|to)\b|\bcomment\b")
_CLOSING: Final = frozenset(("anything_else", "help", "clarify"))
_FREE: Final = frozenset(("human", "complaint"))  # what always comes before our own question


class Response(NamedTuple):
    """What is said, in sentences with the next step last, and the intent that was followed, if any."""

    parts: list[str]
    intent: str | None = None


def respond(voice: Voice) -> Response:
    """Return what answers the message."""
    reading = voice.reading
    last = voice.last_reply()
    asked = speech.question_of(last.text) if last else None
    if reading.kind == "submitted":
        return Response(_submitted(voice))
    if reading.kind in ("empty", "nonsense"):
        return Response([voice.say(reading.kind), voice.ask(asked or "clarify")])
    if asked and asked in HANDLERS and _answers(voice, asked):
        return Response(HANDLERS[asked](voice))
    intent = intent_of(voice)
    if intent:
        return Response(MOVES[intent](voice), intent)
    return _plain(voice, asked)


def intent_of(voice: Voice) -> str | None:
    """Return what the message asks for, corrected by what its topic makes of it."""
    intent = voice.reading.intent
    usual = facts.usual_intent(voice.topic)
    if voice.topic and voice.topic.id == "travel.compensation" and intent in ("status", "question", None):
        return "claim"
    if intent == "question" and usual == "documents" and _HOW.search(voice.folded):
        return "documents"
    if intent == "problem" and usual == "return":
        return "return"
    if intent in ("problem", "claim") and usual in ("claim", "payment", "status", "refund", "complaint"):
        return intent if intent == "claim" and usual in ("payment", "status") else usual
    if intent == "claim" and voice.facts.data["steps"] is None and voice.facts.name != "real_estate":
        return "problem"
    return None if intent == "form" else intent


def _answers(voice: Voice, asked: str) -> bool:
    """Say whether the message answers our question rather than asking for something else."""
    reading = voice.reading
    if reading.kind in ("greeting", "thanks", "goodbye"):
        return reading.kind == "thanks" and asked in _CLOSING
    if asked in _CLOSING and reading.thanks and reading.kind == "yes" and not reading.intent:
        return True
    given = {"email": answers.email, "phone": answers.phone}.get(asked)
    if given and given(voice.text):
        return True
    intent = reading.intent
    if asked in _YES_OR_NO and reading.kind == "statement" and not _fits(voice, asked):
        return False
    if intent in _FREE and intent not in _ANSWERS.get(asked, ()):
        return False
    if intent is None or intent in _ANSWERS.get(asked, ()):
        return not (intent is None and "?" in voice.text and reading.kind == "statement" and asked != "slot")
    return reading.kind == "yes" and intent not in ("cancelling", "price", "hours", "human")


def _fits(voice: Voice, asked: str) -> bool:
    """Say whether a statement settles a question that a yes or a no would settle."""
    if asked == "slot_yes" or asked == "offer_book":
        return voice.wish() is not None
    if asked == "offer_email":
        return answers.email(voice.text) is not None
    return voice.reading.intent in _ANSWERS[asked] and "?" not in voice.text


def _plain(voice: Voice, asked: str | None) -> Response:
    """Answer what asks for nothing in particular: a courtesy, or a matter without a wish."""
    if voice.reading.kind != "statement":
        return Response(_courtesy(voice, asked))
    usual = facts.usual_intent(voice.topic)
    if usual and voice.topic_is_new:
        intent = "question" if "?" in voice.text and usual in ("quote", "claim", "payment") else usual
        return Response(MOVES[intent](voice), intent)
    if "?" in voice.text:
        return Response(moves.question(voice), "question")
    return Response([voice.say("noted"), voice.ask("anything_else" if asked else "clarify")])


def _courtesy(voice: Voice, asked: str | None) -> list[str]:
    kind = voice.reading.kind
    if kind == "greeting":
        return _greeting(voice)
    if kind == "thanks":
        return [voice.say("thanks"), voice.ask(asked)] if asked else [voice.say("thanks_done")]
    if kind == "yes":
        return [voice.say("yes_more"), voice.ask("clarify")]
    return [voice.say("goodbye" if kind == "goodbye" else "done")]


def _greeting(voice: Voice) -> list[str]:
    if voice.turn.position:
        return [voice.say("hello_again" if voice.topic else "hello_again_plain"), voice.ask("help")]
    return [voice.say("opening_about" if voice.topic else "opening"), voice.ask("help")]


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
    """Return the times that our last reply offered, as a list or in bold."""
    last = voice.last_reply()
    text = last.text if last else ""
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


def _quoted(voice: Voice) -> list[str]:
    return [voice.say("gladly"), voice.ask("quote")]


def _checked(voice: Voice) -> list[str]:
    return _reference(voice) if moves.has_reference(voice) else [voice.say("gladly"), voice.ask("reference")]


def _more(voice: Voice) -> list[str]:
    if voice.reading.thanks:
        return [voice.say("thanks_done")]
    if voice.reading.kind == "no":
        return [voice.say("done")]
    return _plain(voice, "anything_else").parts


HANDLERS: Final[Mapping[str, Callable[[Voice], list[str]]]] = {
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
    "offer_split": _offer(_split),
    "check": _offer(_checked),
    "anything_else": _more,
    "help": _more,
    "clarify": _more,
}


def _goal(voice: Voice) -> str | None:
    """Return what the person last asked for before this message."""
    users = [said for said in voice.turn.memory if said.role == "user"]
    for said in reversed(users[-_MOST_READ:]):
        intent = intents.detect(said.text).intent
        if intent:
            return intent
    return facts.usual_intent(voice.topic)


def _submitted(voice: Voice) -> list[str]:
    colon = ":" if voice.lang == "en" else f"{facts.NO_BREAK}:"
    voice.facts["fields"] = "\n".join(f"- **{label}{colon}** {value}" for label, value in voice.reading.fields)
    goal = _goal(voice)
    act = f"submitted_{goal}" if goal in ("quote", "claim", "booking") else "submitted_other"
    voice.facts["submitted_line"] = voice.say(act)
    return [voice.say("submitted"), voice.ask("anything_else")]
