"""Holds your own server to the laws of the Dimedove Apps API, one test a law.

CONFORM_URL=http://127.0.0.1:8010 pytest test_my_server.py
"""

import os

import pytest

from sandbox.conformance.library import all_laws, connect


@pytest.fixture(scope="session")
def server():
    return connect(os.environ.get("CONFORM_URL", "http://127.0.0.1:8010"))


@pytest.mark.parametrize("law", all_laws(), ids=str)
def test_law(law, server):
    if reason := server.why_not(law):
        pytest.skip(reason)
    server.hold(law)
