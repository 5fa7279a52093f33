"""Apps to drive. On the running server each test has its own: they share the server and meet nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.conftest import MakeClient
from tests.support.app_driver import AppDriver
from tests.support.processes import Server, http_client

MakeDriver = Callable[..., AppDriver]


@pytest.fixture(scope="session")
def sandbox(server: Server) -> Iterator[httpx2.Client]:
    """A client of the running server."""
    with http_client(server) as client:
        yield client


@pytest.fixture
def driver(sandbox: httpx2.Client, app_id: str) -> AppDriver:
    """An app of the running server that is this test's alone."""
    return AppDriver(sandbox, app_id)


@pytest.fixture
def make_driver(make_client: MakeClient) -> MakeDriver:
    """Return a factory: an app of a server of its own, in this process, for tests that change more than one app."""

    def make(app_id: str = "app_spec", **settings: Any) -> AppDriver:
        return AppDriver(make_client(**settings), app_id)

    return make
