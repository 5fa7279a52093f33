"""The doors to the server: an in-process client for most tests, a real process for what needs sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from httpx2 import Client

from sandbox import Settings, create_app
from tests.support.in_process import client_of

pytest_plugins = ["tests.support.requirements"]

# A law holds however busy the machine is; how fast things are is measured in bench/.
hypothesis.settings.register_profile("sandbox", deadline=None)
hypothesis.settings.load_profile("sandbox")

# Workers, servers and commands start by the hundred from the same sources: what is compiled once may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parent.parent
NOW = 1_790_000_000
KEY = "sk_test_spec"
AUTH = {"Authorization": f"Bearer {KEY}"}

MakeClient = Callable[..., Client]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(*numbers): the clauses of docs/contract.md that the test holds")


@pytest.fixture
def make_client() -> MakeClient:
    """Return a factory: a client of a server of its own, its time frozen unless `now` says otherwise."""

    def make(*, key: str | None = KEY, **settings: Any) -> Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        app = create_app(Settings(**{"now": NOW, **settings}))
        return client_of(app, headers)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    """A client of a fresh server with the default settings and a frozen time."""
    return make_client()


@dataclass(frozen=True)
class Server:
    """A real server process: its base URL (no path) and what it has written so far."""

    url: str
    process: subprocess.Popen[str]
    greeting: str


@contextmanager
def serving(
    *flags: str,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    command: Sequence[str] = ("serve", "--port", "0"),
    stdin: int | None = None,
    within: Sequence[str] = (),
) -> Iterator[Server]:
    """Run `serve`, or another command that serves, on a free loopback port until the block ends.

    `within` is a command that becomes the one which is given to it, as `nohup` does.
    """
    command = [*within, sys.executable, "-P", "-m", "sandbox", *command, *flags]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, cwd=cwd or ROOT
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"https?://\S+?(?=/v1)", first)
        assert found, f"the server did not start: {first}{process.stdout.read()}"
        yield Server(found.group(), process, first)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server on a loopback port, shared by the tests of a session: use an app id of your own."""
    with serving("--now", str(NOW), "--quiet") as running:
        yield running
