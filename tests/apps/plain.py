"""The plainest way to ask a store and to say what it must answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.journal import Journal
from sandbox.apps.limits import SharedUsage
from sandbox.apps.records import Order, Position
from sandbox.apps.registry import MAX_UNSTORED_APPS, AppRegistry
from sandbox.clock import FrozenClock

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


def registry(journal: Journal, max_unstored: int = MAX_UNSTORED_APPS, **limits: Any) -> AppRegistry:
    """Return a server's apps: any id that begins with app_ is one."""
    environment = AppEnvironment(seed="1", clock=FrozenClock(0), journal=journal, shared_usage=SharedUsage(**limits))

    async def seed_demo(app: App) -> None:
        raise AssertionError

    declared = ({"app_declared": AppSettings()}, AppSettings())
    return AppRegistry(environment, declared, "app_.*", seed_demo, max_unstored)
