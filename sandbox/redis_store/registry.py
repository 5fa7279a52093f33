"""All apps of one server, kept in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.registry import AppRegistry
from sandbox.clock import monotonic
from sandbox.redis_store.app import RedisApp
from sandbox.redis_store.shared import SharedStore

# What ends the responses of an app that are under way, in every worker.
_ENDS = ("deleted", "reset", "restored")


class RedisRegistry(AppRegistry):
    """Finds apps that are kept in Redis; `more` is what an `AppRegistry` takes."""

    store = "redis"

    def __init__(self, environment: AppEnvironment, *more: Any, store: SharedStore) -> None:
        # No history is kept, so no control call either.
        super().__init__(replace(environment, call_usage=SharedUsage(max_bytes=0)), *more)
        self._store = store
        self._client, self._keys = store.client, store.keys
        # When it was last looked for apps that nobody uses.
        self._looked_at = 0.0
        store.hub.handle("state", self._on_state)
        store.hub.handle("release", self._on_release)

    async def check(self) -> None:
        await self._client.check(self._keys.health)

    async def ids(self) -> Sequence[str]:
        return sorted({*self._declared, *await self._client.members(self._keys.apps)})

    async def delete_all(self) -> None:
        journals = await self._client.members(self._keys.journals)
        for app_id in {*await self._client.members(self._keys.apps), *journals}:
            await self._client.call("forget", self._keys.all_of_app(app_id))
            await self._client.remove(self._keys.apps, app_id)
            await self._client.remove(self._keys.journals, app_id)
        await super().delete_all()

    async def _find_unused(self, ttl: int) -> Sequence[App]:
        # Those of all servers. Where one has just begun, what it finds counts as used now.
        how, looked_at, self._looked_at = ("used" if self._looked_at else "new"), self._looked_at, monotonic()
        ids = await self._client.members(self._keys.apps) if how == "new" else self._used_since(looked_at)
        # A second more: another server may not have said yet that it is used.
        found = [
            self.find(each.decode())
            for each in await self._client.call("unused", (self._keys.used,), ttl + 1, how, *ids)
        ]
        for app in found:
            await app.refresh()
        return [app for app in found if app.is_stored]

    def _used_since(self, moment: float) -> Sequence[str]:
        return [app.id for app in self if app.used_at >= moment or app.is_busy]

    def _new_app(self, app_id: str, defaults: AppSettings | None, usage: Usage) -> App:
        return RedisApp(app_id, self._environment, defaults, usage, self._store)

    async def _on_state(self, app_id: str | None, change: str) -> None:
        """Follow what another worker did to an app, or to all (None)."""
        if change in _ENDS:
            for app in list(self) if app_id is None else filter(None, [self._apps.get(app_id)]):
                assert isinstance(app, RedisApp)  # noqa: S101 - there are no others here
                app.lose()

    async def _on_release(self, app_id: str, fault_id: str | None) -> bool:
        app = self._apps.get(app_id)
        return app is not None and app.responses.release(fault_id)
