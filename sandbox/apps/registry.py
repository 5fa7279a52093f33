"""All apps of one server, by their ids."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from sandbox import magic
from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.limits import Usage
from sandbox.apps.memory_app import MemoryApp
from sandbox.clock import monotonic
from sandbox.suggestions import closest_word

log = logging.getLogger("sandbox")

# So many apps that nobody wrote to are remembered.
MAX_UNSTORED_APPS = 10_000

# The apps that the server's settings declare, and what any other app begins with (None: there is no other).
Declared = tuple[Mapping[str, AppSettings], AppSettings | None]


class AppRegistry:
    """Finds apps; one that nobody wrote to may be forgotten when there are too many.

    Args:
        environment: what the apps share.
        declared: the apps that the settings declare, and the defaults of the others.
        id_pattern: what an app id looks like, a regular expression.
        seed_demo: gives the demo app its conversations, before its first use.
        max_unstored: how many apps that nobody wrote to are remembered.

    `store` says where apps are kept.
    """

    store = "memory"

    def __init__(
        self,
        environment: AppEnvironment,
        declared: Declared,
        id_pattern: str,
        seed_demo: Callable[[App], Awaitable[None]],
        max_unstored: int = MAX_UNSTORED_APPS,
    ) -> None:
        self._environment = environment
        self._declared, self._defaults = declared
        self._id_pattern = re.compile(id_pattern)
        self._seed_demo = seed_demo
        self._max_unstored = max_unstored
        self._apps: dict[str, App] = {}
        # Ids of those that nobody had written to when they came, oldest first.
        self._unstored: deque[str] = deque()

    async def check(self) -> None:
        """Make sure that what keeps the apps can be reached.

        Raises:
            StoreUnavailable: it can't.
        """

    def find(self, app_id: str) -> App:
        """Return the app of this id, whether it exists or not."""
        return self._apps.get(app_id) or self._add(app_id)

    async def get(self, app_id: str) -> App | None:
        """Return an app that is ready to be used, or None when there is none of this id."""
        app = self.find(app_id)
        await app.refresh()
        return await self.load(app)

    async def load(self, app: App) -> App | None:
        """Return an app when it is ready to be used, or None when there is none of its id."""
        if self._environment.app_ttl:
            app.used_at = monotonic()
        if not app.exists:
            return None
        if not app.is_ready:
            await self._prepare(app)
        return app

    def end_responses(self, reason: type[Exception]) -> None:
        """End the responses of every app."""
        for app in self._apps.values():
            app.responses.end(reason)

    def stored(self) -> Sequence[App]:
        """Return the apps that were written to, in the order of their ids."""
        return sorted((app for app in self._apps.values() if app.is_stored), key=lambda app: app.id)

    async def ids(self) -> Sequence[str]:
        """Return the ids of the apps that were declared or written to, in order."""
        return sorted({*self._declared, *(app.id for app in self._apps.values() if app.is_stored)})

    async def delete(self, app: App) -> None:
        """Drop all that is kept of an app; its next use starts afresh."""
        if app.is_stored:
            self._unstored.append(app.id)
        await app.reset()

    async def delete_unused(self) -> Sequence[App]:
        """Delete the apps that nobody has used for the time of `app_ttl`, but for declared ones; return them."""
        unused = [app for app in await self._find_unused(self._environment.app_ttl or 0) if not self._stays(app)]
        for app in unused:
            await self.delete(app)
            log.warning(
                "the app %s was deleted: nobody used it for %s s (--app-ttl)", app.id, self._environment.app_ttl
            )
        return unused

    def _stays(self, app: App) -> bool:
        return app.usage.is_declared or app.is_busy or app.id == magic.DEMO_APP or app.id in magic.MAGIC_APPS

    async def _find_unused(self, ttl: int) -> Sequence[App]:
        """Return the apps that were written to and that nobody has used for so many seconds."""
        for app in self:
            if app.is_busy:
                # A long stream is a use to its end.
                app.used_at = monotonic()
        return [app for app in self.stored() if monotonic() - app.used_at > ttl]

    async def delete_all(self) -> None:
        """Drop all that is kept of every app; those that requests are under way for stay what they are."""
        apps, self._apps = self._apps, {}
        self._unstored.clear()
        for app in apps.values():
            if app.is_busy:
                self._apps[app.id] = app
                self._unstored.append(app.id)
                await app.reset()
            else:
                app.close()
        self._environment.journal.reset()

    def declare(self, declared: Declared) -> None:
        """Take other declared apps and defaults; what was changed since goes on top of them, and all data stays."""
        self._declared, self._defaults = declared
        for app in self._apps.values():
            app.usage.is_declared = app.id in self._declared
            app.declare(self._base(app.id))

    def __iter__(self) -> Iterator[App]:
        return iter(self._apps.values())

    def _base(self, app_id: str) -> AppSettings | None:
        base = self._declared.get(app_id, self._defaults)
        return base if base and self._id_pattern.fullmatch(app_id) else None

    def _add(self, app_id: str) -> App:
        usage = Usage(self._environment.shared_usage, is_declared=app_id in self._declared)
        app = self._apps[app_id] = self._new_app(app_id, self._base(app_id), usage)
        self._unstored.append(app_id)
        if len(self._unstored) > self._max_unstored:
            self._forget_unstored()
        return app

    def _new_app(self, app_id: str, defaults: AppSettings | None, usage: Usage) -> App:
        return MemoryApp(app_id, self._environment, defaults, usage)

    def _forget_unstored(self) -> None:
        """Let the oldest go that nobody wrote to; one that was written to stays, until it is reset."""
        app = self._apps.get(self._unstored.popleft())
        if app is None or app.is_stored:
            return
        if app.is_busy:
            self._unstored.append(app.id)
            return
        self._environment.journal.forget_app(app.journal)
        del self._apps[app.id]

    async def _prepare(self, app: App) -> None:
        """Prepare an app for its first use."""
        if app.id == magic.DEMO_APP:
            await self._seed_demo(app)
            return
        app.is_ready = True
        if app.id in self._declared or app.id in magic.MAGIC_APPS:
            return
        # Said once: the id looks like a slip of the pen, close to an app that was declared.
        if close := closest_word(app.id, self._declared):
            log.warning("a new app, %s: did you mean %s?", app.id, close)
