"""The law of replays: whatever was done to an app, done again it comes to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.replay.bundle import load_bundle
from sandbox.replay.run import Replay
from sandbox.replay.transport import Address
from tests.control.test_snapshot_laws import Act, acts, live
from tests.replay.replaying import bundle
from tests.support.app_driver import AppDriver
from tests.support.processes import Server, http_client, serving
from tests.support.strategies import app_ids


@pytest.fixture(scope="module")
def then() -> Iterator[httpx.Client]:
    """A server whose time runs."""
    with serving("--quiet", "--seed", "5") as server, http_client(server) as client:
        yield client


@pytest.fixture(scope="module")
def now() -> Iterator[Server]:
    """Another server, with another seed."""
    with serving("--quiet", "--seed", "6") as server:
        yield server


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(acts, min_size=1, max_size=10))
def test_done_again_it_comes_to_the_same(then: httpx.Client, now: Server, tmp_path: Path, story: list[Act]) -> None:
    driver = AppDriver(then, app_ids())
    live(driver, story, [])
    file, lines = tmp_path / "bundle.zip", list[str]()
    file.write_bytes(bundle(driver))
    host, port = now.url.removeprefix("http://").split(":")
    assert Replay(load_bundle(file), Address(host, int(port)), lines.append).run() == 0, lines
