"""A run says what it has reached: where nothing was, that nothing was found means nothing."""

from __future__ import annotations

import socket

import pytest

from sandbox.conformance.fuzz import PHASES
from sandbox.contract import load
from tests.conformance.breaks import nothing
from tests.conformance.plans import fuzzed

pytestmark = pytest.mark.fuzz

OPERATIONS = {operation.id for operation in load().operations}


@pytest.fixture
def unused_origin() -> str:
    """An origin where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_finds_nothing_is_faultless_and_not_exercised() -> None:
    """Each answer is a well-formed 404 that the contract allows: no check of a single answer can object."""
    coverage = fuzzed(nothing, *PHASES, app_id="app_missing", max_examples=3)
    assert coverage.findings == ()
    assert set(coverage.never_succeeded) == OPERATIONS
    assert set(coverage.uncovered_links) == set(coverage.links)


def test_a_server_that_is_not_there_is_an_error_and_not_exercised(unused_origin: str) -> None:
    coverage = fuzzed(nothing, "examples", base_url=unused_origin)
    assert coverage.errors
    assert set(coverage.never_succeeded) == OPERATIONS
