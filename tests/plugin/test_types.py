"""The plugin's types say what the control API's contract says: nothing is missing, nothing invented."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

import pytest

import pytest_dimedove as plugin
from sandbox.contract.document import control_folder


def schema(name: str) -> Any:
    return json.loads((control_folder() / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", plugin.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(plugin, name, None)


def test_what_is_not_public_is_not_there() -> None:
    assert not hasattr(plugin, "call")


def test_every_operation_can_be_named() -> None:
    assert set(get_args(plugin.Operation)) == set(schema("operation-id")["enum"]) - {None}


def test_every_rule_of_a_verdict_can_be_named() -> None:
    assert list(get_args(plugin.VerdictRule)) == schema("verdict-finding")["properties"]["rule"]["enum"]


def test_every_kind_of_fault_can_be_named() -> None:
    assert list(get_args(plugin.FaultKind)) == schema("fault")["properties"]["kind"]["enum"]


@pytest.mark.parametrize(
    ("fields", "name", "given_otherwise"),
    [
        (plugin.FaultFields, "fault", {"kind"}),
        (plugin.ReplyRules, "scripted-reply", {"output"}),
        (plugin.Wanted, "verify-request", {"app_id", "operation"}),
        (plugin.SettingChanges, "app-settings-patch", set()),
        (plugin.Entry, "request-entry", set()),
        (plugin.Verdict, "verdict", set()),
        (plugin.VerdictFinding, "verdict-finding", set()),
    ],
)
def test_every_field_can_be_given(fields: type, name: str, given_otherwise: set[str]) -> None:
    assert set(get_type_hints(fields)) | given_otherwise == set(schema(name)["properties"])


@pytest.mark.parametrize("name", ["status", "titles"])
def test_every_choice_of_a_setting_is_offered(name: str) -> None:
    offered = next(kind for kind in get_args(get_type_hints(plugin.SettingChanges)[name]) if get_args(kind))
    assert [*get_args(offered), None] == schema("app-settings-patch")["properties"][name]["enum"]


def test_every_framing_is_offered() -> None:
    offered = next(kind for kind in get_args(get_type_hints(plugin.SettingChanges)["framing"]) if get_args(kind))
    assert list(get_args(offered)[1:]) == schema("app-settings-patch")["properties"]["framing"]["items"]["enum"]
