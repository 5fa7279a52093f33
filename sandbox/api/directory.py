"""The apps as the server meets them: settings, rate windows, the demo app's data on its first use."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sandbox import magic
from sandbox.api.services import Services
from sandbox.handler_types import App
from sandbox.sources import Clock, FrozenClock
from sandbox.suggestions import nearest

log = logging.getLogger("sandbox")

DEMO_CONVERSATIONS, DEMO_USERS = 48, 9
_REMEMBERED = 10_000


class Directory:
    """Looks apps up for the pipeline; tells `planted` when the demo app has its conversations."""

    def __init__(self, on: Services, clock: Clock, planted: Callable[[App], Awaitable[None]]) -> None:
        self._on = on
        self._tell = planted
        self._clock = clock
        self._met: set[str] = set()
        self._known: dict[str, App] = {}
        self._planting = asyncio.Lock()
        self._planted = False

    async def app(self, app_id: str) -> App | None:
        """Return an app, or None when there is none of this id."""
        settings = await self._on.worlds.settings(app_id)
        if settings is None:
            return None
        frozen = await self._on.worlds.clock(app_id)
        origin = await self._on.worlds.origin(app_id)
        app = self._known.get(app_id)
        if app is None or app.settings is not settings or app.frozen != frozen or app.origin != origin:
            clock = self._clock if frozen is None else FrozenClock(frozen)
            entropy = origin.entropy()
            app = App(id=app_id, settings=settings, clock=clock, frozen=frozen, origin=origin, entropy=entropy)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[app_id] = app
        if app_id == magic.DEMO_APP and not self._planted:
            await self._plant(app)
        elif app_id not in self._met and len(self._met) < _REMEMBERED:
            await self._meet(app_id)
        return app

    async def stands_at(self, app_id: str) -> float | None:
        """Return the Unix second at which the app's time stands still, or None."""
        return await self._on.worlds.clock(app_id)

    async def spend(self, app: App) -> int | None:
        """Count a call against the app's rate limit; return the seconds to wait if it is used up."""
        limit = app.settings.rate_limit
        return await self._on.worlds.spend(app.id, limit, app.clock.now()) if limit else None

    def replant(self) -> None:
        """Give the demo app its conversations again on its next use."""
        self._planted = False

    async def _plant(self, app: App) -> None:
        from sandbox.api.populate import populate  # late: it brings the agent along

        # On first use, not at start: it takes longer than everything else that the server does to come up.
        async with self._planting:
            # One that was put back is as it was saved.
            if not self._planted and not await self._on.worlds.exists(app.id):
                await populate(app, self._on, conversations=DEMO_CONVERSATIONS, users=DEMO_USERS, some_deleted=True)
                await self._tell(app)
            self._planted = True

    async def _meet(self, app_id: str) -> None:
        """Say once when a new id looks like a slip of the pen: close to an app that was declared."""
        self._met.add(app_id)
        declared = await self._on.worlds.declared()
        if app_id in declared or app_id in magic.MAGIC_APPS:
            return
        if close := nearest(app_id, declared):
            log.warning("a new app, %s: did you mean %s?", app_id, close)
