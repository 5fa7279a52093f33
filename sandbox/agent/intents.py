"""Tells what a message wants, in either language; the words are in `vocabulary/replies/intents.json`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.phrases import Phrases
from sandbox.agent.text import KEPT, READ_LIMIT, read

_MOST_WORDS: Final = 400

_MOST_LINES: Final = 60
_MOST_ANSWER: Final = 25
_BLANKS: Final = " \u00a0\u202f*"
_FORM_LINE = re.compile(r"(?!https?:)([^\W\d_][^\n:]{0,59}):([^\n]*)")


class Reading(NamedTuple):
    """What a message says.

    `intent` is what it asks for, None where it only greets, thanks, answers or states; `kind` is then what it is:
    `greeting`, `thanks`, `goodbye`, `yes`, `no`, `statement`, `empty`, `nonsense` or `submitted` (a form's lines).
    """

    kind: str
    intent: str | None = None
    urgent: bool = False
    thanks: bool = False
    ends: bool = False
    words: int = 0
    fields: tuple[tuple[str, str], ...] = ()


def detect(text: str) -> Reading:
    """Return what `text` says; only its beginning is read."""
    head = text[:READ_LIMIT]
    if not head.strip():
        return Reading(kind="empty")
    fields = submitted(head)
    if fields:
        return Reading(kind="submitted", fields=fields)
    _, words, padded = read(head)
    if len(words) > _MOST_WORDS:
        words = words[:_MOST_WORDS]
    intent, marks = _heard(head)
    leads = _leads(words, padded, "?" in head)
    kind = leads or "statement" if intent else _kind(words, leads, bids_goodbye="goodbyes" in marks)
    thanks = not _small_talk().thanks.isdisjoint(words[:12])
    # By position: with names it takes twice as long to make.
    return Reading(kind, intent, "urgent" in marks, thanks, "ends" in marks, len(words))


def wanted(text: str) -> str | None:
    """Return the intent of what `text` says, without reading what else it says."""
    head = text[:READ_LIMIT]
    return None if submitted(head) else _heard(head)[0]


def _heard(head: str) -> tuple[str | None, list[str]]:
    """Return the intent and the marks that a text shows; those of a short one are kept, as it is often said again."""
    return _kept(head) if len(head) <= KEPT else _hear(head)


def _hear(head: str) -> tuple[str | None, list[str]]:
    words = read(head).words
    found = _phrases().find(words)
    if not found:
        return None, []
    marks = [name for weight, name in found if not weight]
    if len(words) > _MOST_WORDS:  # a mark counts anywhere; what is wanted stands near the beginning
        found = _phrases().find(words[:_MOST_WORDS])
    weight, intent = max(found, default=(0, ""))  # a mark weighs nothing
    return intent if weight else None, marks


_kept = lru_cache(maxsize=512)(_hear)


def submitted(text: str) -> tuple[tuple[str, str], ...]:
    """Return the labels and values of a submitted form, () for another text.

    A form comes as `Label: value` lines, two at least; a line without a label continues the value before it.
    """
    if "\n" not in text:
        return ()
    pairs: list[tuple[str, str]] = []
    lines = [line.strip() for line in text.strip().split("\n")[:_MOST_LINES]]
    for line in lines:
        match = _FORM_LINE.fullmatch(line)
        if match:
            pairs.append((match[1].strip(_BLANKS), match[2].strip()))
        elif not pairs:
            return ()
        elif line:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {line}")
    return tuple(pairs) if len(pairs) > 1 and 2 * len(pairs) >= len(lines) else ()


class _SmallTalk(NamedTuple):
    """The words of courtesy and of short answers; what begins a text stands between spaces."""

    yes: frozenset[str]
    no: frozenset[str]
    please: frozenset[str]
    yes_starts: tuple[str, ...]
    no_starts: tuple[str, ...]
    greetings: frozenset[str]
    greeting_rest: frozenset[str]
    thanks: frozenset[str]


@cache
def _courtesies() -> Mapping[str, list[str]]:
    return {key: listed.split(", ") for key, listed in vocabulary.load("replies/small_talk").items()}


@cache
def _small_talk() -> _SmallTalk:
    words = _courtesies()
    single = {key: frozenset(words[key]) for key in ("yes", "no", "please", "greetings", "greeting_rest", "thanks")}

    def phrases(key: str) -> tuple[str, ...]:
        return tuple(f" {phrase} " for phrase in words[key])

    return _SmallTalk(
        **single,
        yes_starts=phrases("yes_starts"),
        no_starts=phrases("no_starts"),
    )


def _kind(words: list[str], leads: str, *, bids_goodbye: bool) -> str:
    small = _small_talk()
    if bids_goodbye and len(words) < 12:
        return "goodbye"
    if leads == "no":
        return "no"
    if len(words) < 12 and not small.thanks.isdisjoint(words) and (leads != "yes" or len(words) > 3):
        return "thanks"
    if leads:
        return leads
    if (
        words
        and words[0] in small.greetings
        and all(word in small.greetings or word in small.greeting_rest for word in words[1:6])
    ):
        return "greeting"
    return "nonsense" if _is_nonsense(words) else "statement"


def _leads(words: list[str], padded: str, asks: bool) -> str:
    """Return `yes` or `no` where a message begins with either, else nothing; "ok, and do you …?" is neither."""
    small = _small_talk()
    if not words or (asks and len(words) > 3) or len(words) > _MOST_ANSWER:
        return ""
    if words[0] in small.no or padded.startswith(small.no_starts):
        return "no"
    if words[0] in small.please:
        return "yes" if len(words) <= 2 else ""
    if (words[0] in small.yes or padded.startswith(small.yes_starts)) and "pas" not in words[:4]:
        return "yes"
    return ""


_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1{3}|^[qwrtpsdfghjklzxcvbnm]{3,}$")


def _is_nonsense(words: list[str]) -> bool:
    """Say whether no word of a text can be said aloud: keys struck at random, signs, smileys."""
    return all(map(_CONSONANTS.search, words[:30])) and not any(map(str.isdecimal, words[:30]))


# "Cancel my appointment" is about cancelling, whatever stands beside it.
_DECISIVE: Final = {
    "cancelling": 250,
    "rescheduling": 450,
    "human": 100,
    "complaint": 250,
    "conditional": 150,
    "paperwork": 250,
}
_MARKS: Final = ("urgent", "ends", "goodbyes")  # of the small talk, what counts wherever it stands
_SAME: Final = {"paperwork": "documents", "conditional": "question"}


@cache
def _phrases() -> Phrases[tuple[int, str]]:
    """Return the phrases that tell an intent, each with how much and which; beside them the marks, which tell none."""
    marks = ((phrase.split(), (0, mark)) for mark in _MARKS for phrase in _courtesies()[mark])
    return Phrases([*_read_phrases(), *marks])


def _read_phrases() -> Iterator[tuple[list[str], tuple[int, str]]]:
    for rank, (intent, listed) in enumerate(vocabulary.load("replies/intents").items()):
        for phrase in listed.split(", "):
            words = phrase.split()
            # Longer phrases first; among equals the intent that is listed first.
            weight = 100 * (2 * len(words) - 1) + _DECISIVE.get(intent, 0) - rank
            yield words, (weight, _SAME.get(intent, intent))
