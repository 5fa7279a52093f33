"""The plainest way to ask a store and to say what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from sandbox.apps.records import Position, Window

T = TypeVar("T")


def now(work: Awaitable[T]) -> T:
    """Return what a method of the memory store answers: it must come without waiting for anything."""
    try:
        next(work.__await__())
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("the store waited")


def page_of(rows: Iterable[Position], window: Window) -> tuple[list[Position], bool]:
    """Return the page and whether there is more, by looking at every row."""
    ordered = sorted(rows, reverse=window.order == "desc")
    if window.before is not None:
        seen = [row for row in ordered if _follows(window.before, row, window)]
        return seen[-window.limit :], len(seen) > window.limit
    seen = [row for row in ordered if window.after is None or _follows(row, window.after, window)]
    return seen[: window.limit], len(seen) > window.limit


def _follows(later: Position, earlier: Position, window: Window) -> bool:
    return later > earlier if window.order == "asc" else later < earlier
