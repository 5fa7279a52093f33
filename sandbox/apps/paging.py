"""Paginates a sorted list of positions (docs/contract.md 5.4); every store pages through here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from sandbox.apps.records import Order, Position


def paginate(
    positions: Sequence[Position],
    *,
    limit: int,
    order: Order,
    after: Position | None = None,
    before: Position | None = None,
) -> tuple[Sequence[Position], bool]:
    """Return the positions on a page, in the requested order, and whether more lie beyond them.

    `positions` ascend; at most one of `after` and `before` is given. The time taken depends on the page alone, but for
    two binary searches.
    """
    low, high = _range(positions, order, after, before)
    # The page hangs on the end of the range that the traveller comes from.
    from_low = (order == "asc") == (before is None)
    if from_low:
        start, stop = low, min(high, low + limit)
    else:
        start, stop = max(low, high - limit), high
    page = positions[start:stop]
    has_more = stop < high if from_low else start > low
    return (page if order == "asc" else page[::-1]), has_more


def _range(
    positions: Sequence[Position], order: Order, after: Position | None, before: Position | None
) -> tuple[int, int]:
    """Return the part of the list on the wanted side of the cursor."""
    cursor = after or before
    if cursor is None:
        return 0, len(positions)
    is_upwards = (order == "asc") == (after is not None)
    if is_upwards:
        return bisect_right(positions, cursor), len(positions)
    return 0, bisect_left(positions, cursor)
