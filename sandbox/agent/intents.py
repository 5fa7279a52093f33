"""Tells what a message wants, in either language; the words are in `vocabulary/replies/intents.json`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.text import KEPT, READ_LIMIT, fold, spaced

_MOST_WORDS: Final = 400

_MOST_LINES: Final = 60
_MOST_ANSWER: Final = 25
_BLANKS: Final = " \u00a0\u202f*"
_FORM_LINE = re.compile(r"(?!https?:)([^\W\d_][^\n:]{0,59}):([^\n]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
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
    """Return what `text` says; only its beginning is read, and a short text that comes again only once."""
    return _detected(text) if len(text) <= KEPT else _detect(text[:READ_LIMIT])


def _detect(head: str) -> Reading:
    if not head.strip():
        return Reading(kind="empty")
    fields = submitted(head)
    if fields:
        return Reading(kind="submitted", fields=fields)
    small = _small_talk()
    padded = spaced(fold(head))
    words = padded.split()[:_MOST_WORDS]
    leads = _leads(words, padded, "?" in head)
    intent = _intent(words)
    return Reading(
        kind=leads or "statement" if intent else _kind(padded, words, leads),
        intent=intent,
        urgent=bool(small.urgent.search(padded)),
        thanks=any(word in small.thanks for word in words[:12]),
        ends=bool(small.ends.search(padded)),
        words=len(words),
    )


def submitted(text: str) -> tuple[tuple[str, str], ...]:
    """Return the labels and values of a submitted form, () for another text.

    A form comes as `Label: value` lines, two at least; a line without a label continues the value before it.
    """
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


_detected = lru_cache(maxsize=512)(_detect)


class _SmallTalk(NamedTuple):
    """The words of courtesy and of short answers; what may be more than a word stands between spaces."""

    yes: frozenset[str]
    no: frozenset[str]
    please: frozenset[str]
    yes_starts: tuple[str, ...]
    no_starts: tuple[str, ...]
    greetings: frozenset[str]
    greeting_rest: frozenset[str]
    thanks: frozenset[str]
    goodbyes: tuple[str, ...]
    urgent: re.Pattern[str]
    ends: re.Pattern[str]


@cache
def _small_talk() -> _SmallTalk:
    words = {key: listed.split(", ") for key, listed in vocabulary.load("replies/small_talk").items()}
    single = {key: frozenset(words[key]) for key in ("yes", "no", "please", "greetings", "greeting_rest", "thanks")}

    def phrases(key: str) -> tuple[str, ...]:
        return tuple(f" {phrase} " for phrase in words[key])

    def any_of(key: str) -> re.Pattern[str]:
        return re.compile(" (?:" + "|".join(map(re.escape, words[key])) + ") ")

    return _SmallTalk(
        **single,
        yes_starts=phrases("yes_starts"),
        no_starts=phrases("no_starts"),
        goodbyes=phrases("goodbyes"),
        urgent=any_of("urgent"),
        ends=any_of("ends"),
    )


def _kind(padded: str, words: list[str], leads: str) -> str:
    small = _small_talk()
    if any(phrase in padded for phrase in small.goodbyes) and len(words) < 12:
        return "goodbye"
    if leads == "no":
        return "no"
    if any(word in small.thanks for word in words) and len(words) < 12 and (leads != "yes" or len(words) > 3):
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
    return not any(word.isdecimal() or not _CONSONANTS.search(word) for word in words[:30])


# "Cancel my appointment" is about cancelling, whatever stands beside it.
_DECISIVE: Final = {
    "cancelling": 250,
    "rescheduling": 450,
    "human": 100,
    "complaint": 250,
    "conditional": 150,
    "paperwork": 250,
}
_SAME: Final = {"paperwork": "documents", "conditional": "question"}


class _Phrase(NamedTuple):
    rest: tuple[str, ...]
    intent: str
    weight: int


@cache
def _phrases() -> tuple[dict[str, list[_Phrase]], dict[str, list[tuple[str, list[_Phrase]]]]]:
    """Return the phrases by their first word, whole ones and beginnings of words (`cancel*`)."""
    whole: dict[str, list[_Phrase]] = {}
    beginnings: dict[str, list[_Phrase]] = {}
    for rank, (intent, listed) in enumerate(vocabulary.load("replies/intents").items()):
        for phrase in listed.split(", "):
            first, *rest = phrase.split()
            # Longer phrases first; among equals the intent that is listed first.
            weight = 100 * (1 + 2 * len(rest)) + _DECISIVE.get(intent, 0) - rank
            entry = _Phrase(tuple(rest), _SAME.get(intent, intent), weight)
            table = beginnings if first.endswith("*") else whole
            table.setdefault(first.rstrip("*"), []).append(entry)
    by_head: dict[str, list[tuple[str, list[_Phrase]]]] = {}
    for begun in sorted(beginnings, key=len):
        by_head.setdefault(begun[:4], []).append((begun, beginnings[begun]))
    return whole, by_head


def _intent(words: list[str]) -> str | None:
    whole, beginnings = _phrases()
    scores: dict[str, int] = {}
    for position, word in enumerate(words):
        found = whole.get(word, ())
        for begun, entries in beginnings.get(word[:4], ()):
            if word.startswith(begun):
                found = (*found, *entries)
        for phrase in found:
            if not phrase.rest or _follows(words, position + 1, phrase.rest):
                scores[phrase.intent] = max(scores.get(phrase.intent, 0), phrase.weight)
    return max(scores, key=scores.__getitem__) if scores else None


def _follows(words: list[str], start: int, rest: tuple[str, ...]) -> bool:
    return tuple(words[start : start + len(rest)]) == rest
