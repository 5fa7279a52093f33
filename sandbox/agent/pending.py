"""Reads a message as the answer to the agent's open question: an offer, a choice, a slot, a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sandbox.agent import dates, entities
from sandbox.agent.answering import (
    Response,
    answer,
    chosen_opening,
    followed_up,
    forget_wish,
    go_on,
    is_ahead,
    is_check,
    keep_wish,
    listed_options,
    missing_slots,
    open_question,
    ordinal,
    propose,
    said_by,
    take,
    wished,
)
from sandbox.agent.businesses import Entry
from sandbox.agent.rendering import ReplyBuilder, lowered
from sandbox.agent.text import kind_of, stems
from sandbox.agent.understanding import ParsedMessage
from sandbox.agent.vocabulary import alternatives

_FEW: Final = 3  # words: a message with a day and fewer says only the day
MAX_PARTS: Final = 2  # after more than so many sentences, no question is taken up again
_OTHER: Final = re.compile(alternatives("other"))


def _told(builder: ReplyBuilder, parsed: ParsedMessage) -> None:
    """Keep in the ledger what the message tells by itself."""
    ledger = builder.ledger
    found = dict(entities.told(parsed.text))
    if ledger.asked != "last4":
        found.pop("last4", None)
    if ledger.asked != "ref" and not _names_reference(parsed.folded, found.get("ref", "")):
        found.pop("ref", None)
    ledger.told.update(found)
    keep_wish(builder, parsed.folded)


_REFERENCE_WORDS = re.compile(alternatives("reference"))


def _names_reference(folded: str, reference: str) -> bool:
    return any(letter.isalpha() for letter in reference) or bool(reference and _REFERENCE_WORDS.search(folded))


def pending(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Read the message as the answer to our open question, where it is one."""
    ledger = builder.ledger
    _told(builder, parsed)
    if not ledger.asked:
        return None
    entry = builder.business.entries.get(ledger.entry)
    if ledger.asked == "confirm":
        return _confirmed(builder, parsed)
    if entry is None and ledger.asked not in ("email", "phone"):
        ledger.close()
        return None
    if ledger.asked == "offer":
        return _offered(builder, parsed, entry) if entry else None
    if ledger.asked == "when":
        return _chosen(builder, parsed, entry) if entry else None
    return _given(builder, parsed, entry)


def _asked_beside(parsed: ParsedMessage, entry: Entry | None) -> list[Entry]:
    """Return what a message surely asks for beside an entry."""
    return [other for other in parsed.sure if other is not entry and not other.alone]


def _confirmed(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Go on with what the customer says was meant."""
    ledger = builder.ledger
    options = [builder.business.entries[key] for key in ledger.options if key in builder.business.entries]
    ledger.close()
    if not parsed.sure and _takes_first(parsed, options):
        _keep_first(builder, parsed, options[0])
        return answer(builder, options[:1], parsed)
    chosen = _option(parsed, options)
    if chosen:
        return answer(builder, [chosen], parsed)
    return Response([builder.say("yes_what")]) if parsed.no and parsed.is_bare else None


def _takes_first(parsed: ParsedMessage, options: Sequence[Entry]) -> bool:
    """Say whether a message means the first of these: a yes, or what one says next, such as the number for it."""
    if not parsed.yes and (parsed.no or parsed.corrects or parsed.asks or parsed.bye):
        return False
    number = parsed.text.strip()[-1:].isdigit() and not stems(parsed.rest)
    return len(options) == 1 or (bool(options) and number)


def _option(parsed: ParsedMessage, options: Sequence[Entry]) -> Entry | None:
    """Return the one of two entries that a message chooses, by its words or by its place."""
    named = next((entry for entry in parsed.sure if entry in options), None)
    if named or len(options) < 2:
        return named
    place = ordinal(parsed.folded)
    if place is not None:
        return options[place if place < len(options) else -1]
    return next((entry for entry in parsed.near if entry in options), None)


def _others(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry | None) -> list[Entry]:
    """Return what a message asks for beside an open question; one or two words that ask nothing answer that instead."""
    found = _asked_beside(parsed, entry)
    if parsed.asks or parsed.corrects or parsed.no or len(stems(parsed.rest)) >= _FEW:
        return found
    return [other for other in found if other.id in builder.business.common or other.effect or "want" in other.kinds]


def _keep_first(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry) -> None:
    """Keep what a message gives for the first thing that an entry asks."""
    slot = next(iter(missing_slots(builder, entry)), "")
    if slot not in ("", "detail", "when") and not parsed.is_bare:
        _keep(builder, parsed, entry, slot)


def _keep(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry, slot: str) -> None:
    """Keep what a message gives for a slot."""
    value = _value(builder, parsed, slot, (), entry)
    if value is not None:
        builder.ledger.told[slot] = value


def _offered(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry) -> Response | None:
    """Go on with an offer that is accepted; a question beside the yes is answered first."""
    ledger, others = builder.ledger, _asked_beside(parsed, entry)
    if not parsed.asks and next(iter(missing_slots(builder, entry)), "") in entities.told(parsed.text):
        others = []
    accepted = parsed.yes or (not others and not parsed.no and _takes_up(builder, parsed, entry))
    ledger.close()
    if accepted:
        extra = said_by(builder, others[:1])
        return Response([*extra, *go_on(builder, entry, parsed)], entry=entry)
    if _ends(parsed):
        return Response([builder.say("bye" if parsed.bye else "declined")])
    if parsed.no or not others:
        return None
    said = answer(builder, others, parsed)
    if not ledger.asked:
        ledger.ask("offer", entry.id)  # a yes after the answer still means the offer
    return said


def _ends(parsed: ParsedMessage) -> bool:
    """Say whether a message is a no or a farewell, and asks for nothing."""
    return (parsed.no or parsed.thanks or parsed.bye) and (parsed.is_bare or not (parsed.sure or parsed.asks))


def _takes_up(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry) -> bool:
    """Say whether a message takes an offer up without a yes: it gives what is asked next, or a time."""
    first = next(iter(missing_slots(builder, entry)), "")
    if first in entities.told(parsed.text):
        return True
    if first not in ("", "name") and entities.answer_to(first, parsed.text, builder.today):
        return True
    if not parsed.asks and entities.given(parsed.text) is not None:
        return True
    if entry.books and parsed.asks and not parsed.sure and kind_of(parsed.text) == "when":
        return True  # "when could you come?"
    timely = entry.books or not parsed.asks
    return timely and dates.requested(parsed.folded, builder.today) is not None


def _given(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry | None) -> Response | None:
    """Take what the message gives for the slot that was asked; answer a question beside it."""
    ledger, slot, others = builder.ledger, builder.ledger.asked, _others(builder, parsed, entry)
    value = _value(builder, parsed, slot, others, entry)
    if value is not None:
        ledger.told[f"detail.{ledger.entry}" if slot == "detail" else slot] = value
        extra = said_by(builder, others[:1]) if parsed.asks else []
        return Response([*extra, *_finished(builder, entry, parsed, slot)], entry=entry)
    if parsed.refuses and slot in ("phone", "email", "address"):
        ledger.close()
        return Response([builder.say("no_contact")])
    if parsed.refuses and slot in ("ref", "last4"):
        ledger.close()
        ledger.ask("phone", "human")
        return Response([builder.say("no_ref")])
    if others:
        return _answered_beside(builder, parsed, others)
    if entry is not None and "date" in missing_slots(builder, entry):
        _keep(builder, parsed, entry, "date")  # asked later on
    return _not_given(builder, parsed)


def _not_given(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Come back to an open question that the message leaves open; None where it asks for something else."""
    if (parsed.no or parsed.bye) and parsed.is_bare:
        builder.ledger.close()
        return Response([builder.say("declined")])
    if parsed.corrects or builder.ledger.asked_again:
        return None
    known = followed_up(builder, parsed)
    if known:
        return Response([known, *_back_to(builder, open_question(builder))])
    return _asked_again(builder, parsed)


def _value(
    builder: ReplyBuilder, parsed: ParsedMessage, slot: str, others: Sequence[Entry], entry: Entry | None
) -> str | None:
    """Return what a message answers to the question for a slot, None where it says something else."""
    if slot == "detail":
        return None if others or parsed.refuses or parsed.asks or parsed.is_bare else parsed.text.strip()[:300]
    if slot == "name" and (others or parsed.refuses):
        return None
    return entities.answer_to(slot, parsed.text, builder.today, ahead=is_ahead(entry))


def _answered_beside(builder: ReplyBuilder, parsed: ParsedMessage, others: Sequence[Entry]) -> Response:
    """Answer something else than what was asked, then come back to that."""
    ledger = builder.ledger
    question, open_before = open_question(builder), (ledger.asked, ledger.entry)
    said = answer(builder, others, parsed)
    if ledger.asked or not question or len(said.parts) > MAX_PARTS:
        return said
    ledger.ask(*open_before)
    return Response([*said.parts, *_back_to(builder, question)])


def _back_to(builder: ReplyBuilder, question: Sequence[str]) -> list[str]:
    return [builder.say("back_to", question_low=lowered(part)) for part in question]


def _asked_again(builder: ReplyBuilder, parsed: ParsedMessage) -> Response:
    """Ask an open question again, and name what the message told instead."""
    ledger = builder.ledger
    question = " ".join(open_question(builder))
    given = next((value for name, value in entities.told(parsed.text).items() if name != "last4"), None)
    given = given or wished(builder, parsed.folded)
    if given:
        return Response([builder.say("given", given=given, question=question)])
    ledger.asked_again += 1
    if parsed.asks:
        return Response([builder.say("ask_again_later", question=question)])
    act = "thanks_open" if parsed.thanks and parsed.is_bare else "ask_again" if parsed.is_bare else "heard"
    return Response([builder.say(act, question=question)])


def _finished(builder: ReplyBuilder, entry: Entry | None, parsed: ParsedMessage, slot: str) -> list[str]:
    """Return what is said once a slot is filled: the next question, or what is done."""
    ledger = builder.ledger
    if entry is not None:
        return go_on(builder, entry, parsed)
    act = "privacy_opened" if ledger.entry == "privacy" else "written" if slot == "email" else "callback"
    ledger.close()
    return [builder.say(act, **{slot: ledger.told[slot]})]


def _chosen(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry) -> Response | None:
    """Read the message as the choice of a time."""
    ledger = builder.ledger
    others = [other for other in _others(builder, parsed, entry) if not other.effect]
    wanted = dates.requested(parsed.folded, builder.today)
    if _is_about_time(parsed, wanted) or not others:
        opening = chosen_opening(builder, parsed)
        if opening:
            take(ledger, opening, entry)
            extra = said_by(builder, others[:1]) if parsed.asks else []
            return Response([*go_on(builder, entry, parsed), *extra], entry=entry)
        if wanted or (parsed.no and not others) or _OTHER.search(parsed.folded):
            return _other_times(builder, parsed, entry, is_named=wanted is not None)
    if others:
        kept = list(ledger.options)
        said = answer(builder, others[:1], parsed)
        if not ledger.asked:
            ledger.ask("when", entry.id, kept)
        return said
    return _not_chosen(builder, parsed, entry)


def _is_about_time(parsed: ParsedMessage, wanted: dates.RequestedTime | None) -> bool:
    """Say whether a message chooses a time, whatever else it asks: it says yes, a time, or hardly more than a day."""
    if parsed.yes or not parsed.asks:
        return True
    return wanted is not None and bool(wanted.time or (wanted.days and len(stems(parsed.rest)) < _FEW))


def _other_times(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry, *, is_named: bool) -> Response:
    """Offer other times: those that are named, or later ones."""
    ledger = builder.ledger
    if not is_named:
        forget_wish(ledger)
    rounds = ledger.rounds + (not is_named)
    parts = propose(builder, entry, parsed, rounds) or go_on(builder, entry, parsed)
    ledger.rounds = rounds
    return Response(parts, entry=entry)


def _not_chosen(builder: ReplyBuilder, parsed: ParsedMessage, entry: Entry) -> Response | None:
    """Put the choice once more, or leave it; None where the message asks for something else."""
    ledger = builder.ledger
    if parsed.bye or (parsed.thanks and parsed.is_bare):
        ledger.close()
        return Response([builder.say("done")])
    if parsed.sure or parsed.corrects or ledger.asked_again:
        return None
    ledger.asked_again += 1
    return Response([_beside_choice(builder, parsed, listed_options(builder))], entry=entry)


def _beside_choice(builder: ReplyBuilder, parsed: ParsedMessage, options: str) -> str:
    """Put a choice once more to who says something else."""
    if parsed.is_bare:
        return builder.say("which_one", list=options)
    question = builder.say("which_open", list=options)
    if parsed.asks:
        known = followed_up(builder, parsed)
        return f"{known}\n\n{question}" if known else builder.say("ask_again_later", question=question)
    found = {name: text for name, text in entities.told(parsed.text).items() if name != "last4"}
    name = None if found else entities.answer_to("name", parsed.text, builder.today)
    if name:
        builder.ledger.told["name"] = name
    given = name or next(iter(found.values()), None)
    return builder.say("given", given=given, question=question) if given else builder.say("heard", question=question)


def rebooked(builder: ReplyBuilder, parsed: ParsedMessage) -> Response | None:
    """Move what is booked to the day and time that the message names, or say again when it is."""
    ledger = builder.ledger
    others = [entry for entry in parsed.sure if not (entry.alone or entry.needs or entry.books)]
    if not ledger.booking or others:
        return None
    wanted = dates.requested(parsed.folded, builder.today)
    if wanted is None or not (wanted.days or wanted.time):
        return None
    if parsed.asks and is_check(parsed.folded):
        return answer(builder, [builder.business.entries["booking_check"]], parsed)
    ledger.close()
    move = builder.business.entries["booking_change"]
    lead = [builder.say("sorry")] if parsed.corrects else []
    return Response([*lead, *go_on(builder, move, parsed)], entry=move)
