"""What a message means to one business: danger first, then which entries it asks for, and how sure that is.

An entry is found by its samples: how much of a sample's words, weighted by their rarity, the message has. The outcome
is sure, unsure or nothing; an entry is only sure for the kind of question that it answers. What comes before all
business is heard by patterns (`vocabulary/safety.txt`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final, Literal, NamedTuple

from sandbox.agent import entities, vocabulary
from sandbox.agent.businesses import Business, Entry, pair
from sandbox.agent.index import SURE, index, spelt
from sandbox.agent.text import HARD, MAX_READ, Listener, kind_of, read, said, stem, stems
from sandbox.agent.turn import Ledger, Pair
from sandbox.agent.vocabulary import alternatives

Confidence = Literal["sure", "unsure", "none"]
MAX_WISHES: Final = 2
MAX_CLAUSES: Final = 8
_LETTERS: Final = 2  # a clause has more
_MORE: Final = 1.5
_UNSURE: Final = 0.45
_LIKELY: Final = 0.52  # with so much that tells it, and no rival near, an entry is sure enough
_TELLING: Final = 2.0
_RIVAL: Final = 0.7
_NEAR: Final = 0.6
BARE: Final = frozenset(
    (
        *map(stem, ("about", "usually", "environ", "peu", "pres", "normalement")),
        stem("price"),
        stem("howlong"),
        stem("work"),
        stem("marche"),
    )
)  # all that "how much?" says
_CLAUSES = re.compile(
    r"[.?!;\n]+\s+|[\n?!]+|(?:,\s*|\s)(?:and|also|but|et|pis|mais|puis|aussi)\s+(?="
    + alternatives("clause start")
    + ")",
    re.IGNORECASE,
)


class Wish(NamedTuple):
    """One thing that a message asks for: the entry that answers it, how sure that is, and the words that ask it."""

    entry: Entry | None
    confidence: Confidence
    text: str
    score: float = 0.0


def is_language(name: str, text: str) -> bool:
    """Say whether a text has a word that is known, or is too much for a slip of the keyboard."""
    if len(read(text).words) > 2 or not text.islower():
        return True
    words = stems(text)
    return not words or any(word in spelt() or word in index(name).weights for word in words)


@lru_cache(maxsize=1_024)
def find(
    name: str, text: str, topic: str | None, booked: bool, last: str | None = None
) -> tuple[Wish, tuple[Entry, ...]]:
    """Return what one clause asks of a business, and the likeliest entries where that is unsure.

    `topic` is what the conversation is about, `last` the entry that was answered last.
    """
    words, known = stems(text), index(name)
    phrase = known.phrases.get(tuple(read(text).words))
    if phrase is not None and (booked or not phrase.needs):
        return Wish(phrase, "sure", text, 1.0), ()
    if not topic and not known.knows(words):
        return Wish(None, "none", text), ()
    kind = kind_of(text)
    if topic and kind in HARD and not set(words) - BARE:
        asked = _asked(known.known, topic, kind, last)
        if asked:
            return Wish(asked, "sure", text, 1.0), ()
    wish, near = _outcome(text, known.find(words, kind, topic, booked=booked))
    if wish.entry and entities.is_for_another_trade(text, known.known.trade, known.weights):
        return Wish(None, "none", text), ()
    return wish, near


def _outcome(text: str, found: Sequence[tuple[float, float, Entry]]) -> tuple[Wish, tuple[Entry, ...]]:
    """Return how sure what was found for a text is, and the likeliest entries where it is unsure."""
    if not found:
        return Wish(None, "none", text), ()
    rank, likely, entry = found[0]
    alone = len(found) < 2 or found[1][0] < rank * _RIVAL
    if likely >= SURE or (likely >= _LIKELY and rank >= _TELLING and alone):
        return Wish(entry, "sure", text, rank), ()
    if likely < _UNSURE:
        return Wish(None, "none", text), ()
    near = tuple(other for other_rank, often, other in found[:2] if often >= _UNSURE and other_rank > rank * _NEAR)
    return Wish(entry, "unsure", text, rank), near


def wishes(name: str, text: str, topic: str | None, *, booked: bool, last: str | None = None) -> list[Wish]:
    """Return what a message asks of a business: at most two wishes that are sure, else the likeliest one."""
    head = text[:MAX_READ]
    clauses = [clause.strip() for clause in _CLAUSES.split(head) if clause and len(clause.strip()) > _LETTERS]
    sure = _by_clause(name, clauses[:MAX_CLAUSES], topic, booked, last) if len(clauses) > 1 else {}
    if not sure or len(clauses) > MAX_CLAUSES or not _is_said_by_one(name, clauses):
        whole, _ = find(name, head, topic, booked, last)
        if not sure or _outweighs(whole, sure):
            return [whole]
    kept = _apart(sorted(sure.values(), key=lambda wish: -wish.score))[:MAX_WISHES]
    return [wish for wish in sure.values() if wish in kept]


def _is_said_by_one(name: str, clauses: Sequence[str]) -> bool:
    """Say whether one clause has all that is known of a message, so that the whole asks for nothing else."""
    telling = [clause for clause in clauses if index(name).knows(stems(clause))]
    return len(telling) == 1 and {kind_of(clause) for clause in clauses} <= {kind_of(telling[0]), None}


def _by_clause(name: str, clauses: Sequence[str], topic: str | None, booked: bool, last: str | None) -> dict[str, Wish]:
    """Return by entry what the clauses of a message surely ask for; each one is heard after the one before."""
    sure: dict[str, Wish] = {}
    for clause in clauses:
        wish, _ = find(name, clause, topic, booked, last)
        if wish.entry is None or wish.confidence != "sure":
            continue
        known = sure.get(wish.entry.id)
        if known is None or wish.score > known.score:
            sure[wish.entry.id] = wish
        topic, last = wish.entry.topic or topic, wish.entry.id
    telling = {key: wish for key, wish in sure.items() if wish.entry and not wish.entry.alone}
    return telling if len(sure) > 1 and telling else sure


def _outweighs(whole: Wish, sure: Mapping[str, Wish]) -> bool:
    """Say whether a message as a whole surely asks for something else than its clauses do."""
    if whole.entry is None or whole.confidence != "sure" or whole.entry.id in sure:
        return False
    return whole.score > max(wish.score for wish in sure.values()) * _MORE


def _apart(found: Sequence[Wish]) -> list[Wish]:
    """Return the wishes, the likeliest first, without those that ask the same again: one topic and kind, or a time."""
    kept: list[Wish] = []
    for wish in found:
        if not any(_is_same(wish, other) for other in kept):
            kept.append(wish)
    return kept


def _is_same(wish: Wish, other: Wish) -> bool:
    one, two = wish.entry, other.entry
    if one is None or two is None:
        return True
    if one.books and two.books:
        return True
    kind = kind_of(wish.text)
    return kind is not None and bool(one.topic) and one.topic == two.topic and kind == kind_of(other.text)


def _asked(known: Business, topic: str, kind: str | None, last: str | None) -> Entry | None:
    """Return the entry that a bare "how much?" asks for: the one answered last, its sister, or the topic's only one."""
    fitting = [entry for entry in known.entries.values() if entry.topic == topic and kind in entry.kinds]
    if last:
        sister = last.partition("_")[0]
        fitting.sort(key=lambda entry: (entry.id != last, entry.id.partition("_")[0] != sister))
        first = fitting[0].id if fitting else ""
        if len(fitting) > 1 and first != last and first.partition("_")[0] != sister:
            return None
    return fitting[0] if fitting else None


_COURTEOUS: Final = r"\b(?: (?:please|svp|merci|thanks|thank you|thx|stp))?[\s,.!;:-]*"
_YES = re.compile(rf"^\W*{alternatives('yes')}{_COURTEOUS}")
_NO = re.compile(rf"^\W*{alternatives('no')}{_COURTEOUS}")
_GREETING = re.compile(rf"^\W*{alternatives('greeting')}(?: {alternatives('greeted')})?\b[\s,.!;:-]*")
_THANKS = re.compile(rf"\b{alternatives('thanks')}\b[\s,.!;:-]*")
_BYE = re.compile(rf"\b{alternatives('bye')}\b[\s,.!;:-]*")
_NEGATED = re.compile(alternatives("negated"))
_QUESTION = re.compile(rf"^\W*(?:and |but |ok |et |pis |mais )?{alternatives('question')}")


class ParsedMessage(NamedTuple):
    """A message as it is understood.

    `rest` is what it says beside yes, no and courtesies; `wishes` what that asks for. `corrects`: it says that we
    misunderstood. `refuses`: it doesn't have or know what was asked.
    """

    text: str
    folded: str
    rest: str
    yes: bool
    no: bool
    greeting: bool
    thanks: bool
    bye: bool
    corrects: bool
    refuses: bool
    asks: bool
    wishes: tuple[Wish, ...]
    near: tuple[Entry, ...]

    @property
    def is_bare(self) -> bool:
        """Whether nothing is left beside yes, no and courtesies."""
        return not stems(self.rest) and not any(character.isdigit() for character in self.rest)

    @property
    def sure(self) -> list[Entry]:
        """The entries that it surely asks for."""
        return [wish.entry for wish in self.wishes if wish.entry is not None and wish.confidence == "sure"]


def parse(text: str, name: str, ledger: Ledger) -> ParsedMessage:
    """Return what a message means to a business, after what the ledger has of the conversation."""
    folded = read(text[:MAX_READ]).folded.strip()
    found, rest = _courtesies(folded)
    replaced = _NEGATED.match(rest)
    if replaced:
        rest = rest[replaced.end() :]
    asked, near = _asked_for(rest, name, ledger)
    return ParsedMessage(
        text=text,
        folded=folded,
        rest=rest,
        yes="yes" in found,
        no="no" in found and "yes" not in found,
        greeting="greeting" in found,
        thanks=_THANKS.search(folded) is not None,
        bye="bye" in found,
        corrects=bool(ledger.said) and (replaced is not None or "correction" in said(folded)),
        refuses="refusal" in said(rest or folded),
        asks="?" in text or kind_of(rest) is not None or _QUESTION.match(rest) is not None,
        wishes=tuple(asked),
        near=near,
    )


def _courtesies(folded: str) -> tuple[frozenset[str], str]:
    """Return which courtesies a text has, yes and no among them, and what it says beside them."""
    rest, found = folded, set[str]()
    for _ in range(2):
        for kind, pattern in (("greeting", _GREETING), ("thanks", _THANKS), ("yes", _YES), ("no", _NO)):
            match = pattern.match(rest)
            if match and match.end():
                found.add(kind)
                rest = rest[match.end() :]
    if _BYE.search(rest):
        found.add("bye")
    return frozenset(found), _BYE.sub(" ", _THANKS.sub(" ", rest)).strip()


def _asked_for(rest: str, name: str, ledger: Ledger) -> tuple[list[Wish], tuple[Entry, ...]]:
    """Return what the rest of a message asks for, and the likeliest entries where nothing of it is sure."""
    if not rest:
        return [Wish(None, "none", rest)], ()
    booked, topic, last = bool(ledger.booking), ledger.topic or None, next(reversed(ledger.said), None)
    found = wishes(name, rest, topic, booked=booked, last=last)
    if any(wish.confidence == "sure" for wish in found):
        return found, ()
    return found, find(name, rest, topic, booked, last)[1]


DISTRESS: Final = frozenset(
    ("self_harm", "abuse", "medical", "poison", "gas", "fire", "carbon_monoxide", "electricity", "threat")
)


class Distress(NamedTuple):
    """One kind of message that comes before all business: heard but for idioms (`unless`), and what is said to it."""

    name: str
    unless: re.Pattern[str] | None
    says: tuple[Pair, ...]
    again: tuple[Pair, ...]


@cache
def kinds() -> Mapping[str, Distress]:
    """Return the kinds in the order in which they count."""
    found = {}
    for name in _headings():
        idioms = "|".join(_safety_rows(name, "not"))
        says, again = (tuple(map(pair, _safety_rows(name, key))) for key in ("say", "again"))
        found[name[2:]] = Distress(name[2:], re.compile(idioms) if idioms else None, says, again)
    return found


def _headings() -> list[str]:
    return [name for name in vocabulary.lines("safety") if name != "# classes"]


def _safety_rows(heading: str, key: str) -> list[str]:
    rows = [" | ".join(row[1:]) for row in vocabulary.lines("safety")[heading] if row[0] == key]
    if key in ("when", "not"):
        for name, words in vocabulary.lines("safety")["# classes"]:
            rows = [row.replace(f"<{name}>", f"(?:{words})") for row in rows]
    return rows


@cache
def _distress() -> Listener:
    return Listener((name[2:], text) for name in _headings() for text in _safety_rows(name, "when"))


def distress(folded: str) -> Distress | None:
    """Return what kind of message that comes before all business a folded one is, None for an ordinary one."""
    head = folded[:MAX_READ]
    found = _distress().heard(head)
    listed = [kind for name, kind in kinds().items() if name in found] if found else ()
    return next((kind for kind in listed if not (kind.unless and kind.unless.search(head))), None)
