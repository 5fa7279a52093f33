"""The checks, one module a topic. `all_checks()` is the one way in."""

from __future__ import annotations

from importlib import import_module

from sandbox.conformance.check import Check

TOPICS = (
    "keys",
    "order",
    "apps",
    "paths",
    "errors",
    "bodies",
    "cors",
    "conversations",
    "users",
    "pages",
    "metadata",
    "titles",
    "messages",
    "tools",
    "streams",
    "completions",
    "metrics",
)


def all_checks() -> tuple[Check, ...]:
    """Return every check, topic by topic, in the order of its module."""
    modules = (import_module(f"{__name__}.{topic}") for topic in TOPICS)
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Check))
