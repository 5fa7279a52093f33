"""A pytest plugin that prints, of each collected test, the clauses that it is marked with: a line a mark."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from tests.conftest import ROOT
from tests.docs.fresh import environ, run

HEAD = "clause\t"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the marks."""
    for item in session.items:
        for mark in item.iter_markers("clause"):
            for clause in mark.args:
                print(f"{HEAD}{clause}\t{item.nodeid}")


def clauses_named() -> Sequence[tuple[str, str]]:
    """Collect the whole suite in a process of its own; return each clause named and the test that names it."""
    # Plugins take longer to load than the suite to collect; xdist alone may be asked for by the project's options.
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "xdist.plugin", "-n0", "-p", __name__]
    printed = run(command, cwd=ROOT, env=environ(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"))
    lines = [line.split("\t") for line in printed.splitlines() if line.startswith(HEAD)]
    return [(clause, test) for _, clause, test in lines]
