"""Hears what comes before all business: danger, death, threats, privacy, anger (`vocabulary/safety.txt`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.text import MAX_READ
from sandbox.agent.turn import Pair

DISTRESS: Final = (
    "self_harm",
    "abuse",
    "medical",
    "poison",
    "gas",
    "fire",
    "carbon_monoxide",
    "electricity",
    "threat",
)


class Distress(NamedTuple):
    """One kind of message that comes before all business: found `when`, but for idioms (`unless`)."""

    name: str
    when: re.Pattern[str]
    unless: re.Pattern[str] | None
    says: tuple[Pair, ...]
    again: tuple[Pair, ...]


@cache
def kinds() -> tuple[Distress, ...]:
    """Return the kinds in the order in which they count."""
    found = []
    for heading, raw in vocabulary.lines("safety").items():
        rows = [(row[0], " | ".join(row[1:])) for row in raw]
        idioms = [text for name, text in rows if name == "not"]
        texts = {key: tuple(_texts(text) for name, text in rows if name == key) for key in ("say", "again")}
        unless = re.compile("|".join(idioms)) if idioms else None
        found.append(Distress(heading[2:], _pattern(rows), unless, texts["say"], texts["again"]))
    return tuple(found)


def _pattern(rows: Sequence[Sequence[str]]) -> re.Pattern[str]:
    """Return what finds any `when` of some rows, where a word begins, or a message that is `alone` what it says.

    That a word must begin is said once: said in each of two hundred patterns, it makes the search five times as slow.
    """
    words = "|".join(text for name, text in rows if name == "when")
    alone = "".join(f"|{text}" for name, text in rows if name == "alone")
    return re.compile(rf"\b(?=[\w'])(?:{words}){alone}" if words else alone[1:])


def _texts(text: str) -> Pair:
    en, _, fr = text.partition(" | ")
    return Pair(en, vocabulary.typography(fr))


def distress(folded: str) -> str | None:
    """Return the kind of a message that comes before all business, None for an ordinary one."""
    kind = heard(folded)
    return kind.name if kind else None


def heard(folded: str) -> Distress | None:
    """Return the kind of a folded message, None for an ordinary one."""
    head = folded[:MAX_READ]
    if not _any_distress().search(head):
        return None
    for kind in kinds():
        if kind.when.search(head) and not (kind.unless and kind.unless.search(head)):
            return kind
    return None


@cache
def _any_distress() -> re.Pattern[str]:
    """Return what finds any kind at once: nearly all messages have none, and one search says so."""
    lists = vocabulary.lines("safety").values()
    return _pattern([(row[0], " | ".join(row[1:])) for rows in lists for row in rows])
