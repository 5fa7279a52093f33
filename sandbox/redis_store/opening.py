"""Opens the store of a server: whose data it holds, and whether another server uses it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from sandbox.errors import StoreError
from sandbox.options import SettingsError
from sandbox.redaction import escape
from sandbox.redis_store.client import RedisClient, connect
from sandbox.redis_store.keys import Keys
from sandbox.redis_store.registry import RedisRegistry
from sandbox.settings import Settings

log = logging.getLogger("sandbox")

# What the key of the version holds: what is kept otherwise is another version's.
VERSION = b"dimedove-sandbox 1"
# Seconds until another look at who else is there, and for which it is listened at once; keys that are deleted together.
_LOOK_AGAIN, _LISTENS = 1.0, 3_600.0
_WIPED_TOGETHER = 500
_IN_USE = "another server uses this store with the same --store-prefix"


class Store:
    """A Redis, and where in it the apps are; `presence` says there that this server uses it."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self.presence = Presence(client, keys)

    def registry(self, *parts: Any) -> RedisRegistry:
        """Return the apps of a server; `parts` are what an `AppRegistry` takes."""
        return RedisRegistry(*parts, client=self._client, keys=self._keys)

    async def close(self) -> None:
        """Be present no more, and close all connections."""
        self.presence.stop()
        await self._client.close()


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name.

    Raises:
        SettingsError: they don't name one.
        StoreError: it can't be reached or used, or holds what no server of this version wrote.
    """
    url, keys = settings.store or "", Keys(settings.store_prefix)
    try:
        client = connect(url, connections=settings.store_connections, timeout=settings.store_timeout)
    except ValueError as error:
        raise SettingsError(f"--store: expected a URL of a Redis: {escape(str(error))}") from None
    with _connected(url, settings.store_timeout) as redis:
        _check(redis, keys)
    return Store(client, keys)


def wipe(url: str, prefix: str) -> int:
    """Delete all that is kept under a prefix; return how many keys that were.

    Raises:
        StoreError: the store can't be reached, or a server uses the prefix.
    """
    keys, count = Keys(prefix), 0
    with _connected(url, 10) as redis:
        _check_unused(redis, keys)
        for pattern in keys.patterns:
            found = list(redis.scan_iter(pattern, count=1_000))
            for start in range(0, len(found), _WIPED_TOGETHER):
                count += int(redis.unlink(*found[start : start + _WIPED_TOGETHER]))
    return count


class Presence:
    """Says in the store that a server is there, as long as its connection is open; one of two refuses to serve."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._task: asyncio.Task[None] | None = None

    def poll(self) -> None:
        """Begin to be present, once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._stay())

    def stop(self) -> None:
        """Be present no more."""
        if self._task:
            self._task.cancel()

    async def _stay(self) -> None:
        while True:
            # What is wrong with the store, requests and the health say.
            with suppress(RedisError, OSError):
                async with self._client.subscription(self._keys.server) as subscribed:
                    is_alone = await self._client.subscribers(self._keys.server) == 1
                    self._client.refusal = None if is_alone else _IN_USE
                    if not is_alone:
                        log.error("%s; requests are refused until it ends", _IN_USE)
                    while is_alone:
                        # Nobody says anything there; it ends with the connection.
                        await subscribed.get_message(timeout=_LISTENS)
            await self._client.drop_idle()
            await asyncio.sleep(_LOOK_AGAIN)


@contextmanager
def _connected(url: str, timeout: float) -> Iterator[Redis]:
    redis = Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0))
    try:
        yield redis
    except (RedisError, OSError) as error:
        raise StoreError(f"--store: can't be used: {escape(str(error)) or type(error).__name__}") from None
    finally:
        redis.close()


def _check(redis: Redis, keys: Keys) -> None:
    """Mark a prefix as ours, or refuse it."""
    wipe = f"`dimedove-sandbox store wipe --prefix {keys.prefix}` deletes it"
    found = redis.get(keys.version)
    if found is None:
        if any(True for pattern in keys.patterns for _ in redis.scan_iter(pattern, count=1_000)):
            raise StoreError(f"--store: under the prefix {keys.prefix} is something that no sandbox wrote; {wipe}")
        redis.set(keys.version, VERSION)
    elif found != VERSION:
        raise StoreError(f"--store: what is under the prefix {keys.prefix} is of another version; {wipe}")
    _check_unused(redis, keys)


def _check_unused(redis: Redis, keys: Keys) -> None:
    if dict(redis.pubsub_numsub(keys.server)).get(keys.server.encode()):
        raise StoreError(f"--store: {_IN_USE}; give each its own prefix")
