"""Check your own server against the Dimedove Apps API, one test a check.

CONFORM_URL=http://127.0.0.1:8010 pytest test_my_server.py
"""

import os

import pytest

from sandbox.conformance.library import all_checks, connect


@pytest.fixture(scope="session")
def server():
    return connect(os.environ.get("CONFORM_URL", "http://127.0.0.1:8010"))


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_check(check, server):
    if reason := server.skip_reason(check):
        pytest.skip(reason)
    server.run_check(check)
