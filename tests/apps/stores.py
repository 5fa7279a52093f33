"""The stores that the laws are held against: in memory, in an imitation of Redis, in a real Redis."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Protocol, TypeVar

from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from sandbox.app_settings import AppSettings
from sandbox.apps.app import App, AppEnvironment
from sandbox.apps.journal import Journal
from sandbox.apps.limits import SharedUsage
from sandbox.apps.registry import AppRegistry
from sandbox.clock import FrozenClock
from sandbox.redis_store.client import RedisClient
from sandbox.redis_store.hub import Hub
from sandbox.redis_store.journal import RedisJournal
from sandbox.redis_store.keys import Keys
from sandbox.redis_store.registry import RedisRegistry
from sandbox.redis_store.shared import SharedStore
from tests.apps import plain
from tests.support.redis_server import RedisServer, requires_redis_server

T = TypeVar("T")


class Store(Protocol):
    """A store, empty at first."""

    def registry(self, **limits: Any) -> AppRegistry:
        """Return a server's apps; of those of another call, where the store is one that servers share."""
        ...

    def now(self, work: Awaitable[T]) -> T:
        """Return what a method answers."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class MemoryStore:
    """No method waits."""

    def registry(self, **limits: Any) -> AppRegistry:
        return plain.registry(Journal(str), **limits)

    def now(self, work: Awaitable[T]) -> T:
        return plain.now(work)

    def close(self) -> None:
        """Do nothing."""


class RedisStore:
    """Redis, or what imitates it: `connect` makes clients of one that is empty."""

    def __init__(self, connect: Callable[[], Redis]) -> None:
        self._connect = connect
        self._loop = asyncio.new_event_loop()
        self._stores: list[SharedStore] = []

    def registry(self, **limits: Any) -> AppRegistry:
        client, keys = RedisClient(self._connect()), Keys("laws")
        shared = SharedStore(client, keys, Hub(client, keys))
        self._stores.append(shared)
        environment = AppEnvironment(
            seed="1",
            clock=FrozenClock(0),
            journal=RedisJournal(lambda app_id: f"req_{app_id or ''}_", shared),
            shared_usage=SharedUsage(**limits),
        )

        async def seed_demo(app: App) -> None:
            raise AssertionError

        declared = ({"app_declared": AppSettings()}, AppSettings())
        return RedisRegistry(environment, declared, "app_.*", seed_demo, store=shared)

    def now(self, work: Awaitable[T]) -> T:
        return self._loop.run_until_complete(_await(work))

    def close(self) -> None:
        for store in self._stores:
            store.hub.stop()
            self.now(store.client.close())
        self._loop.close()


async def _await(work: Awaitable[T]) -> T:
    return await work


def imitated() -> Store:
    """Return a store in fakeredis."""
    server = FakeServer()
    return RedisStore(lambda: FakeAsyncRedis(server=server))


def real() -> Store:
    """Return a store in a Redis that all tests of this process share; it is emptied."""
    server = _server(requires_redis_server())
    server.client().flushall()
    return RedisStore(lambda: Redis.from_url(server.url))


@cache
def _server(binary: str) -> RedisServer:
    server = RedisServer(binary)
    atexit.register(server.close)
    return server
