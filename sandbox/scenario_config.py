"""The scenarios and the agents of the config, validated by the control contract, at the start and at each reload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox.agent_profile import AgentProfile
from sandbox.app_config import to_json
from sandbox.contract import Contract
from sandbox.contract.validation import Violation
from sandbox.options import SettingsError
from sandbox.redaction import escape
from sandbox.scenario import PLACE, Scenario
from sandbox.settings import ConfigTable, Settings
from sandbox.toml_lines import line_of

_NAME: Final = re.compile(r"[A-Za-z0-9][\w .-]{0,63}")
_BRACE: Final = re.compile(r"[{}][^{}]*\}?")


def load_scenarios(settings: Settings, control: Callable[[], Contract]) -> dict[str, Scenario]:
    """Return the scenarios of the settings by their names.

    Raises:
        SettingsError: one is wrong; the message names file, line and place.
    """
    return {name: _load(name, found, control) for name, found in settings.scenarios.items()}


def load_agents(settings: Settings, control: Callable[[], Contract]) -> dict[str, AgentProfile]:
    """Return the agent profiles of the settings by their names.

    Raises:
        SettingsError: one is wrong; the message names file, line and place.
    """
    return {
        name: AgentProfile.from_json(_validated(name, found, "AgentProfile", control))
        for name, found in settings.agents.items()
    }


def _load(name: str, found: ConfigTable, control: Callable[[], Contract]) -> Scenario:
    table = _validated(name, found, "Scenario", control)
    for place, text in _texts(table.get("replies", []), ("replies",)):
        if problem := _problem_of(place, text):
            raise _wrong(name, found, place, f"{Violation(place, '', '', None).place}: {problem}")
    return Scenario(name=name, **table)


def _validated(name: str, found: ConfigTable, schema: str, control: Callable[[], Contract]) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        raise _wrong(name, found, (), "expected a name of 1 to 64 letters, digits, spaces and _.-")
    document = to_json(f"{found.file}: {escape(name)}", found.table)
    if violations := control().schema(schema).validate(document):
        raise _wrong(name, found, violations[0].path, str(violations[0]))
    return dict(document.value)


def _wrong(name: str, found: ConfigTable, place: Sequence[str | int], message: str) -> SettingsError:
    line = line_of(found.file, (*found.place, *place))
    where = f"{found.file}:{line}" if line else str(found.file)
    table = "".join(f"{escape(part)}." for part in found.place) if place else f"{escape(name)}: "
    return SettingsError(f"{where}: {table}{escape(message)}")


def _texts(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts of replies with their places."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from _texts(child, (*place, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, (*place, index))


def _problem_of(place: tuple[str | int, ...], text: str) -> str | None:
    """Return what is wrong with a regular expression, or with a text that is filled."""
    if place[2:] == ("matches",):
        import regex  # slow to load, and few need it

        try:
            regex.compile(text)
        except (regex.error, RecursionError, OverflowError) as error:
            return f"expected a regular expression of Python, got one with an error: {error}"
    if "output" in place and (brace := _BRACE.search(PLACE.sub("", text))):
        known = "{message}, {agent}, {match.1}, {metadata.NAME}"
        return f"expected one of {known}, or doubled braces, got {brace[0]}"
    return None
