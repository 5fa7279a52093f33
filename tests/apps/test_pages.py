"""The law of pages over any positions: equal and different seconds, cursors in the list or not (clause 5.4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apps.paging import paginate
from sandbox.apps.records import Order, Position
from tests.apps.plain import page_of

positions = st.builds(Position, st.integers(0, 5), st.integers(1, 30))
lists = st.lists(positions, unique=True, max_size=20).map(sorted)
orders: st.SearchStrategy[Order] = st.sampled_from(["asc", "desc"])
limits = st.integers(1, 25)


@pytest.mark.clause("5.4")
@given(rows=lists, order=orders, limit=limits, cursor=positions, which=st.sampled_from(["after", "before", None]))
def test_a_page_is_what_looking_at_every_row_gives(
    rows: list[Position], order: Order, limit: int, cursor: Position, which: str | None
) -> None:
    """The cursor need not be a row: it may be deleted or another user's."""
    wanted: dict[str, Any] = {"limit": limit, "order": order, **({which: cursor} if which else {})}

    page, more = paginate(rows, **wanted)

    assert (list(page), more) == page_of(rows, **wanted)


@pytest.mark.clause("5.4")
@given(rows=lists, order=orders, limit=limits)
def test_walking_forwards_meets_every_row_once(rows: list[Position], order: Order, limit: int) -> None:
    met: list[Position] = []
    after, more = None, True
    while more:
        page, more = paginate(rows, limit=limit, order=order, after=after)
        met += page
        after = page[-1] if page else None

    assert met == sorted(rows, reverse=order == "desc")


@pytest.mark.clause("5.4")
@given(rows=lists, order=orders, limit=limits)
def test_walking_backwards_meets_every_row_once(rows: list[Position], order: Order, limit: int) -> None:
    beyond = Position(99, 99) if order == "asc" else Position(-1, 0)
    met: list[Position] = []
    before, more = beyond, True
    while more:
        page, more = paginate(rows, limit=limit, order=order, before=before)
        met = [*page, *met]
        before = page[0] if page else before

    assert met == sorted(rows, reverse=order == "desc")
