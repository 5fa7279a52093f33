"""What the clients of deleted apps have met of the contract, counted by all workers."""

from __future__ import annotations

from collections import Counter

from orjson import loads

from sandbox.apps.deleted_coverage import DeletedCoverage
from sandbox.contract import encode
from sandbox.redis_store.shared import SharedStore


class RedisDeletedCoverage(DeletedCoverage):
    """A `DeletedCoverage` in Redis."""

    def __init__(self, store: SharedStore) -> None:
        super().__init__()
        self._client, self._key = store.client, store.keys.coverage

    async def add(self, counts: Counter[tuple[str, ...]]) -> None:
        pairs = [part for place, count in counts.items() for part in (encode(place), count)]
        await self._client.call("count", (self._key,), *pairs)

    async def total(self) -> Counter[tuple[str, ...]]:
        return Counter({tuple(loads(place)): int(count) for place, count in await self._client.hash(self._key)})

    async def clear(self) -> None:
        await self._client.call("forget", (self._key,))
