"""Tells what a message wants, in either language. Owns the reading, not the words (`vocabulary/replies/intents.json`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.text import READ_LIMIT, fold, spaced

_MOST_WORDS: Final = 400

YES: Final = frozenset(
    "yes yeah yep yup ya sure ok okay absolutely definitely certainly perfect great awesome deal correct right oui"
    " ouais ouin accord dacc daccord parfait certainement volontiers absolument exact exactement super voui".split()
)
_PLEASE: Final = frozenset(("please", "pls", "svp"))
NO: Final = frozenset("no nope nah non nan never neither aucun aucune".split())
_YES_STARTS: Final = (
    *(
        "go ahead",
        "sounds good",
        "of course",
        "why not",
        "let s do",
        "that works",
        "works for me",
        "do it",
        "that s fine",
    ),
    *("d accord", "bien sur", "allez y", "ca marche", "ca me va", "c est bon", "c est parfait", "pourquoi pas"),
    *(
        "s il vous plait",
        "avec plaisir",
        "vas y",
        "je veux bien",
        "ca me convient",
        "c est correct",
        "bonne idee",
        "it did",
    ),
)
_NO_STARTS: Final = (
    *("not now", "not yet", "not really", "that s all", "thats all", "that s it", "thats it", "i m good", "im good"),
    *("all good", "nothing else", "maybe later", "never mind", "nevermind", "not today"),
    *(
        "pas maintenant",
        "pas vraiment",
        "c est tout",
        "cest tout",
        "ca va aller",
        "rien d autre",
        "pas pour",
        "laisse faire",
    ),
    *("laissez faire", "plus tard", "pas tout de suite", "ce sera tout", "pas aujourd"),
)
_GREETINGS: Final = frozenset("hi hello hey hiya howdy bonjour bonsoir allo salut coucou greetings yo bon good".split())
_GREETING_REST: Final = frozenset(
    "there matin morning afternoon evening soir all tout le monde team bonjour hi apres midi".split()
)
_THANKS: Final = frozenset("thanks thank thx ty merci mercis cheers".split())
_GOODBYES: Final = (
    *("bye", "goodbye", "good bye", "see you", "have a good", "have a nice", "have a great", "take care", "au revoir"),
    *(
        "bonne journee",
        "bonne soiree",
        "bonne fin de",
        "a bientot",
        "a la prochaine",
        "bye bye",
        "bon weekend",
        "a demain",
    ),
)
_URGENT: Final = (
    *(
        " urgent ",
        " emergency ",
        " asap ",
        " right away ",
        " right now ",
        " urgence ",
        " immediatement ",
        " au plus vite ",
    ),
    *(" tout de suite ", " everywhere ", " partout ", " deborde "),
)
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
    padded = spaced(fold(head))
    words = padded.split()[:_MOST_WORDS]
    leads = _leads(words, padded, "?" in head)
    intent = _intent(words)
    return Reading(
        kind=leads or "statement" if intent else _kind(padded, words, leads),
        intent=intent,
        urgent=any(mark in padded for mark in _URGENT),
        thanks=any(word in _THANKS for word in words[:12]),
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


def _kind(padded: str, words: list[str], leads: str) -> str:
    if any(f" {phrase} " in padded for phrase in _GOODBYES) and len(words) < 12:
        return "goodbye"
    if leads == "no":
        return "no"
    if any(word in _THANKS for word in words) and len(words) < 12 and (leads != "yes" or len(words) > 3):
        return "thanks"
    if leads:
        return leads
    if words and words[0] in _GREETINGS and all(word in _GREETINGS or word in _GREETING_REST for word in words[1:6]):
        return "greeting"
    return "nonsense" if _is_nonsense(words) else "statement"


def _leads(words: list[str], padded: str, asks: bool) -> str:
    """Return `yes` or `no` where a message begins with either, else nothing; "ok, and do you …?" is neither."""
    if not words or (asks and len(words) > 3) or len(words) > _MOST_ANSWER:
        return ""
    if words[0] in NO or padded.startswith(_NO_PADDED):
        return "no"
    if words[0] in _PLEASE:
        return "yes" if len(words) <= 2 else ""
    if (words[0] in YES or padded.startswith(_YES_PADDED)) and "pas" not in words[:4]:
        return "yes"
    return ""


_NO_PADDED: Final = tuple(f" {phrase} " for phrase in _NO_STARTS)
_YES_PADDED: Final = tuple(f" {phrase} " for phrase in _YES_STARTS)
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1{3}|^[qwrtpsdfghjklzxcvbnm]{3,}$")


def _is_nonsense(words: list[str]) -> bool:
    """Say whether no word of a text can be said aloud: keys struck at random, signs, smileys."""
    return not any(word.isdecimal() or not _CONSONANTS.search(word) for word in words[:30])


# "Cancel my appointment" is about cancelling, whatever stands beside it.
_DECISIVE: Final = {"cancelling": 250, "rescheduling": 250, "human": 100, "complaint": 250, "conditional": 150}
_SAME: Final = {"paperwork": "documents", "conditional": "question"}


class _Phrase(NamedTuple):
    rest: tuple[str, ...]
    intent: str
    weight: int


@cache
def _phrases() -> tuple[dict[str, list[_Phrase]], dict[str, list[_Phrase]]]:
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
    return whole, beginnings


def _intent(words: list[str]) -> str | None:
    whole, beginnings = _phrases()
    scores: dict[str, int] = {}
    for position, word in enumerate(words):
        found = whole.get(word, ())
        for length in range(4, min(len(word), 10) + 1):
            entries = beginnings.get(word[:length])
            if entries:
                found = (*found, *entries)
        for phrase in found:
            if not phrase.rest or _follows(words, position + 1, phrase.rest):
                scores[phrase.intent] = max(scores.get(phrase.intent, 0), phrase.weight)
    return max(scores, key=scores.__getitem__) if scores else None


def _follows(words: list[str], start: int, rest: tuple[str, ...]) -> bool:
    return tuple(words[start : start + len(rest)]) == rest
