"""Opens the store of a server: whose data it holds, and whether another server uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from sandbox.errors import StoreError
from sandbox.options import SettingsError
from sandbox.redaction import escape
from sandbox.redis_store.client import RedisClient, connect
from sandbox.redis_store.coverage import RedisDeletedCoverage
from sandbox.redis_store.deliveries import RedisSenders
from sandbox.redis_store.events import RedisEventBus
from sandbox.redis_store.hub import Hub
from sandbox.redis_store.journal import RedisJournal
from sandbox.redis_store.keys import Keys
from sandbox.redis_store.registry import RedisRegistry
from sandbox.redis_store.shared import SharedStore
from sandbox.settings import Settings

# What the key of the version holds: what is kept otherwise is another version's.
VERSION = b"dimedove-sandbox 1"
# Keys that are deleted together.
_WIPED_TOGETHER = 500


class Store:
    """A Redis, and where in it the apps of the servers are that share it."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._shared = SharedStore(client, keys, Hub(client, keys))
        self._senders: RedisSenders | None = None

    def journal(self, prefix: Callable[[str | None], str]) -> RedisJournal:
        """Return the journal; `prefix` says how the ids of an app's requests begin."""
        return RedisJournal(prefix, self._shared)

    def events(self) -> RedisEventBus:
        """Return the live events."""
        return RedisEventBus(self._shared.hub)

    def registry(self, *parts: Any) -> RedisRegistry:
        """Return the apps of a server; `parts` are what an `AppRegistry` takes."""
        return RedisRegistry(*parts, store=self._shared)

    def deleted_coverage(self) -> RedisDeletedCoverage:
        """Return the coverage of deleted apps."""
        return RedisDeletedCoverage(self._shared)

    def senders(self, *parts: Any) -> RedisSenders:
        """Return what decides which server sends the webhooks of an app; `parts` are what `RedisSenders` takes."""
        self._senders = RedisSenders(self._shared, *parts)
        return self._senders

    def observe(self, observe: Callable[[str], AbstractContextManager[None]]) -> None:
        """Let each call of the store be timed."""
        self._shared.client.observe = observe

    def poll(self) -> None:
        """Do what is due now and then."""
        self._shared.hub.poll()
        if self._senders:
            self._senders.poll()

    async def close(self) -> None:
        """Be there no more, and close all connections."""
        self._shared.hub.stop()
        await self._shared.client.close()


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
        if dict(redis.pubsub_numsub(keys.server)).get(keys.server.encode()):
            raise StoreError(f"--store: a server uses the prefix {prefix}; end it first")
        for pattern in keys.patterns:
            found = list(redis.scan_iter(pattern, count=1_000))
            for start in range(0, len(found), _WIPED_TOGETHER):
                count += int(redis.unlink(*found[start : start + _WIPED_TOGETHER]))
    return count


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
