"""All apps of one server, kept in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.registry import AppRegistry
from sandbox.redis_store.app import RedisApp
from sandbox.redis_store.client import RedisClient
from sandbox.redis_store.keys import Keys


class RedisRegistry(AppRegistry):
    """Finds apps that are kept in Redis; `more` is what an `AppRegistry` takes."""

    store = "redis"

    def __init__(self, environment: AppEnvironment, *more: Any, client: RedisClient, keys: Keys) -> None:
        # No history is kept, so no control call either.
        super().__init__(replace(environment, call_usage=SharedUsage(max_bytes=0)), *more)
        self._client = client
        self._keys = keys

    async def check(self) -> None:
        await self._client.check(self._keys.health)

    async def ids(self) -> Sequence[str]:
        return sorted({*self._declared, *await self._client.members(self._keys.apps)})

    async def delete_all(self) -> None:
        for app_id in await self._client.members(self._keys.apps):
            await self.find(app_id).reset()
        await super().delete_all()

    def _new_app(self, app_id: str, defaults: AppSettings | None, usage: Usage) -> App:
        return RedisApp(app_id, self._environment, defaults, usage, self._client, self._keys)
