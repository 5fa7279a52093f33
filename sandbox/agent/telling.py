"""What is said because the topic, or else the business, has an answer to the words of a message.

The answers of the topics are in `matters`, those of the businesses in `vocabulary/replies/answers.json`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sandbox.agent import answers, matters, vocabulary
from sandbox.agent.matters import Matter, Told
from sandbox.agent.phrases import Phrases
from sandbox.agent.speech import Voice, question_of

# What a message asks for that no word of its topic overrules.
_OTHERWISE: Final = frozenset(
    ("human", "complaint", "cancelling", "rescheduling", "form", "bot", "language", "off_topic", "wrong")
)
_TIMES: Final = ("slot", "slot_yes")


def told(voice: Voice) -> Told | None:
    """Return the answer that the topic has to the words of this message, unless it was given just now."""
    last = voice.last_reply()
    asks_otherwise = voice.reading.intent in _OTHERWISE or voice.reading.kind == "thanks"
    for known in matter(voice).replies:
        if (known.always or not asks_otherwise) and known.fits(voice.spaced):
            said = known.parts(voice.lang)[0].format_map(voice.facts)
            return None if last and said in last.text else known
    return None


def tell(voice: Voice, known: Told) -> list[str]:
    """Say an answer of the topic and what comes after it."""
    lead, question = (part.format_map(voice.facts) for part in known.parts(voice.lang))
    if known.after == "=reference" and has_reference(voice):
        return [lead, str(voice.facts["found_line"]), voice.ask("offer_email")]
    return [lead, question] if question else [lead, *_after(voice, known)]


def _after(voice: Voice, known: Told) -> list[str]:
    if known.after == "none":
        return []
    if known.after == "documents":
        return [voice.say("documents"), voice.ask("offer_email")]
    if known.after == "slot":
        return [voice.facts.listed(voice.facts.slots()), voice.ask("slot")]
    kind = _still_open(voice) if known.after == "offer_book" else known.after
    return [voice.ask("anything_else" if kind == "-" else kind)]


def _still_open(voice: Voice) -> str:
    """Return what to ask where a time could be booked: about the times just offered, nothing once one was."""
    asked = [question_of(said.text) for said in voice.turn.memory if said.role == "assistant"]
    if asked and asked[-1] in _TIMES:
        return str(asked[-1])
    return "-" if any(kind in _TIMES for kind in asked) else "offer_book"


def known_answer(voice: Voice) -> str | None:
    """Return the answer that we have to the message's question, by its words; it still has its slots."""
    found = _known_answers(voice.facts.name).find(voice.words)
    if not found:
        return None
    _, english, french = min(found)
    return english if voice.lang == "en" else french


@cache
def _known_answers(business: str) -> Phrases[tuple[int, str, str]]:
    """Return the answers that we have for a business, then those for any, by their words: rank, English, French."""
    data = vocabulary.load("replies/answers")
    rows = enumerate((*data.get(business, ()), *data["any"]))
    return Phrases(
        (f"{phrase}*".split(), (rank, en, vocabulary.typeset(fr)))
        for rank, (phrases, en, fr) in rows
        for phrase in phrases.split(", ")
    )


def matter(voice: Voice) -> Matter:
    """Return what is known about what the message is about."""
    return matters.matter(voice.topic.id if voice.topic else "")


def has_reference(voice: Voice) -> bool:
    """Say whether the message or the metadata has the number of a file."""
    return bool(answers.reference(voice.text) or answers.known_reference(voice.turn.metadata))
