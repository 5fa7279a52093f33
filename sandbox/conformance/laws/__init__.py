"""The laws, one module a topic. `all_laws()` is the one way in."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sandbox.conformance.law import Law

TOPICS = (
    "keys",
    "order",
    "apps",
    "paths",
    "errors",
    "bodies",
    "media_types",
    "cors",
    "creation",
    "changes",
    "deletion",
    "users",
    "pages",
    "cursors",
    "metadata",
    "titles",
    "messages",
    "history",
    "tools",
    "framing",
    "streams",
    "deltas",
    "completions",
    "metrics",
)


def all_laws() -> tuple[Law, ...]:
    """Return every law, topic by topic, as they stand in their modules."""
    return tuple(law for topic in TOPICS for law in _of(import_module(f"{__name__}.{topic}")))


def _of(module: ModuleType) -> list[Law]:
    return [value for value in vars(module).values() if isinstance(value, Law)]
