"""The shape of a list, as the Apps API has it: what is found, a page of it (CONTROL.md, Requests)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

Thing = TypeVar("Thing")


def page(found: Iterator[Thing], limit: int, shown: Callable[[Thing], dict[str, Any]]) -> dict[str, Any]:
    """Return the first `limit` of what is found, each as `shown` shows it."""
    things = list(islice(found, limit + 1))
    rows = [shown(thing) for thing in things[:limit]]
    return {
        "data": rows,
        "object": "list",
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": len(things) > limit,
    }
