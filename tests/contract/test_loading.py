"""A folder that isn't a contract is refused by name, before anything is served."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.errors import ContractError

FOLDER = control_folder().parent


def _without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _with(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / "openapi.json").read_text())
        change(document)
        (folder / "openapi.json").write_text(json.dumps(document))

    return apply


# Each row: what is done to a good folder, and what the complaint has to name.
DAMAGE = {
    "no document": (_without("openapi.json"), "openapi.json"),
    "not JSON": (_with("error.json", "{"), "error.json"),
    "not an object": (_with("error.json", "[]"), "error.json"),
    "not UTF-8": (lambda folder: (folder / "error.json").write_bytes(b'{"title": "\xff"}'), "error.json"),
    "no title": (_with("error.json", "{}"), "error.json"),
    "a title twice": (_with("other.json", '{"title": "Conversation"}'), "other.json"),
    "a file missing": (_without("error.json"), "error.json"),
    "no operationId": (
        _changed(lambda doc: doc["paths"]["/apps/{app_id}/config"]["get"].pop("operationId")),
        "/apps/{app_id}/config",
    ),
    "an operationId twice": (
        _changed(
            lambda doc: doc["paths"]["/apps/{app_id}/config"]["get"].update(operationId="apps_api_get_app_metrics")
        ),
        "operationId",
    ),
    "a reference into nothing": (_changed(lambda doc: doc["components"]["responses"].pop("NotFound")), "NotFound"),
    "no servers": (_changed(lambda doc: doc.pop("servers")), "servers"),
    "no paths": (_changed(lambda doc: doc.pop("paths")), "paths"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_contract_is_named(damage: str, tmp_path: Path) -> None:
    spoil, named = DAMAGE[damage]
    folder = shutil.copytree(FOLDER, tmp_path / "schemas", ignore=shutil.ignore_patterns("control"))
    spoil(folder)
    with pytest.raises(ContractError) as broken:
        _ = load(folder).operations
    assert named in str(broken.value)
    assert "\n" not in str(broken.value)
