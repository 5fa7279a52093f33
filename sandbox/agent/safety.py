"""Hears what comes before all business: danger, death, threats, privacy, anger (`vocabulary/safety.txt`)."""

from __future__ import annotations

import re
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
    """One kind of message that comes before all business."""

    name: str
    when: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    says: tuple[Pair, ...]
    again: tuple[Pair, ...]


@cache
def kinds() -> tuple[Distress, ...]:
    """Return the kinds in the order in which they count."""
    found = []
    for heading, raw in vocabulary.lines("safety").items():
        rows = [(row[0], " | ".join(row[1:])) for row in raw]
        patterns = {key: tuple(re.compile(text) for name, text in rows if name == key) for key in ("when", "not")}
        texts = {key: tuple(_texts(text) for name, text in rows if name == key) for key in ("say", "again")}
        found.append(Distress(heading[2:], patterns["when"], patterns["not"], texts["say"], texts["again"]))
    return tuple(found)


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
        is_heard = any(pattern.search(head) for pattern in kind.when)
        if is_heard and not any(pattern.search(head) for pattern in kind.unless):
            return kind
    return None


@cache
def _any_distress() -> re.Pattern[str]:
    """Return what finds any kind at once: nearly all messages have none, and one search says so."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for kind in kinds() for pattern in kind.when))
