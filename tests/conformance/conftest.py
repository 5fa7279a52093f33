from __future__ import annotations

import socket

import pytest

from sandbox.conformance.fuzz import Exercise, Plan, fuzz
from sandbox.contract import load
from tests.conftest import KEY, NOW, serving


@pytest.fixture(scope="session")
def exercise() -> Exercise:
    """What comes of the whole run, every phase and every check, against our own server in a process of its own.

    It is quiet: nobody reads its output meanwhile, and a line a request would fill the pipe.
    """
    with serving("--now", str(NOW), "--quiet") as server:
        return fuzz(load(), Plan(base_url=f"{server.url}/v1", app_id="app_fuzzed", key=KEY, max_examples=20))


@pytest.fixture
def unused_origin() -> str:
    """An origin where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
