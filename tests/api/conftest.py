"""The API as its clients see it. Apps share nothing, so tests without settings share a server: each has its own app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import MakeClient
from tests.support.api import Api
from tests.support.in_process import AsgiClient, in_process

MakeApi = Callable[..., Api]


@pytest.fixture
def make_api(make_client: MakeClient) -> MakeApi:
    """Return a factory: an app of a server of its own; what is set for the app, or with `server` for the server."""

    def make(
        app_id: str = "app_spec", *, server: dict[str, Any] | None = None, key: str | None = None, **app: Any
    ) -> Api:
        settings = {**(server or {}), **({"apps": {app_id: app}} if app else {})}
        return Api(make_client(**({"key": key} if key else {}), **settings), app_id)

    return make


@pytest.fixture(scope="session")
def shared() -> Iterator[AsgiClient]:
    """An ASGI client of a server that never waits; the examples of a property take app ids of their own."""
    with in_process() as client:
        yield client


@pytest.fixture
def asgi(shared: AsgiClient) -> AsgiClient:
    """The shared client, to see each message or to leave; it has not waited yet."""
    shared.waits.clear()
    return shared


@pytest.fixture
def api(asgi: AsgiClient, app_id: str) -> Api:
    """An app that is this test's alone, with the default settings and a frozen time."""
    return Api(asgi, app_id)
