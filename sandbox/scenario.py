"""What an app is like and what its agent says: scenarios of the config, and ready-made ones (docs/scenarios.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

READY_MADE: Final = Path(__file__).with_name("ready_scenarios")

PLACE: Final = re.compile(r"\{\{|\}\}|\{(message|agent|match\.\d|metadata(?:\.[\w-]+)+)(?:\|([^{}]*))?\}")
"""What a text is filled with: `{metadata.first_name|there}`; doubled braces stand for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What an app is like and what its agent says; every part is as `schemas/control/scenario.json` has it.

    `fresh`: the app begins afresh with it. `is_ready_made`: it ships with the sandbox.
    """

    name: str
    description: str | Mapping[str, str] = ""
    fresh: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    populate: Mapping[str, Any] | None = None
    faults: Sequence[Mapping[str, Any]] = ()
    replies: Sequence[Mapping[str, Any]] = ()
    is_ready_made: bool = False


class Scenarios:
    """The scenarios of one server, by their names. One of the config goes before a ready-made one of the same name."""

    def __init__(self) -> None:
        self._own: Mapping[str, Scenario] = {}

    def declare(self, own: Mapping[str, Scenario]) -> None:
        """Take those of the config."""
        self._own = own

    def get(self, name: str | None) -> Scenario | None:
        """Return the scenario of this name, None where there is none."""
        if name is None:
            return None
        return self._own.get(name) or (_ready_made(name) if name in ready_made_names() else None)

    def __iter__(self) -> Iterator[Scenario]:
        yield from filter(None, map(self.get, sorted({*self._own, *ready_made_names()})))


@cache
def ready_made_names() -> frozenset[str]:
    """Return the names of those that ship with the sandbox."""
    return frozenset(path.stem.replace("_", " ") for path in READY_MADE.glob("*.toml"))


@cache
def _ready_made(name: str) -> Scenario:
    import tomllib  # late: most servers read none

    table = tomllib.loads(READY_MADE.joinpath(f"{name.replace(' ', '_')}.toml").read_text(encoding="utf-8"))
    return Scenario(name=name, is_ready_made=True, **table)
