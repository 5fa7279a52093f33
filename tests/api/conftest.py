"""The API as its clients see it: one app of a fresh server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.asgi import Asgi, in_process
from tests.api.calls import Api
from tests.conftest import MakeClient

MakeApi = Callable[..., Api]


@pytest.fixture
def api(client: TestClient) -> Api:
    """One app of a fresh server with the default settings and a frozen time."""
    return Api(client)


@pytest.fixture
def make_api(make_client: MakeClient) -> MakeApi:
    """Return a factory: an app of a server of its own; what is set for the app, or with `server` for the server."""

    def make(
        app_id: str = "app_spec", *, server: dict[str, Any] | None = None, key: str | None = None, **app: Any
    ) -> Api:
        settings = {**(server or {}), **({"apps": {app_id: app}} if app else {})}
        return Api(make_client(**({"key": key} if key else {}), **settings), app_id)

    return make


@pytest.fixture
def asgi() -> Iterator[Asgi]:
    """An ASGI client of a fresh server that never waits."""
    with in_process() as client:
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[Asgi]:
    """An ASGI client of a server that the examples of a property share: each takes an app id of its own."""
    with in_process() as client:
        yield client
