"""The doors to the server: an in-process client for most tests, a real process for what needs sockets."""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from httpx2 import Client

from sandbox import Settings
from tests.support.constants import KEY, NOW
from tests.support.in_process import client_of
from tests.support.processes import Server, serving
from tests.support.stores import open_app, own_place

pytest_plugins = ["tests.support.requirements"]

# Workers, servers and commands start by the hundred from the same sources: what is compiled once may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As `serve` does: the garbage collector would else go through what a test has made again and again.
gc.set_threshold(5_000, 10, 10)

MakeClient = Callable[..., Client]


def pytest_configure(config: pytest.Config) -> None:
    from tests.support.requirements import examples  # a plugin, which pytest is to import first

    config.addinivalue_line("markers", "clause(*numbers): the clauses of docs/contract.md that the test holds")
    # A law holds however busy the machine is; how fast things are is measured in bench/.
    hypothesis.settings.register_profile("sandbox", deadline=None, max_examples=examples(100, quick=25))
    hypothesis.settings.load_profile("sandbox")


def pytest_collection_finish() -> None:
    # What is collected stays to the end: the garbage collector need not look at it again.
    gc.freeze()


@pytest.fixture
def make_client() -> MakeClient:
    """Return a factory: a client of a server of its own, its time frozen unless `now` says otherwise."""

    def make(*, key: str | None = KEY, **settings: Any) -> Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        app = open_app(Settings(**{"now": NOW, **own_place(), **settings}))
        return client_of(app, headers)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    """A client of a fresh server with the default settings and a frozen time."""
    return make_client()


@pytest.fixture
def app_id(request: pytest.FixtureRequest) -> str:
    """An app id that no other test uses: on a server that tests share, it shares nothing with them."""
    return f"app_{hashlib.md5(request.node.nodeid.encode(), usedforsecurity=False).hexdigest()}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server on a loopback port, shared by the tests of a session: use an app id of your own.

    It writes nothing: nobody reads its pipe, and one that is full would stop it.
    """
    with serving("--now", str(NOW), "--quiet") as running:
        yield running
