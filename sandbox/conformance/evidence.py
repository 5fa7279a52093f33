"""Takes answers apart: what is not there is `NoEvidence`, never a failure of the judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.conformance.exchange import Answer

# A page has 100 rows at most, and no conversation of a run so many items: what is beyond is looked at by nobody.
_MOST = 1_000


class NoEvidence(Exception):
    """What a law wanted to look at could not be had; `answer` is what came instead."""

    def __init__(self, wanted: str, answer: Answer) -> None:
        super().__init__(f"{answer.request}: expected {wanted}, got {answer.summary}")
        self.answer = answer


def good(answer: Answer) -> Answer:
    """Return an answer that is a success.

    Raises:
        NoEvidence: it isn't.
    """
    if not answer.is_good:
        raise NoEvidence("200", answer)
    return answer


def id_of(answer: Answer) -> str:
    """Return the id in an answer.

    Raises:
        NoEvidence: there is none.
    """
    found = answer.object.get("id")
    if not isinstance(found, str) or not found:
        raise NoEvidence("an id", answer)
    return found


def items_of(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the items in an answer."""
    items = answer.object.get("items")
    return [item for item in items[:_MOST] if isinstance(item, dict)] if isinstance(items, list) else []


def rows_of(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the rows in an answer."""
    rows = answer.object.get("data")
    return [row for row in rows[:_MOST] if isinstance(row, dict)] if isinstance(rows, list) else []


def ids_of(answer: Answer) -> list[str]:
    """Return the ids of the rows in an answer."""
    return [str(row.get("id")) for row in rows_of(answer)]


def texts_of(item: Mapping[str, Any]) -> str:
    """Return the text in an item's parts, joined."""
    parts = item.get("parts")
    parts = parts if isinstance(parts, list) else []
    return "".join(str(part.get("text")) for part in parts if isinstance(part, dict) and part.get("type") == "text")
