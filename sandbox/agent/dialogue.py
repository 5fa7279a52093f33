"""Decides what a reply says: understands the answer to our own question, else follows what the message asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from sandbox.agent import answers, businesses, moves, speech, telling
from sandbox.agent.moves import MOVES
from sandbox.agent.speech import Voice
from sandbox.agent.understood import HANDLERS, submitted

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
    "offer_table": frozenset(("booking",)),
    "offer_split": frozenset(("payment",)),
    "check": frozenset(("status",)),
    "hold": frozenset(("booking",)),
}
# Questions that only a yes or a no answers; "It never came" is no answer to "Shall I send you a copy?".
_YES_OR_NO: Final = frozenset(
    (
        "slot_yes",
        "offer_email",
        "offer_quote",
        "offer_book",
        "offer_table",
        "offer_split",
        "check",
        "confirm_cancel",
        "solved",
    )
)
_CLOSING: Final = frozenset(("anything_else", "help", "clarify"))
# What we offered beyond what was asked for; a mere thank-you declines it.
_OPTIONAL: Final = frozenset(
    ("offer_email", "offer_quote", "offer_book", "offer_table", "offer_split", "check", "hold", "solved")
)
_OWN: Final = frozenset(("hold",))  # what only a topic asks, in its own words
_ENDED_BY: Final = (_CLOSING | _OPTIONAL) - {"solved"}  # "All good" says that something works
_ACCESS = re.compile(
    r"password|mot de passe|log ?in|sign in|connect|website|\bsite\b|\bapp\b|portal|portail|account|compte"
)
_HOW = re.compile(r"\bhow (?:do|can|to)\b|\bcomment\b")
_SAYING: Final = frozenset(("statement", "yes", "no", "thanks"))  # what may hold more than a courtesy
_FREE: Final = frozenset(("human", "complaint"))  # what always comes before our own question


class Response(NamedTuple):
    """What is said, in sentences with the next step last, and the intent that was followed, if any."""

    parts: list[str]
    intent: str | None = None
    sober: bool = False


def respond(voice: Voice) -> Response:
    """Return what answers the message."""
    reading = voice.reading
    last = voice.last_reply()
    asked = speech.question_of(last.text) if last else None
    if reading.kind == "submitted":
        return Response(submitted(voice))
    if reading.kind in ("empty", "nonsense"):
        again = asked if asked and asked not in _OWN else "clarify"
        return Response([voice.say(reading.kind), voice.ask(again)])
    if reading.ends and not reading.intent and not voice.first and (reading.thanks or asked in _ENDED_BY):
        return Response([voice.say("thanks_done" if reading.thanks else "done")])
    if asked and _answers(voice, asked):
        return _more(voice) if asked in _CLOSING else Response(HANDLERS[asked](voice))
    told = telling.told(voice) if reading.intent or reading.kind in _SAYING else None
    if told:
        return Response(telling.tell(voice, told), sober=told.sober)
    intent = intent_of(voice)
    if intent:
        return Response(MOVES[intent](voice), intent)
    return _plain(voice, asked)


def intent_of(voice: Voice) -> str | None:
    """Return what the message asks for, corrected by what its topic makes of it."""
    intent = voice.reading.intent
    usual = businesses.usual_intent(voice.topic)
    if voice.topic and voice.topic.id == "travel.compensation" and intent in ("status", "question", None):
        return "claim" if voice.reading.kind == "statement" else intent
    if intent == "question" and usual == "documents" and _HOW.search(voice.folded):
        return "documents"
    if intent == "question" and usual == "claim" and _HOW.search(voice.folded):
        return "claim"
    if intent == "problem" and usual == "return":
        return "return"
    if intent == "problem" and _is_no_breakdown(voice, usual):
        return "claim"
    if intent in ("problem", "claim") and usual in ("claim", "payment", "status", "refund", "complaint"):
        return intent if intent == "claim" and usual in ("payment", "status") else usual
    if intent == "claim" and voice.facts.data["steps"] is None and voice.facts.name != "real_estate":
        return "problem"
    return None if intent == "form" else intent


def _is_no_breakdown(voice: Voice, usual: str | None) -> bool:
    """Say whether a problem is with something that our steps against breakdowns and lost passwords can't mend."""
    ordinary = usual in ("question", "quote", "documents", "price", "booking", "hours", "change")
    return ordinary and voice.facts.data["steps"] is not None and not _ACCESS.search(voice.folded)


def _answers(voice: Voice, asked: str) -> bool:
    """Say whether the message answers our question rather than asking for something else."""
    reading = voice.reading
    if reading.kind in ("greeting", "thanks", "goodbye"):
        return reading.kind == "thanks" and asked in _CLOSING
    if asked in _CLOSING and reading.thanks and reading.kind == "yes" and not reading.intent:
        return True
    if asked in _CLOSING and reading.intent:
        return False
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
    if asked in ("slot_yes", "offer_book", "offer_table"):
        return voice.wish() is not None
    if asked == "offer_email":
        return answers.email(voice.text) is not None
    return voice.reading.intent in _ANSWERS[asked] and "?" not in voice.text


def _plain(voice: Voice, asked: str | None) -> Response:
    """Answer what asks for nothing in particular: a courtesy, or a matter without a wish."""
    if voice.reading.kind != "statement":
        return Response(_courtesy(voice, asked))
    usual = businesses.usual_intent(voice.topic)
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
    if kind == "thanks" and voice.first:
        return [voice.say("thanks"), voice.ask("help")]
    if kind == "thanks":
        again = asked and asked not in _OPTIONAL
        return [voice.say("thanks"), voice.ask(str(asked))] if again else [voice.say("thanks_done")]
    if kind == "yes":
        return [voice.say("yes_more"), voice.ask("clarify")]
    return [voice.say("goodbye" if kind == "goodbye" else "done")]


def _greeting(voice: Voice) -> list[str]:
    if not voice.first:
        return [voice.say("hello_again" if voice.topic else "hello_again_plain"), voice.ask("help")]
    return [voice.say("opening_about" if voice.topic else "opening"), voice.ask("help")]


def _more(voice: Voice) -> Response:
    """Go on after "anything else?": end where nothing is, else begin anew."""
    if voice.reading.thanks:
        return Response([voice.say("thanks_done")])
    if voice.reading.kind == "no":
        return Response([voice.say("done")])
    return _plain(voice, "anything_else")
