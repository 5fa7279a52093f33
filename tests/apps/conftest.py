"""The stores that a law is held against, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.apps.stores import MemoryStore, Store, imitated, real
from tests.support.redis_server import requires_redis_server

_MAKERS = {"memory": MemoryStore, "fakeredis": imitated, "redis": real}


@pytest.fixture(params=_MAKERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each store there is."""
    yield from _opened(request.param)


@pytest.fixture(params=[name for name in _MAKERS if name != "memory"])
def shared(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each store that several servers can share: all registries of one are of the same apps."""
    yield from _opened(request.param)


def _opened(name: str) -> Iterator[Store]:
    opened = _MAKERS[name]()
    yield opened
    opened.close()


@pytest.fixture
def redis_server() -> str:
    """The path of redis-server; without one the test is skipped."""
    return requires_redis_server()
