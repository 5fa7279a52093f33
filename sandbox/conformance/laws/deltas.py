"""Deltas: the pieces in which a text arrives, and that they make it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from sandbox.conformance.caller import SEND
from sandbox.conformance.exchange import Answer
from sandbox.conformance.law import expect, expect_equal, law, shown
from sandbox.conformance.laws.grammar import BOTH, TEXT, TEXT_DONE, in_every_stream
from sandbox.conformance.sse import Event
from sandbox.conformance.subject import Subject


@law("STREAM-9", source="V", clause="6.4", operations=BOTH)
def deltas_make_the_text(server: Subject) -> None:
    """The text of `output_text.done` is its deltas joined."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        joined: dict[object, str] = {}
        for event in events:
            index = event.data.get("output_index")
            if event.name == TEXT:
                joined[index] = joined.get(index, "") + str(event.data.get("delta"))
            elif event.name == TEXT_DONE:
                expect_equal(event.data.get("text"), joined.get(index, ""), "text", answer)
        texts = {event.data.get("output_index") for event in events if event.name == TEXT_DONE}
        expect(set(joined) <= texts, "a done for every text", f"none for {shown(sorted(map(str, joined)))}", answer)

    in_every_stream(server, check)


@law("STREAM-16", source="D", clause="6.3", operations=BOTH)
def deltas_are_about_a_word(server: Subject) -> None:
    """A delta is about a word: a text comes in many, none of them empty or long."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        deltas = [str(event.data.get("delta")) for event in events if event.name == TEXT]
        words = [len(delta.split()) for delta in deltas]
        expect(all(deltas), "no empty delta", shown(deltas), answer)
        expect(max(words, default=0) <= 2, "about a word a delta", shown(max(deltas, key=len, default="")), answer)

    in_every_stream(server, check)


@law("STREAM-17", source="D", clause="6.3", operations=(SEND,))
def deltas_split_no_character(server: Subject) -> None:
    """A delta never splits a character or an emoji sequence."""

    def check(answer: Answer, events: Sequence[Event], _: bool) -> None:
        deltas = [str(event.data.get("delta")) for event in events if event.name == TEXT]
        for before, delta in pairwise(deltas):
            expect(not _splits(before, delta), "whole characters", shown((before, delta)), answer)

    in_every_stream(server, check)


def _splits(before: str, after: str) -> bool:
    """Say whether a character goes on from one delta to the next: combining marks, joiners, skin tones, pairs."""
    first, last = after[:1], before[-1:]
    joins = first in ("\u200d", "\ufe0f", "\u20e3") or "\U0001f3fb" <= first <= "\U0001f3ff"
    surrogates = "\ud800" <= last <= "\udbff" or "\udc00" <= first <= "\udfff"
    return joins or surrogates or last == "\u200d" or (first != "" and unicodedata.combining(first) > 0)
