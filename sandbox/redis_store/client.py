"""Calls scripts in Redis: one round trip a call, never repeated. What goes wrong is one error, `StoreUnavailable`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from sandbox.errors import StoreUnavailable
from sandbox.redaction import escape

Argument = bytes | str | int

_SCRIPTS = Path(__file__).parent / "scripts"
# These have other keys than those of an app's state.
_ALONE = ("register", "begin", "record", "records", "drop_records", "claim", "forget", "count", "unused")


class RedisClient:
    """A bounded number of connections to one Redis, `limit` of them; a call waits no longer than `timeout` for one."""

    def __init__(self, redis: Redis, *, limit: int = 32, timeout: float = 1.0) -> None:
        self._redis = redis
        self.timeout = timeout
        # Times a call, by its name.
        self.observe: Callable[[str], AbstractContextManager[None]] | None = None
        self._slots = asyncio.Semaphore(limit)
        # Those that are not in use. To keep them here takes half the time of redis-py's own pool.
        self._idle: list[AbstractConnection] = []

    async def call(self, name: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """Run a script, all of it or nothing.

        Raises:
            StoreUnavailable: it can't be run, or no answer came in time.
        """
        if self.observe:
            with self.observe(name):
                return await self._call(name, keys, arguments)
        return await self._call(name, keys, arguments)

    async def _call(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        source, digest = _script(name)
        try:
            return await self._send("EVALSHA", digest, len(keys), *keys, *arguments)
        except NoScriptError:  # nothing was run: this Redis doesn't know it yet
            return await self._run("EVAL", source, len(keys), *keys, *arguments)
        except (RedisError, OSError) as error:
            raise unavailable(error) from error

    async def members(self, key: str) -> Sequence[str]:
        """Return the texts of a set, in order."""
        return sorted(member.decode() for member in await self._run("SMEMBERS", key))

    async def add(self, key: str, member: str) -> None:
        """Put a text into a set."""
        await self._run("SADD", key, member)

    async def remove(self, key: str, member: str) -> None:
        """Take a text out of a set."""
        await self._run("SREM", key, member)

    async def field(self, key: str, name: Argument) -> bytes | None:
        """Return a field of a hash."""
        value: bytes | None = await self._run("HGET", key, name)
        return value

    async def hash(self, key: str) -> Sequence[tuple[bytes, bytes]]:
        """Return the names and values of a hash."""
        found = await self._run("HGETALL", key)
        # Flat where the connection speaks RESP2.
        return list(found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True))

    async def set_fields(self, key: str, *pairs: Argument) -> None:
        """Set fields of a hash: names and values by turns."""
        await self._run("HSET", key, *pairs)

    async def delete_fields(self, key: str, *names: Argument) -> None:
        """Delete fields of a hash."""
        await self._run("HDEL", key, *names)

    async def publish(self, channel: str, message: bytes) -> int:
        """Send a message to a channel; return how many got it."""
        return int(await self._run("PUBLISH", channel, message))

    async def check(self, key: str) -> None:
        """Make sure that Redis answers, and takes a write.

        Raises:
            StoreUnavailable: it doesn't.
        """
        await self._run("SET", key, "1", "EX", "60")

    @asynccontextmanager
    async def subscription(self, *channels: str) -> AsyncIterator[PubSub]:
        """Subscribe to channels, on a connection of its own."""
        async with self._redis.pubsub() as subscribed:
            await subscribed.subscribe(*channels)
            yield subscribed

    async def count_subscribers(self, channel: str) -> int:
        """Return how many subscribed to a channel."""
        return int((await self._run("PUBSUB", "NUMSUB", channel))[1])

    async def close(self) -> None:
        """Close all connections."""
        await self.drop_idle()
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def _run(self, *command: Argument) -> Any:
        try:
            return await self._send(*command)
        except (RedisError, OSError) as error:
            raise unavailable(error) from error

    async def _send(self, *command: Argument) -> Any:
        """Send a command once, and return what Redis answers."""
        if self._slots.locked():
            async with asyncio.timeout(self.timeout):
                await self._slots.acquire()
        else:
            await self._slots.acquire()
        try:
            connection = self._idle.pop() if self._idle else self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                # One time-out for both: those of redis-py, one each, would take a third of the time of a call.
                async with asyncio.timeout(self.timeout):
                    await connection.send_packed_command([_pack(command)])
                    answer = await connection.read_response()
            except ResponseError:
                self._idle.append(connection)
                raise
            except BaseException:
                # Its answer may still come, and the others' connections may have ended as well.
                await connection.disconnect(nowait=True)
                await self.drop_idle()
                raise
            self._idle.append(connection)
            return answer
        finally:
            self._slots.release()

    async def drop_idle(self) -> None:
        """Close the connections that are not in use: their other end may be gone."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.disconnect(nowait=True)


def connect(url: str, *, connections: int, timeout: float) -> RedisClient:
    """Return a client of the Redis at a URL; it connects when it is first used.

    Raises:
        ValueError: it is no URL of a Redis.
    """
    pool = ConnectionPool.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=timeout,
        # Redis-py would repeat what no answer came to, scripts too: a message could be kept twice.
        retry=Retry(NoBackoff(), 0),
    )
    return RedisClient(Redis(connection_pool=pool), limit=connections, timeout=timeout)


def unavailable(error: Exception) -> StoreUnavailable:
    """Return the error that a request is answered with."""
    # Behind that Redis says where in a script it stopped.
    reason = escape(str(error)).partition(" script: ")[0] or "no answer in time"
    return StoreUnavailable(f"The sandbox's store is out of reach, or refuses: {reason[:200].rstrip('.')}.")


def _pack(command: Sequence[Argument]) -> bytes:
    """Return a command as Redis reads it."""
    parts = [part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass") for part in command]
    return b"*%d\r\n%b" % (len(parts), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))


@cache
def _script(name: str) -> tuple[str, str]:
    """Return the source of a script and what Redis calls it."""
    parts = (name,) if name in _ALONE else ("shared", name)
    source = "\n".join((_SCRIPTS / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
