"""What all parts of a store work with."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.redis_store.client import RedisClient
from sandbox.redis_store.hub import Hub
from sandbox.redis_store.keys import Keys


@dataclass(frozen=True, slots=True)
class SharedStore:
    """A Redis, where in it the apps are, and what reaches the other workers."""

    client: RedisClient
    keys: Keys
    hub: Hub
