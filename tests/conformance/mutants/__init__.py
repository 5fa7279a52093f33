"""Single breaks of our own server, one module a topic, for the suite to find. `all_mutants()` is the one way in."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tests.conformance.mutants.seams import Mutant

TOPICS = ("access", "order", "bodies", "state", "users", "snapshots", "metrics", "pages", "speech", "streams")


def all_mutants() -> tuple[Mutant, ...]:
    """Return every mutant, topic by topic, as they stand in their modules."""
    return tuple(mutant for topic in TOPICS for mutant in _of(import_module(f"{__name__}.{topic}")))


def _of(module: ModuleType) -> list[Mutant]:
    return [value for value in vars(module).values() if isinstance(value, Mutant)]
