"""Reads text cheaply: folded, words apart, words down to their stems, English told from French. Decides nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from sandbox.agent import vocabulary
from sandbox.agent.turn import Language

MAX_READ: Final = 4_000
"""How many characters of a message are read for its meaning: a person's message whole, a hostile one in part."""

GREETINGS: Final = ("hi", "hello", "hey", "bonjour", "bonsoir", "salut", "allo")
"""The words, folded, with which a person greets."""

HARD: Final = ("price", "howlong", "when", "where", "why", "who")
_KINDS: Final = ("howlong", "price", "when", "where", "why", "who", "which", "how", "what")
_LEAD = re.compile(r"^\W+")
_BEGUN: Final = 5  # letters of a text by which patterns are told apart
_WORD_START = re.compile(r"\b(?=[\w'])")
_MARKS = re.compile("[\u0300-\u036f]+")
_NOT_WORD = re.compile(r"[\W_]+")
_ASCII_WORDS = bytes(code if chr(code).isalnum() else 32 for code in range(128)).ljust(256)
# What French is written with goes one by one, which is faster than what takes the accents off any letter.
_LETTERS = (
    *(("é", "e"), ("è", "e"), ("ê", "e"), ("à", "a"), ("ç", "c"), ("ô", "o"), ("û", "u"), ("î", "i"), ("â", "a")),
    *(("ù", "u"), ("ï", "i"), ("ë", "e"), ("œ", "oe"), ("æ", "ae")),
    *(("’", "'"), ("‘", "'"), ("ʼ", "'"), ("\u00a0", " "), ("\u202f", " ")),
)
# Endings of both languages; what is left is the same for all forms of a word ("cancelled", "annulée", "livraisons").
_ENDINGS = re.compile(
    r"(?:ations?|ements?|issez|aient|eraient|erait|erais|erez|eront|erai|iez|ions|ings?|ment|ance|ence"
    r"|ees?|ies|ied|ier|ant|ent|ait|ais|ons|eux|euse|ers?|ed|es|ez|er|ai|ir|ly|(?<=\w{4})[yi]|e|s|x)$"
)
_MIN_STEM: Final = 3
_CODE: Final = 3  # a number of so many digits may be a code that one knows ("429")
_MAX_STEM: Final = 9


class Words(NamedTuple):
    """A text that is read: folded, its words, and these with one space around each, for searches with `in`."""

    folded: str
    words: list[str]
    spaced: str


def fold(text: str) -> str:
    """Return `text` in lower case without accents, its apostrophes straight."""
    low = text.lower()
    if low.isascii():
        return low
    for letter, plain in _LETTERS:
        low = low.replace(letter, plain)
    return low if low.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", low))


@lru_cache(maxsize=64)
def read(text: str) -> Words:
    """Return `text` as it is read; kept a while, as all who read one message ask for the same."""
    folded = fold(text)
    # Bytes are translated three times as fast as text.
    apart = folded.encode().translate(_ASCII_WORDS).decode() if folded.isascii() else _NOT_WORD.sub(" ", folded)
    words = apart.split()
    return Words(folded, words, f" {' '.join(words)} ")


@lru_cache(maxsize=256)
def stems(text: str) -> tuple[str, ...]:
    """Return the stems of the telling words of `text`, in their order, each once.

    What people write in a hurry is read as what it stands for ("appt", "jpeux", "chu"); a negation is the stem `not`,
    a question for the price the stem `price`, in both languages.
    """
    folded = fold(text[:MAX_READ])
    if "n't" in folded:
        folded = folded.replace("can't", "not").replace("won't", "not").replace("n't", " not")
    apart = read(folded)
    words = apart.spaced
    if not _phrase_starts().isdisjoint(apart.words):
        for phrase, plain in _phrases():
            if phrase in words:
                words = words.replace(phrase, plain)
    found: dict[str, None] = {}
    small, spelling = vocabulary.words("small"), _spelling()
    for word in words.split():
        for plain in spelling.get(word, (word,)):
            if plain not in small and (len(plain) == _CODE or not plain.isdecimal()):
                found[stem(plain)] = None
    return tuple(found)


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """Return what is the same in all forms of a folded word."""
    left = word
    for _ in range(2):
        match = _ENDINGS.search(left, _MIN_STEM)
        if match is None:
            break
        left = left[: match.start()]
    if len(left) > _MIN_STEM and left[-1] == left[-2]:  # "shipp(ing)" and "ship"
        left = left[:-1]
    return left[:_MAX_STEM]


@cache
def numbers() -> Mapping[str, int]:
    """Return the numbers from two to ten as words of both languages."""
    return {word: int(row[1]) for row in vocabulary.lines("words")["# numbers"] for word in row[0].split()}


def is_time(word: str) -> bool:
    """Say whether a stem is a day or a part of one."""
    return word in _times()


@cache
def _times() -> frozenset[str]:
    return frozenset(map(stem, vocabulary.words("times")))


@cache
def _spelling() -> dict[str, tuple[str, ...]]:
    """Return what words that are written in a hurry stand for."""
    return {word: tuple(row[1].split()) for row in vocabulary.lines("words")["# spelling"] for word in row[0].split()}


@cache
def _phrases() -> Sequence[tuple[str, str]]:
    """Return phrases that are read as one word, each with a space around it."""
    rows = vocabulary.lines("words")["# phrases"]
    found = [(f" {phrase} ", f" {row[1]} ") for row in rows for phrase in row[0].split(", ")]
    return sorted(found, key=lambda pair: -len(pair[0]))  # "combien de temps" before "combien"


class Listener:
    """Tells which of many patterns a folded text has where a word begins.

    Each is only tried where a word begins as it may begin, which is ten times as fast as one expression of them all. A
    pattern looks back from its beginning only at what must not stand there.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        import regex  # slow to load, and not needed before the first message

        self._rows = [(name, re.compile(pattern).match, regex.compile(pattern).match) for name, pattern in rows]
        self._tried = lru_cache(maxsize=8_192)(self._begun)

    def _begun(self, begun: str) -> Sequence[tuple[str, Callable[..., object], Callable[..., object]]]:
        """Return the patterns that a text may have at its beginning that begins so."""
        rows = self._tried(begun[:-1]) if begun[1:] else self._rows
        return [row for row in rows if row[2](begun, partial=True)]

    def heard(self, text: str) -> set[str]:
        """Return the names of the patterns that `text` has."""
        found: set[str] = set()
        tried, text = self._tried, _LEAD.sub("", text)
        for word in _WORD_START.finditer(text):
            start = word.start()
            for name, matches, _ in tried(text[start : start + _BEGUN]):
                if name not in found and matches(text, start):
                    found.add(name)
        return found


@cache
def _sayings() -> Listener:
    names = (*_KINDS, "refusal", "correction")
    return Listener((name, line) for name in names for line in vocabulary.patterns(name))


@cache
def _phrase_starts() -> frozenset[str]:
    return frozenset(phrase.split()[0] for phrase, _ in _phrases())


def said(text: str) -> frozenset[str]:
    """Return which sections of `patterns.txt` a text says: kinds of questions, "refusal", "correction"."""
    return _said(fold(text[:MAX_READ]))


@lru_cache(maxsize=512)
def _said(folded: str) -> frozenset[str]:
    return frozenset(_sayings().heard(folded))


def kind_of(text: str) -> str | None:
    """Return the kind of question that a text asks, None for a statement or a mere yes-or-no question."""
    found = said(text)
    return next((kind for kind in _KINDS if kind in found), None) if found else None


_MAX_TOLD: Final = 3_000
_MAX_WORDS: Final = 150
_VOTE: Final = 4
# More than one word: what it takes to change the language of a conversation.
_SURE: Final = _VOTE + 1
_ASCII_LETTERS = bytes(code if chr(code).isalpha() else 32 for code in range(128)).ljust(256)
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# What stands between two spaces and is no word: an e-mail, a URL, a domain, a handle, a code.
_MARKED = re.compile(r"[@\d_]|[:.]\S")
_NO_WORD = re.compile(
    r"[@\d_]|://|\bwww\.|\w\.(?:ca|com|org|net|info|biz|io|co|app|dev|ai|edu|gov|qc|fr|us|uk|eu)\b", re.IGNORECASE
)
# Names of several words (`Côte-des-Neiges`, `12 rue de la Montagne`), in which the small words tell nothing.
_NAMES = re.compile(
    r"\b\d+,? (?:rue|avenue|av|boulevard|boul|chemin|place|route|rang)\b[^,;:.?!\n]*"
    r"|\b[A-ZÀ-Ý][a-zà-ÿ]+(?:-[a-zà-ÿ']+)*-[A-ZÀ-Ý][\w-]*"
)

# An apostrophe tells by itself: what stands before it in French, what stands after it in English.
_ELIDED: Final = frozenset(
    ("l", "d", "j", "c", "s", "n", "m", "t", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "aujourd")
)
_CLITIC: Final = frozenset(("s", "t", "m", "ll", "re", "ve", "d"))

_ACCENTS = re.compile("[éèêëàâçùûîïôœ]")


def detect(text: str, fallback: Language = "en") -> Language:
    """Return the language of `text`, `fallback` where it has none (numbers, names, emoji, nothing)."""
    return tell(text) or fallback


def tell(text: str) -> Language | None:
    """Return the language that `text` shows by itself, None where it shows none."""
    return _named(_score(text[:_MAX_TOLD]))


def _named(score: int) -> Language | None:
    """Return the language that a score stands for."""
    return ("fr" if score > 0 else "en") if score else None


def of_message(text: str, before: str, metadata: Mapping[str, Any]) -> tuple[Language, bool]:
    """Return the language in which a message is to be answered, and whether the message itself is sure of it.

    A single word does not change a conversation's language, which is `before` ("" where nothing was said yet).
    """
    score = _score(text[:_MAX_TOLD])
    sure = abs(score) >= _SURE
    if not sure and before:
        return ("fr" if before == "fr" else "en"), False
    return _named(score) or of_metadata(metadata), sure or bool(score)


def of_metadata(metadata: Mapping[str, Any]) -> Language:
    """Return the language that a metadata key such as `language: fr-ca` names, English without one."""
    for key in ("language", "lang", "locale", "langue", "preferred_language"):
        value = metadata.get(key)
        if isinstance(value, str) and value:
            return "fr" if value[:2].lower() == "fr" else "en"
    return "en"


@cache
def _telling() -> Mapping[str, int]:
    """Return the telling words with their votes; a word on both lists tells nothing and is left out."""
    english, french = vocabulary.spelt("en"), vocabulary.spelt("fr")
    return dict.fromkeys(english - french, -_VOTE) | dict.fromkeys(french - english, _VOTE)


def _score(text: str) -> int:
    """Return how French a text is: positive for French, negative for English."""
    score = 0
    telling = _telling()
    for word in _tokens(text)[:_MAX_WORDS]:
        token = word.lower()
        vote = telling.get(token)
        if vote is not None:
            score += vote
        elif "'" in token:
            score += _apostrophe(token) if _is_no_name(word.rpartition("'")[2]) else 0
        elif len(token) > 3 and _is_no_name(word):
            score += _look(token)
    return score


def _tokens(text: str) -> list[str]:
    """Return the words of a text, what an apostrophe joins as one, as far as they are counted."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    text = _NAMES.sub(" ", text)
    if _MARKED.search(text) and _NO_WORD.search(text):
        text = " ".join(part for part in text.split() if not _NO_WORD.search(part))
    if text.isascii() and "'" not in text:
        return text.encode().translate(_ASCII_LETTERS).decode().split()
    return [found[0] for found in islice(_TOKEN.finditer(text), _MAX_WORDS)]


def _is_no_name(word: str) -> bool:
    """Say whether a word that is on no list may tell by its look: `Montréal` doesn't, `DÉGÂT` does."""
    return not word[0].isupper() or word.isupper()


def _apostrophe(token: str) -> int:
    """Return what an elision (`l'eau`) or a contraction (`don't`) tells."""
    head, _, tail = token.partition("'")
    if head in _ELIDED:
        return _VOTE
    return -_VOTE if tail in _CLITIC else 0


def _look(token: str) -> int:
    """Return what the look of an unknown word tells: an accent or an ending."""
    if not token.isascii() and _ACCENTS.search(token):
        return 3
    for ending, vote in _ends().get(token[-2:], ()):
        if token.endswith(ending):
            return vote
    return 0


@cache
def _ends() -> Mapping[str, Sequence[tuple[str, int]]]:
    """Return the endings with their votes by their last two letters."""
    endings: dict[str, list[tuple[str, int]]] = {}
    for vote, lang in ((-1, "English"), (1, "French")):
        for ending in sorted(vocabulary.words(f"{lang} endings")):
            endings.setdefault(ending[-2:], []).append((ending, vote))
    return endings
