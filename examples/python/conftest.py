"""Tells pytest how to make the client under test; the plugin gives every test an app of its own."""

from __future__ import annotations

import pytest
from dimedove_client import Client

from pytest_dimedove import DimedoveApp


@pytest.fixture
def slept() -> list[int]:
    """How long the client has slept, in seconds."""
    return []


@pytest.fixture
def client(dimedove_app: DimedoveApp, slept: list[int]) -> Client:
    """A client that does not sleep: the app's clock moves instead."""

    def sleep(seconds: int) -> None:
        slept.append(seconds)
        dimedove_app.clock.advance(seconds)

    return Client(dimedove_app.base_url, dimedove_app.api_key, dimedove_app.app_id, sleep=sleep)
