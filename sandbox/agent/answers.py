"""Finds what a person gives in a message: an e-mail address, a phone number, a reference. Reads the beginning only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.agent.text import READ_LIMIT
from sandbox.agent.turn import Utterance

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_PHONE = re.compile(r"(?:\+?1[ .-]?)?\(?\b\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b")
_AMOUNT = re.compile(
    r"\$ ?(\d{1,5})(?:\.(\d\d))?(?![\d,])|(?<![\d,.])(\d{1,3}(?:[ \u00a0\u202f]\d{3})?)(?:,(\d\d))?[ \u00a0\u202f]?\$"
)
_MORE = re.compile(r"\b(?:higher|more|extra|plus|augment\w*|increase\w*|above|over)\b", re.IGNORECASE)
_REFERENCE = re.compile(r"(?<![\w@.-])(?:[A-Za-z]{1,6}-?)?\d[\d-]{2,19}[A-Za-z]?(?![\w@.])")
_YEAR = re.compile(r"(?:19|20)\d\d(?:-\d\d-\d\d)?")
_REFERENCE_KEYS: Final = (
    "order",
    "policy",
    "booking",
    "reservation",
    "reference",
    "ticket",
    "invoice",
    "account",
    "file",
    "claim",
)
_SHORT: Final = 60


def email(text: str) -> str | None:
    """Return the first e-mail address of `text`."""
    head = text[:READ_LIMIT]
    match = _EMAIL.search(head) if "@" in head else None
    return match[0].rstrip(".-") if match else None


def phone(text: str) -> str | None:
    """Return the first North American phone number of `text`, as it was written."""
    match = _PHONE.search(text[:READ_LIMIT])
    return match[0].strip() if match else None


def amount(text: str) -> int | None:
    """Return the first amount of dollars of `text`, in cents, unless it is the difference between two."""
    head = text[:READ_LIMIT]
    match = _AMOUNT.search(head) if "$" in head else None
    if match is None or _MORE.search(head):
        return None
    whole = "".join(filter(str.isdecimal, match[1] or match[3]))
    return int(whole) * 100 + int(match[2] or match[4] or 0)


def reference(text: str) -> str | None:
    """Return the first order, policy or file number of `text`; phone numbers and years are none."""
    for match in _REFERENCE.finditer(text[:READ_LIMIT]):
        if not _YEAR.fullmatch(match[0]) and not _PHONE.fullmatch(match[0]):
            return match[0].rstrip("-")
    return None


def known_email(metadata: Mapping[str, Any], memory: Sequence[Utterance]) -> str | None:
    """Return the person's e-mail address, if the metadata or an earlier message has told it."""
    told = short_text(metadata, "email") or short_text(metadata, "courriel")
    if told and _EMAIL.fullmatch(told):
        return told
    return next((found for said in reversed(memory) if said.role == "user" and (found := email(said.text))), None)


def known_phone(metadata: Mapping[str, Any]) -> str | None:
    """Return the person's phone number, if the metadata has told it."""
    told = short_text(metadata, "phone") or short_text(metadata, "phone_number") or short_text(metadata, "telephone")
    return told if told and _PHONE.fullmatch(told) else None


def known_reference(metadata: Mapping[str, Any]) -> str | None:
    """Return the number of the person's order, policy or file, if a metadata key such as `order_number` has it."""
    for key, value in metadata.items():
        name = key.lower()
        if name.startswith(_REFERENCE_KEYS) and name.endswith(("number", "id", "no", "ref", "reference")):
            found = _short(value)
            if found:
                return found
    return None


def short_text(metadata: Mapping[str, Any], key: str) -> str | None:
    """Return the value of a metadata key if it is a short line of text that can be said aloud, else None."""
    return _short(metadata.get(key))


def _short(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value) if isinstance(value, str) or abs(value) < 10**18 else ""
    return text if 0 < len(text) <= _SHORT and text.isprintable() and not text.isspace() else None
