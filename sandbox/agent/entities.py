"""Finds what a person tells in a message: name, phone, e-mail, reference, address, amount, number of people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final

from sandbox.agent import dates, vocabulary
from sandbox.agent.text import MAX_READ, fold, is_small, read
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
_NAMED = re.compile(
    alternatives("named") + r" ?:? ?((?:[A-ZÀ-Ý][\w'’-]+)(?: (?:de |du |la |le )?[A-ZÀ-Ý][\w'’-]+){0,3})"
)
_NOT_NAMES: Final = frozenset(
    [
        *(
            "i",
            "im",
            "i'm",
            "i've",
            "we",
            "he",
            "she",
            "they",
            "it",
            "my",
            "je",
            "j'ai",
            "nous",
            "on",
            "il",
            "elle",
            "mon",
        ),
        "sorry",
        "oops",
        "wait",
        "actually",
        "desole",
        "desolee",
        "scusez",
        "oups",
        "finalement",
        "attendez",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "the",
        "le",
        "la",
        "les",
        "un",
        "une",
        "a",
        "an",
        "visa",
        "mastercard",
        "interac",
        "urgent",
        "yes",
        "no",
        "oui",
        "non",
        "ok",
        "please",
        "svp",
    ]
)
_LEAD = re.compile(rf"^{alternatives('name lead')}[,: ]+", re.IGNORECASE)
_MAX_SHORT: Final = 60

_METADATA: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "courriel", "email_address", "e_mail"),
    "phone": ("phone", "phone_number", "telephone", "mobile", "cell"),
    "address": ("address", "street_address", "adresse"),
    "postal": ("postal_code", "postcode", "zip", "code_postal"),
}
_REFERENCE_KEYS: Final = (
    *("order", "policy", "booking", "reservation", "reference", "ticket", "invoice", "account", "file", "claim"),
    *("contract", "student", "member", "customer_number", "commande", "police", "dossier"),
)


def told(text: str) -> dict[str, str]:
    """Return what a message tells by itself, by slot (docs/glossary.md): phone, email, ref, address, party …"""
    head = text[:MAX_READ]
    found: dict[str, str] = {}
    if "@" in head and (match := _EMAIL.search(head)):
        found["email"] = match[0].rstrip(".-")
    if _DIGIT.search(head):
        found.update(_numbers(head))
    party = _PARTY_IN_WORDS.search(read(head).folded)
    if party:
        found.setdefault("party", _number_words()[party[1]])
    name = _NAMED.search(head)
    if name and fold(name[1].split()[0]) not in _NOT_NAMES:
        found["name"] = name[1].strip()
    return found


@cache
def _number_words() -> Mapping[str, str]:
    return {word: row[1] for row in vocabulary.lines("words")["# numbers"] for word in row[0].split()}


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
    return bool(_CARD.search(text[:MAX_READ]) or _SOCIAL.search(text[:MAX_READ]))


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
    left = text
    for _ in range(3):
        left = _LEAD.sub("", left)
    left = re.split(r"[,.;!\n]| and | et |\d", left, maxsplit=1)[0].strip()
    words = left.split()
    if not 1 <= len(words) <= 4 or "?" in text or fold(words[0]) in _NOT_NAMES:
        return None
    if words[0].islower() and is_small(fold(words[0])):
        return None
    if not all(re.fullmatch(r"[^\W\d_][\w'’.-]*", word) for word in words):
        return None
    return " ".join(word if word[0].isupper() else word.capitalize() for word in words)


def known(slot: str, metadata: Mapping[str, Any]) -> str | None:
    """Return what the metadata tells for a slot."""
    if slot == "name":
        first, last = short_text(metadata, "first_name"), short_text(metadata, "last_name")
        return " ".join(filter(None, (first, last))).strip() or short_text(metadata, "name") or None
    if slot == "ref":
        return _known_reference(metadata)
    return next((found for key in _METADATA.get(slot, ()) if (found := short_text(metadata, key))), None)


def _known_reference(metadata: Mapping[str, Any]) -> str | None:
    """Return the number of the person's order, policy or file, if a metadata key such as `order_number` has it."""
    for key, value in metadata.items():
        name = key.lower()
        if name.startswith(_REFERENCE_KEYS) and name.endswith(("number", "id", "no", "ref", "reference", "numero")):
            found = _short(value)
            if found:
                return found
    return None


def short_text(metadata: Mapping[str, Any], key: str) -> str | None:
    """Return the value of a metadata key if it is a short line of text that can be said aloud, else None."""
    return _short(metadata.get(key))


def _short(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value) if isinstance(value, str | float) or abs(value) < 10**18 else ""
    return text if 0 < len(text) <= _MAX_SHORT and text.isprintable() and not text.isspace() else None
