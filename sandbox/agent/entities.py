"""Finds what a person tells in a message: name, phone, reference, address, amount, and the noun that it is about."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

from sandbox.agent import dates, vocabulary
from sandbox.agent.text import MAX_READ, fold, numbers, read, stems
from sandbox.agent.vocabulary import alternatives

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_PHONE = re.compile(r"(?:\+?1[ .-]?)?\(?\b\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b")
_CARD = re.compile(r"\b(?:\d[ -]?){13,16}\b")
_SOCIAL = re.compile(r"\b\d{3}[ -]\d{3}[ -]\d{3}\b")
_POSTAL = re.compile(r"\b([A-Za-z]\d[A-Za-z])[ -]?(\d[A-Za-z]\d)\b")
_AMOUNT = re.compile(
    r"\$ ?\d{1,3}(?:,\d{3})+(?:\.\d\d)?|\$ ?\d{1,7}(?:\.\d\d)?"
    r"|(?<![\d,.])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d\d)?[ \u00a0\u202f]?\$"
    r"|(?<![\d,.])\d{1,7}(?:[.,]\d\d)?[ \u00a0\u202f]?\$"
)
_BARE_AMOUNT = re.compile(r"(?<![\w,.-])\d{2,3}(?:[, \u00a0\u202f]\d{3})+(?![\w-])|(?<![\w.-])\d{3,7}(?![\w-])")
_REFERENCE = re.compile(
    r"(?<![\w@.$-])#?((?:[A-Za-z]{1,6}-?)?\d[\d-]{2,19}[A-Za-z]?"
    r"|(?=[A-Z\d]*\d)(?=[A-Z\d]*[A-Z])[A-Z\d]{5,10})(?![\w@.%])(?! ?\$)"
)
_DIGIT = re.compile(r"\d")
# What answers the question for a slot, though it would say nothing by itself.
_BARE: Final = {
    "ref": re.compile(r"(?<!\w)(?!\d+(?:er|st|nd|rd|th)\b)[A-Za-z]{0,4}-?\d[\w-]{2,19}"),
    "last4": re.compile(r"(?<!\w)(?<!\bto )(?<![àa\$] )(?<!\$)\d{3,6}(?!\w| ?\$)"),
    "amount": _BARE_AMOUNT,
    "party": re.compile(r"\b\d{1,2}\b(?! ?(?:h\b|:|pm|am))"),
    "address": re.compile(r"^\d{1,5}\b.{4,}"),
}
_YEAR = re.compile(r"(?:19|20)\d\d(?:-\d\d-\d\d)?")
_STREET: Final = alternatives("street")
_ADDRESS = re.compile(
    rf"\b\d{{1,5}}[A-Za-z]?,? (?:{_STREET} [^\n?!;]{{2,60}}"
    rf"|[A-ZÀ-Ý0-9][\w'’.-]*(?: [A-ZÀ-Ýa-z][\w'’.-]*){{0,3}} {_STREET}\b[^\n?!;.]{{0,50}})",
    re.IGNORECASE,
)
_ADDRESS_END = re.compile(r"(?:,? (?:and|et|my|mon|ma|for|pour|please|svp|is|est|c'est)\b|\. [A-Z]).*", re.DOTALL)
_PARTY = re.compile(alternatives("party"))
_PARTY_IN_WORDS = re.compile(alternatives("party in words"))
_LAST4 = re.compile(r"(?<![\w$.,-])(\d{4})(?![\w$%,.-]?\d)(?!\s?\$)")
_MAY_NAME = re.compile(alternatives("may name"))  # ten times as fast as what follows, which few messages need
_NAMED = re.compile(
    alternatives("named") + r" ?:? ?((?:[A-ZÀ-Ý][\w'’-]+)(?: (?:de |du |la |le )?[A-ZÀ-Ý][\w'’-]+){0,3})"
)
_LEAD = re.compile(rf"^{alternatives('name lead')}[,: ]+", re.IGNORECASE)
_NAME_ENDS = re.compile(r"[,.;!\n]| and | et |\d")
_NAME_WORD = re.compile(r"[^\W\d_][\w'’.-]*")
_MAX_SHORT: Final = 60


@lru_cache(maxsize=64)
def told(text: str) -> Mapping[str, str]:
    """Return what a message tells by itself, by slot (docs/glossary.md): phone, email, ref, address, party …"""
    head = text[:MAX_READ]
    found: dict[str, str] = {}
    if "@" in head and (match := _EMAIL.search(head)):
        found["email"] = match[0].rstrip(".-")
    if _DIGIT.search(head):
        found.update(_numbers(head))
    folded = read(head).folded
    party = _PARTY_IN_WORDS.search(folded)
    if party:
        found.setdefault("party", str(numbers()[party[1]]))
    name = _NAMED.search(head) if _MAY_NAME.search(folded) else None
    if name and fold(name[1].split()[0]) not in vocabulary.words("no names"):
        found["name"] = name[1].strip()
    return found


def given(text: str) -> str | None:
    """Return the name, number or address that is all that a message says."""
    bare = _bare_name(text)
    name = bare if bare and text.strip()[:1].isupper() and len(bare.split()) > 1 else None
    found = next(iter(told(text).values()), None) or name
    return found if found and len(found) * 3 > len(text.strip()) else None


def _numbers(head: str) -> dict[str, str]:
    """Return what a message tells in numbers."""
    found: dict[str, str] = {}
    rest = head
    for slot, pattern in (("phone", _PHONE), ("postal", _POSTAL), ("address", _ADDRESS), ("amount", _AMOUNT)):
        match = pattern.search(rest)
        if match:
            value = f"{match[1]} {match[2]}".upper() if slot == "postal" else match[0].strip()
            found[slot] = _ADDRESS_END.sub("", value).rstrip(" ,.") if slot == "address" else value
            rest = rest.replace(match[0], " ", 1)
    party = _PARTY.search(read(head).folded)
    if party:
        found["party"] = party[1] or party[2]
    for match in _REFERENCE.finditer(rest):
        if not _YEAR.fullmatch(match[1]) and not _is_time(rest, match.end()):
            found["ref"] = match[1].rstrip("-")
            break
    last = _LAST4.search(rest)
    if last and not _YEAR.fullmatch(last[1]):
        found["last4"] = last[1]
    return found


def _is_time(text: str, end: int) -> bool:
    return text[end : end + 2].lstrip().startswith(("h", "p.", "a."))


def is_private(text: str) -> bool:
    """Say whether a message has a whole card number or a social insurance number in it."""
    head = text[:MAX_READ]
    return bool(_DIGIT.search(head) and (_CARD.search(head) or _SOCIAL.search(head)))


def answer_to(slot: str, text: str, now: date, *, ahead: bool = False) -> str | None:
    """Return what a message answers to the question for `slot`, None where it answers something else.

    `ahead`: a day that may be past or to come is to come.
    """
    head = text[:MAX_READ].strip()
    found = told(head)
    if slot in found and slot != "name":
        return found[slot]
    if slot == "date":
        return _day(fold(head), now, ahead=ahead)
    if slot == "name":
        return found.get("name") or _bare_name(head)
    if slot == "ref" and "phone" in found:
        return found["phone"]  # the number of a line is one too
    bare = _BARE.get(slot)
    match = bare.search(head) if bare and "phone" not in found and "?" not in head else None
    return match[0][:80] if match else None


def _day(folded: str, now: date, *, ahead: bool) -> str | None:
    wanted = dates.requested(folded, now)
    coming = wanted.days[0] if wanted and wanted.days else None
    day = (coming if ahead else None) or dates.past_day(folded, now) or coming
    return day.isoformat() if day else None


def _bare_name(text: str) -> str | None:
    """Return the name that a short message is."""
    if "?" in text:
        return None
    left = text
    for _ in range(3):
        left = _LEAD.sub("", left)
    words = _NAME_ENDS.split(left, maxsplit=1)[0].split()
    if not 1 <= len(words) <= 4 or fold(words[0]) in vocabulary.words("no names"):
        return None
    if words[0].islower() and fold(words[0]) in vocabulary.words("small"):
        return None
    if not all(map(_NAME_WORD.fullmatch, words)):
        return None
    return " ".join(word if word[0].isupper() else word.capitalize() for word in words)


def known(slot: str, metadata: Mapping[str, Any]) -> str | None:
    """Return what the metadata tells for a slot."""
    if slot == "name":
        first, last = short_text(metadata, "first_name"), short_text(metadata, "last_name")
        return " ".join(filter(None, (first, last))).strip() or short_text(metadata, "name") or None
    if slot == "ref":
        return _known_reference(metadata)
    return next((found for key in vocabulary.metadata_keys(slot) if (found := short_text(metadata, key))), None)


def _known_reference(metadata: Mapping[str, Any]) -> str | None:
    """Return the number of the person's order, policy or file, if a metadata key such as `order_number` has it."""
    begins, ends = vocabulary.metadata_keys("ref"), ("number", "id", "no", "ref", "reference", "numero")
    told = (value for key, value in metadata.items() if key.lower().startswith(begins) and key.lower().endswith(ends))
    return next(filter(None, map(_short, told)), None)


def short_text(metadata: Mapping[str, Any], key: str) -> str | None:
    """Return the value of a metadata key if it is a short line of text that can be said aloud, else None."""
    return _short(metadata.get(key))


def _short(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value) if isinstance(value, str | float) or abs(value) < 10**18 else ""
    return text if 0 < len(text) <= _MAX_SHORT and text.isprintable() and not text.isspace() else None


_NOUN_EN = re.compile(r"\b(my|our|your|the|a|an|any|some)\s+((?:[^\W\d_][\w'-]*\s?){1,3})", re.IGNORECASE)
_NOUN_FR = re.compile(
    r"\b(mon|ma|mes|notre|nos|votre|vos|le|la|les|un|une|des|l'(?=\w))(?:\s+|(?<='))((?:[^\W\d_][\w'-]*\s?){1,3})",
    re.IGNORECASE,
)
# What somebody asks whether we do it with, without an article: "do you repair espresso machines".
_ASKED = re.compile(r"\b(?:do|can|could) you \w+ ((?:[^\W\d_][\w'-]*\s?){1,3})", re.IGNORECASE)
_RANKS: Final = ("my our mon ma mes notre nos", "your votre vos", "a an some any un une des", "the le la les l'")
_SHORT: Final = 3  # letters: a noun has more
_YOURS: Final = {
    "my": "your",
    "our": "your",
    "your": "our",
    "mon": "votre",
    "ma": "votre",
    "mes": "vos",
    "notre": "votre",
    "nos": "vos",
    "votre": "notre",
    "vos": "nos",
    "any": "the",
    "some": "the",
}


def noun(text: str, lang: str) -> str | None:
    """Return what the customer talks about in the customer's own words ("your dryer"), None where no noun is plain."""
    pattern = _NOUN_EN if lang == "en" else _NOUN_FR
    found = [(match[1].lower(), _noun_words(match[2])) for match in pattern.finditer(text[:600])]
    ranked = [(_rank(determiner), determiner, words) for determiner, words in found if len(words) > _SHORT]
    if not ranked:
        bare = _ASKED.search(text[:600])
        words = _noun_words(bare[1]) if bare else ""
        return words if len(words) > _SHORT else None
    _, determiner, words = min(ranked, key=lambda each: each[0])
    article = _YOURS.get(determiner, determiner)
    return f"{article}{words}" if article.endswith("'") else f"{article} {words}"


def _noun_words(text: str) -> str:
    """Return the beginning of a text that belongs to a noun."""
    words = text.split()
    end = next(
        (
            at
            for at, word in enumerate(words)
            if fold(word).strip("'") in vocabulary.words("noun ends") or len(word) < 2
        ),
        None,
    )
    return " ".join(words[:end])


def _rank(determiner: str) -> int:
    """Return how much a determiner tells that its noun is what the customer talks about; less is more."""
    return next((number for number, listed in enumerate(_RANKS) if determiner in listed.split()), len(_RANKS))


@cache
def _trades() -> Mapping[str, tuple[str, ...]]:
    """Return how each business is called."""
    return {row[0]: tuple(row[1:4]) for row in vocabulary.lines("trades")["# trades"]}


@cache
def _trade_words() -> Mapping[str, Sequence[tuple[int, str, frozenset[str]]]]:
    """Return by one of their stems the groups by which a message of a trade is known: its place, name, all stems."""
    found: dict[str, list[tuple[int, str, frozenset[str]]]] = {}
    for place, row in enumerate(vocabulary.lines("trades")["# trades"]):
        for group in map(stems, row[4].split(", ")):
            found.setdefault(max(group, key=len, default=""), []).append((place, row[0], frozenset(group)))
    return found


@cache
def _verbs() -> frozenset[str]:
    """Return the stems that say what is to be done in any trade, not to what."""
    return frozenset(stems(" ".join(row[0] for row in vocabulary.lines("words")["# verbs"])))


def is_for_another_trade(text: str, name: str, known: Container[str]) -> bool:
    """Say whether all that a business knows of a message are verbs: "I need tires changed" is nothing for a clinic."""
    return not any(word in known and word not in _verbs() for word in stems(text)) and bool(other_trade(text, name))


def other_trade(text: str, name: str) -> tuple[str, ...] | None:
    """Return the trade that a message belongs to where it isn't this business's: English, French, French with "de"."""
    words = set(stems(text))
    if name == "general":
        return None
    groups = [group for word in words for group in _trade_words().get(word, ()) if group[1] != name]
    found = [(place, other) for place, other, group in groups if group <= words]
    return _trades()[min(found)[1]] if found else None
