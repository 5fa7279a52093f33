"""The plainest way to ask a store and to say what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from sandbox.apps.records import Order, Position

T = TypeVar("T")


def now(work: Awaitable[T]) -> T:
    """Return what a method of the memory store answers: it must come without waiting for anything."""
    try:
        next(work.__await__())
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("the store waited")


def page_of(
    rows: Iterable[Position], *, limit: int, order: Order, after: Position | None = None, before: Position | None = None
) -> tuple[list[Position], bool]:
    """Return the page and whether there is more, by looking at every row."""
    ordered = sorted(rows, reverse=order == "desc")
    if before is not None:
        rest = [row for row in ordered if _follows(before, row, order)]
        return rest[-limit:], len(rest) > limit
    rest = [row for row in ordered if after is None or _follows(row, after, order)]
    return rest[:limit], len(rest) > limit


def _follows(later: Position, earlier: Position, order: Order) -> bool:
    return later > earlier if order == "asc" else later < earlier
