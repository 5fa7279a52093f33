"""What is said to a message that asks for something: one function an intent, each returning sentences in order.

The last sentence is the next step, most often a question; what comes back to it is understood in `dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.agent import answers, when
from sandbox.agent.facts import Slot
from sandbox.agent.speech import Voice
from sandbox.agent.telling import has_reference, known_answer, matter, tell

Move = Callable[[Voice], list[str]]

_LONG_ENOUGH: Final = 7
_SENDABLE: Final = (
    *(
        " receipt",
        " copy",
        " proof",
        " certificate",
        " statement",
        " resend",
        " recu ",
        " copie",
        " preuve",
        " attestation",
    ),
    *(" releve", " renvoy", " billet"),
)


def quote(voice: Voice) -> list[str]:
    """Begin a quote: ask the one thing it needs; what has one price for all needs none."""
    known = matter(voice)
    if known.price and "{low}" not in known.price.english and "quote_line" not in known.words["en"]:
        return price(voice)
    return [voice.say("quote"), voice.ask("quote")]


def price(voice: Voice) -> list[str]:
    """Say what the matter costs; for a range, offer an exact price."""
    told = matter(voice).price
    if told is None:
        return [voice.say("price"), voice.ask("offer_quote")]
    lead, *after = tell(voice, told)
    voice.facts["price_line"] = lead
    return [voice.say("price"), *after]


def booking(voice: Voice) -> list[str]:
    """Offer the time that was asked for, else three."""
    return _offered(voice, "booking")


def rescheduling(voice: Voice) -> list[str]:
    """Offer other times for what is booked already."""
    voice.speak_of("your_visit", unless=("booking",))
    return _offered(voice, "rescheduling")


def cancelling(voice: Voice) -> list[str]:
    """Say what cancelling means and ask whether it is meant."""
    voice.speak_of("your_visit", unless=("booking", "cancelling", "status", "quote", "change", "claim"))
    return [voice.say("cancelling"), voice.ask("confirm_cancel")]


def claim(voice: Voice) -> list[str]:
    """Open a file: ask what happened, or only when, or nothing, by what was told already."""
    if voice.reading.words < _LONG_ENOUGH:
        return [voice.say("claim"), voice.ask("details")]
    if not when.speaks_of_time(voice.folded):
        return [voice.say("claim"), voice.ask("when_happened")]
    return [voice.say("claim"), voice.say("claim_filed"), voice.ask("phone")]


def complaint(voice: Voice) -> list[str]:
    """Apologize, and file what was told or ask for it."""
    if voice.reading.words < _LONG_ENOUGH:
        return [voice.say("complaint"), voice.ask("details")]
    return [voice.say("complaint"), voice.say("complaint_filed"), voice.ask("phone")]


def hours(voice: Voice) -> list[str]:
    """Give the opening hours."""
    after = _AFTER_HOURS.get(voice.facts.name, "offer_book")
    return [voice.say("hours"), voice.say("hours_note"), voice.ask(after)]


_AFTER_HOURS: Final = {"restaurant": "offer_table", "retail": "anything_else"}


def contact(voice: Voice) -> list[str]:
    """Say how we are reached, and where one can park."""
    parking = [voice.say("parking")] if "parking" in voice.folded or "stationnement" in voice.folded else []
    return [*parking, voice.say("contact"), voice.ask("anything_else")]


def status(voice: Voice) -> list[str]:
    """Say where things stand, once we have a number."""
    if has_reference(voice):
        return [voice.say("found_here"), voice.ask("offer_email")]
    return [voice.say("status"), voice.ask("reference")]


def refund(voice: Voice) -> list[str]:
    """Refund, once we have a number."""
    if has_reference(voice):
        return [voice.say("refund"), voice.say("refunded"), voice.ask("anything_else")]
    return [voice.say("refund"), voice.ask("reference")]


def documents(voice: Voice) -> list[str]:
    """List what is needed, or send what was asked for."""
    if not any(word in voice.folded for word in _SENDABLE):
        return [voice.say("documents"), voice.ask("offer_email")]
    address = answers.email(voice.text) or answers.known_email(voice.turn.metadata, voice.turn.memory)
    if address:
        voice.facts["given"] = address
        return [voice.say("sent"), voice.ask("anything_else")]
    return [voice.say("send_ready"), voice.ask("email")]


def payment(voice: Voice) -> list[str]:
    """Give the balance and offer to spread it."""
    voice.speak_of("your_account", unless=("payment", "refund", "status"))
    return [voice.say("payment"), voice.ask("offer_split")]


def change(voice: Voice) -> list[str]:
    """Make a change that was told, or ask for it."""
    if voice.reading.words >= _LONG_ENOUGH and _NUMBERED.search(voice.text[:500]):
        return [voice.say("changed"), voice.ask("offer_email")]
    return [voice.say("change"), voice.ask("newinfo")]


def problem(voice: Voice) -> list[str]:
    """Give the usual remedy, or a time for a visit where only a visit helps."""
    urgent = [voice.say("urgent")] if voice.reading.urgent else []
    if voice.facts.data["steps"] is None:
        return [*urgent, voice.say("problem_visit"), offered(voice, voice.facts.slots()), voice.ask("slot")]
    return [*urgent, voice.say("problem"), voice.ask("solved")]


def human(voice: Voice) -> list[str]:
    """Hand over to a colleague: a call to the number we have, or the question for one."""
    number = answers.phone(voice.text) or answers.known_phone(voice.turn.metadata)
    if number:
        voice.facts["given"] = number
        return [voice.say("callback"), voice.ask("anything_else")]
    return [voice.say("human"), voice.ask("phone")]


def question(voice: Voice) -> list[str]:
    """Answer what we can by its words, else offer to look into the file."""
    answer = known_answer(voice)
    if answer is None:
        return [voice.say("question_unknown"), voice.ask("check")]
    voice.facts["answer"] = answer.format_map(voice.facts)
    return [voice.say("question_about" if voice.topic else "question"), voice.ask("anything_else")]


def returned(voice: Voice) -> list[str]:
    """Take something back or exchange it, once we have a number."""
    if has_reference(voice):
        return [voice.say("claim_opened"), voice.ask("anything_else")]
    return [voice.say("refund"), voice.ask("reference")]


def noted(voice: Voice) -> list[str]:
    """Put down what was told."""
    return [voice.say("noted"), voice.ask("anything_else")]


def bot(voice: Voice) -> list[str]:
    """Say who is speaking."""
    return [voice.say("bot"), voice.ask("help")]


def language(voice: Voice) -> list[str]:
    """Say which languages we speak."""
    return [voice.say("language"), voice.ask("help")]


def off_topic(voice: Voice) -> list[str]:
    """Lead back to what we are for."""
    return [voice.say("off_topic" if voice.topic else "off_topic_plain"), voice.ask("clarify")]


def wrong(voice: Voice) -> list[str]:
    """Take back what missed the point."""
    return [voice.say("wrong"), voice.ask("clarify")]


_NUMBERED = re.compile(r"\d\d")

MOVES: Final[Mapping[str, Move]] = {
    **{
        move.__name__: move
        for move in (
            *(quote, price, booking, rescheduling, cancelling, claim, complaint, hours, contact, status, refund),
            *(documents, payment, change, problem, human, question, noted, bot, language, wrong),
        )
    },
    "return": returned,
    "off_topic": off_topic,
}


def offered(voice: Voice, slots: tuple[Slot, ...]) -> str:
    """Return openings as the list that is offered."""
    return voice.facts.listed(slots)


def wished(voice: Voice, wish: when.Wish, act: str) -> list[str]:
    """Offer the one time that was asked for; it stands in bold, so that a later yes finds it."""
    written = voice.facts.write_slot(voice.facts.fitting(wish))
    voice.facts["wish"] = f"**{written}**" if voice.lang == "en" else f"le **{written}**"
    return [voice.say(f"{act}_wish"), voice.ask("slot_yes")]


def _offered(voice: Voice, act: str) -> list[str]:
    if act == "rescheduling" and _OLD_DAY.search(voice.folded):
        return [voice.say(act), offered(voice, voice.facts.slots(1)), voice.ask("slot")]
    wish = voice.wish()
    # "In the morning" beside another matter than a booking wishes for nothing.
    if wish and (wish.day or voice.reading.intent in ("booking", "rescheduling")):
        return wished(voice, wish, act)
    return [voice.say(act), offered(voice, voice.facts.slots()), voice.ask("slot")]


# "Move my viewing on Friday", "from Friday to next week": the day is the one that doesn't suit.
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche)\b"
_OLD_DAY = re.compile(
    rf"\b(?:from|on|de) {_WEEKDAY}(?!.*\b(?:to|for|a|au|pour) {_WEEKDAY})|\bnext week\b|\bsemaine prochaine\b"
)
