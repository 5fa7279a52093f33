"""Calls scripts in Redis: one round trip a call, never repeated. What goes wrong is one error, `StoreUnavailable`."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from sandbox.errors import StoreUnavailable
from sandbox.redaction import escape

Argument = bytes | str | int

_SCRIPTS = Path(__file__).parent / "scripts"
# These have other keys than those of an app.
_ALONE = ("register",)


class RedisClient:
    """A bounded pool of connections to one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        # Why nothing is asked of Redis, where that is so.
        self.refusal: str | None = None

    async def call(self, name: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """Run a script, all of it or nothing.

        Raises:
            StoreUnavailable: it can't be run, or no answer came in time.
        """
        if self.refusal:
            raise StoreUnavailable(f"The sandbox refuses to use its store: {self.refusal}.")
        source, digest = _script(name)
        try:
            try:
                return await self._redis.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]
            except NoScriptError:  # nothing was run: this Redis doesn't know it yet
                return await self._redis.execute_command("EVAL", source, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise unavailable(error) from error

    async def members(self, key: str) -> Sequence[str]:
        """Return the texts of a set, in order."""
        return sorted(member.decode() for member in await self._run("SMEMBERS", key))

    async def remove(self, key: str, member: str) -> None:
        """Take a text out of a set."""
        await self._run("SREM", key, member)

    async def check(self, key: str) -> None:
        """Make sure that Redis answers, and takes a write.

        Raises:
            StoreUnavailable: it doesn't.
        """
        if self.refusal:
            raise StoreUnavailable(f"The sandbox refuses to use its store: {self.refusal}.")
        await self._run("SET", key, "1", "EX", "60")

    @asynccontextmanager
    async def subscription(self, channel: str) -> AsyncIterator[PubSub]:
        """Subscribe to a channel, on a connection of its own."""
        async with self._redis.pubsub() as subscribed:
            await subscribed.subscribe(channel)
            yield subscribed

    async def subscribers(self, channel: str) -> int:
        """Return how many subscribed to a channel."""
        return int((await self._redis.pubsub_numsub(channel))[0][1])

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def _run(self, *command: str) -> Any:
        try:
            return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise unavailable(error) from error


def connect(url: str, *, connections: int, timeout: float) -> RedisClient:
    """Return a client of the Redis at a URL; it connects when it is first used.

    Raises:
        ValueError: it is no URL of a Redis.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # Redis-py would repeat what no answer came to, scripts too: a message could be kept twice.
        retry=Retry(NoBackoff(), 0),
    )
    return RedisClient(Redis(connection_pool=pool))


def unavailable(error: Exception) -> StoreUnavailable:
    """Return the error that a request is answered with."""
    # Behind that Redis says where in a script it stopped.
    reason = escape(str(error)).partition(" script: ")[0] or type(error).__name__
    return StoreUnavailable(f"The sandbox's store is out of reach, or refuses: {reason[:200].rstrip('.')}.")


@cache
def _script(name: str) -> tuple[str, str]:
    """Return the source of a script and what Redis calls it."""
    parts = (name,) if name in _ALONE else ("shared", name)
    source = "\n".join((_SCRIPTS / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
