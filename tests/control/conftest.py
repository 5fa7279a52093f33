"""Apps to drive. On the running server each test has its own: they share the server and meet nothing of each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.conftest import MakeClient
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.processes import Server, serving

MakeDriver = Callable[..., AppDriver]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server that says nothing: nobody reads what it writes, and a pipe that is full would stop it."""
    with serving("--now", str(NOW), "--quiet") as running:
        yield running


@pytest.fixture(scope="session")
def sandbox(server: Server) -> Iterator[httpx2.Client]:
    """A client of the running server."""
    with connected(server) as client:
        yield client


def connected(server: Server) -> httpx2.Client:
    """Return a client of a server, with a good key, for any number of requests at once."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx2.Client(base_url=server.url, headers=AUTH, timeout=60, limits=limits)


@pytest.fixture
def driver(sandbox: httpx2.Client, request: pytest.FixtureRequest) -> AppDriver:
    """An app of the running server that is this test's alone."""
    name = hashlib.md5(request.node.nodeid.encode(), usedforsecurity=False).hexdigest()
    return AppDriver(sandbox, f"app_{name}")


@pytest.fixture
def make_driver(make_client: MakeClient) -> MakeDriver:
    """Return a factory: an app of a server of its own, in this process, for tests that change more than one app."""

    def make(app_id: str = "app_spec", **settings: Any) -> AppDriver:
        return AppDriver(make_client(**settings), app_id)

    return make
