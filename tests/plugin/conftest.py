"""An app of the shared server, as the plugin's own fixture would hand it out; and runs of pytest with the plugin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_dimedove import Dimedove, DimedoveApp
from tests.plugin.client import Client
from tests.plugin.running import Ran, RunTests, run_in
from tests.support.processes import Server


@pytest.fixture
def app(server: Server, request: pytest.FixtureRequest) -> Iterator[DimedoveApp]:
    app = Dimedove(server.url).app("app_" + re.sub(r"\W+", "_", request.node.name, flags=re.ASCII))
    yield app
    app.delete()


@pytest.fixture
def client(app: DimedoveApp) -> Iterator[Client]:
    with closing(Client(app)) as client:
        yield client


@pytest.fixture
def run_tests(tmp_path: Path) -> RunTests:
    """Return a function that runs the text of a test module in a place of its own."""

    def run(text: str, *flags: str, **env: str) -> Ran:
        return run_in(tmp_path, text, *flags, env=env)

    return run
