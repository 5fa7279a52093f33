"""Tells the clauses that tests are marked with; as a pytest plugin it prints them, a line a mark."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import pytest

from tests.support.constants import ROOT
from tests.support.environments import environ, run

HEAD = "clause\t"
# What leaves tests of the suite out.
_CHOICES = ("keyword", "markexpr", "ignore", "ignore_glob", "deselect")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the marks."""
    for clause, test in _marked(session):
        print(f"{HEAD}{clause}\t{test}")


def clauses_named(session: pytest.Session) -> Sequence[tuple[str, str]]:
    """Return each clause that the whole suite names, and the test that names it.

    Where this session has collected no more than a part of the suite, the whole is collected in a process of its own.
    """
    if _is_whole(session.config):
        return list(_marked(session))
    # Plugins take longer to load than the suite to collect; xdist alone may be asked for by the project's options.
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "xdist.plugin", "-n0", "-p", __name__]
    printed = run(command, cwd=ROOT, env=environ(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"))
    lines = [line.split("\t") for line in printed.splitlines() if line.startswith(HEAD)]
    return [(clause, test) for _, clause, test in lines]


def _is_whole(config: pytest.Config) -> bool:
    chosen = any(config.getoption(name, None) for name in _CHOICES)
    places = [config.invocation_params.dir / argument for argument in config.args]
    return not chosen and [place.resolve() for place in places] == [ROOT / "tests"]


def _marked(session: pytest.Session) -> Iterator[tuple[str, str]]:
    for item in session.items:
        for mark in item.iter_markers("clause"):
            for clause in mark.args:
                yield clause, item.nodeid
