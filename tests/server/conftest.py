"""A server whose apps stand for every state that a request can meet, and a bare connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from sandbox import Settings, create_app
from tests.support.constants import NOW
from tests.support.in_process import client_of
from tests.support.processes import Server
from tests.support.raw_connection import RawConnection, open_connection

APPS: dict[str, dict[str, Any]] = {
    "app_locked": {"keys": ["sk_test_of_another"]},
    "app_off": {"status": "inactive"},
    "app_mute": {"status": "no_agent"},
    "app_busy": {"rate_limit": {"per_minute": 0}},
    # one that is all of it at once, for the order of the checks
    "app_locked_off_busy": {"keys": ["sk_test_of_another"], "status": "inactive", "rate_limit": {"per_minute": 0}},
    "app_locked_off": {"keys": ["sk_test_of_another"], "status": "inactive"},
    "app_locked_busy": {"keys": ["sk_test_of_another"], "rate_limit": {"per_minute": 0}},
    "app_off_busy": {"status": "inactive", "rate_limit": {"per_minute": 0}},
}


@pytest.fixture(scope="module")
def apps() -> Client:
    """A client without a key of its own; its server has the apps above, and any other."""
    return client_of(create_app(Settings(now=NOW, apps=APPS)))


@pytest.fixture
def wire(server: Server) -> Iterator[RawConnection]:
    """A connection to the shared server, to send bytes on."""
    with open_connection(server.url) as opened:
        yield opened
