"""The law of pages (CONTRACT.md 5.4) over a sorted list of positions; every store pages through here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from sandbox.apps.records import Position, Window


def cut(positions: Sequence[Position], window: Window) -> tuple[Sequence[Position], bool]:
    """Return the positions on the page, in the requested order, and whether more lie beyond them.

    `positions` ascend. The time taken depends on the page alone, but for two binary searches.
    """
    low, high = _bounds(positions, window)
    # The page hangs on the end of the range that the traveller comes from.
    from_low = (window.order == "asc") == (window.before is None)
    if from_low:
        start, stop = low, min(high, low + window.limit)
    else:
        start, stop = max(low, high - window.limit), high
    page = positions[start:stop]
    more = stop < high if from_low else start > low
    return (page if window.order == "asc" else page[::-1]), more


def _bounds(positions: Sequence[Position], window: Window) -> tuple[int, int]:
    """Return the part of the list on the asked side of the cursor."""
    cursor = window.after or window.before
    if cursor is None:
        return 0, len(positions)
    upwards = (window.order == "asc") == (window.after is not None)
    if upwards:
        return bisect_right(positions, cursor), len(positions)
    return 0, bisect_left(positions, cursor)
