"""The apps of the config file, validated by the control contract, at the start and at each reload."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import magic
from sandbox.app_settings import AppSettings
from sandbox.contract import Contract, Document, decode, encode
from sandbox.contract.explain import shorten
from sandbox.contract.json import MAX_DEPTH
from sandbox.contract.validation import summarize
from sandbox.errors import InvalidRequest
from sandbox.options import SettingsError
from sandbox.redaction import escape
from sandbox.reply import Pace
from sandbox.settings import Settings
from sandbox.webhook_url import check_urls

DEMO_PACE = Pace(first_ms=350, delta_ms=25)


def load_declared_apps(
    settings: Settings, control: Callable[[], Contract]
) -> tuple[dict[str, AppSettings], AppSettings | None]:
    """Return the settings of the declared apps, and those of any other app (None: there is no other).

    Raises:
        SettingsError: an app has a wrong setting.
    """
    late = settings.like_production
    defaults = AppSettings(
        titles="after_first_exchange" if late or settings.titles == "after_first_exchange" else "at_creation",
        pace=DEMO_PACE if late else Pace(),
    )
    declared = {
        magic.DEMO_APP: defaults._replace(stream=True, generative_ui=True, pace=DEMO_PACE, business="insurance")
    }
    for app_id, changes in settings.apps.items():
        where = f"apps.{escape(app_id)}"
        if not _is_app_id(app_id, control()):
            raise SettingsError(f"{where}: expected an id of 1 to 128 letters, digits and ._~-")
        if app_id in magic.MAGIC_APPS:
            raise SettingsError(f"{where}: this app always behaves the same way and can't be configured")
        document = to_json(where, changes)
        if violations := control().schema("AppSettings").validate(document):
            raise SettingsError(f"{where}: {escape(summarize(violations))}")
        if (agent := document.value.get("agent_profile")) and agent not in settings.agents:
            raise SettingsError(f"{where}: agent_profile: expected one of [agents.NAME], got {escape(agent)}")
        if "webhooks" in changes:
            _check_urls(where, changes["webhooks"])
        declared[app_id] = declared.get(app_id, defaults).merged(document.value)
    return declared, None if late or settings.strict_apps else defaults


def _check_urls(where: str, webhooks: Any) -> None:
    try:
        check_urls(webhooks)
    except InvalidRequest as error:
        raise SettingsError(f"{where}: {escape(error.message)}") from None


def to_json(where: str, changes: Mapping[str, Any]) -> Document:
    """Convert a TOML table to JSON: a date becomes a text.

    Raises:
        SettingsError: JSON has no equivalent, or not an exact one.
    """
    waiting: list[tuple[str, Any, int]] = [("", changes, 0)]
    while waiting:
        place, value, depth = waiting.pop()
        if expected := _expected_in_json(value, depth):
            raise SettingsError(f"{where}: {escape(shorten(place, 200))}: expected {expected}")
        if isinstance(value, Mapping):
            joint = "." if place else ""
            waiting += [(f"{place}{joint}{name}", child, depth + 1) for name, child in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(f"{place}[{index}]", child, depth + 1) for index, child in enumerate(value)]
    try:
        return decode(encode(changes))
    except TypeError as error:
        raise SettingsError(f"{where}: {error}") from None


def _expected_in_json(value: Any, depth: int) -> str | None:
    """Return what is expected in place of a value that JSON or the API can't hold; None where it can."""
    if depth > MAX_DEPTH:
        return f"at most {MAX_DEPTH} levels"
    if isinstance(value, float) and not math.isfinite(value):
        return f"a number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "a number of at most 64 bits"
    return None


def _is_app_id(app_id: str, control_contract: Contract) -> bool:
    named = next(operation for operation in control_contract.operations if "{app_id}" in operation.path)
    return named.path_schema.is_valid({"app_id": app_id})
