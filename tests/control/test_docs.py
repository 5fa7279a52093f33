"""docs/control.md has every call, field, fault kind and event of `schemas/control/`, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.server.faults import REPLACING_FAULTS
from tests.support.constants import ROOT

PAGE = (ROOT / "docs/control.md").read_text(encoding="utf-8")
CONTRACT = load(control_folder())
METHODS = ("get", "post", "put", "patch", "delete")

Row = tuple[str, ...]


def schema(name: str) -> dict[str, Any]:
    return json.loads((control_folder() / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def sentence(text: str) -> str:
    """Return a description as it stands in a table."""
    return (text[:1].lower() + text[1:]).rstrip(".").replace("|", "\\|")


def calls() -> Iterator[Row]:
    for path, item in CONTRACT.bundle["paths"].items():
        for method in METHODS:
            if method in item:
                success = next(status for status in item[method]["responses"] if status.startswith("2"))
                yield f"`{method.upper()} {CONTRACT.base}{path}`", success, sentence(item[method]["summary"])


def fields(name: str) -> Iterator[Row]:
    """Return a row for each property of a schema, and whether it must be there."""
    document = schema(name)
    for field, part in document["properties"].items():
        must = "yes" if field in document.get("required", ()) else shown(part.get("default"))
        yield f"`{field}`", must, sentence(part["description"])


def kinds() -> Iterator[Row]:
    """Return a row for each kind of fault: its own fields (those that must be there in bold), whether work is done."""
    common = {"operation", "kind", "times", "skip", "probability"}
    for each in schema("fault")["allOf"]:
        kind, then = each["if"]["properties"]["kind"]["const"], each["then"]
        own = [name for name in then["properties"] if name not in common]
        named = [f"**`{name}`**" if name in then.get("required", ()) else f"`{name}`" for name in own]
        yield f"`{kind}`", ", ".join(named) or "–", "no" if kind in REPLACING_FAULTS else "yes"


def events() -> Iterator[Row]:
    for each in sorted(schema("live-event")["oneOf"], key=lambda each: each["properties"]["event"]["const"]):
        yield f"`{each['properties']['event']['const']}`", sentence(each["description"])


def items() -> Iterator[Row]:
    for each in schema("scripted-item")["allOf"]:
        kind, then = each["if"]["properties"]["type"]["const"], each["then"]
        own = [name for name in then["properties"] if name != "type"]
        yield f"`{kind}`", ", ".join(f"**`{n}`**" if n in then["required"] else f"`{n}`" for n in own)


def shown(value: Any) -> str:
    return "–" if value is None else f"`{json.dumps(value)}`"


# Each heading whose table is the contract's, and its rows.
TABLES: Mapping[str, Sequence[Row]] = {
    "Every call": list(calls()),
    "Fields of a fault": list(fields("fault")),
    "Fields of a reply": list(fields("scripted-reply")),
    "What a reply can say": list(items()),
    "Fields of an entry": [(row[0], row[2]) for row in fields("request-entry")],
    "Fields of a question": list(fields("verify-request")),
    "Fields of a verdict": [(row[0], row[2]) for row in fields("verdict")],
    "Fields of a finding": [(row[0], row[2]) for row in fields("verdict-finding")],
    "Events": list(events()),
}


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_is_what_the_contract_says(heading: str) -> None:
    assert table_below(heading) == [f"| {' | '.join(row)} |" for row in TABLES[heading]]


def test_every_kind_of_fault_has_its_row() -> None:
    cells = [row.strip("| ").split(" | ") for row in table_below("Kinds")]
    assert [(row[0], row[1], row[2]) for row in cells] == list(kinds())
    assert all(len(row[3]) > 20 for row in cells)


@pytest.mark.parametrize(
    "name", ["fault", "app-settings-patch", "scripted-reply", "verify-request", "populate-request"]
)
def test_every_example_of_the_contract_can_be_asked_for(name: str) -> None:
    """What the contract shows as an example keeps it."""
    title = schema(name)["title"]
    assert all(CONTRACT.schema(title).is_valid(example) for example in schema(name)["examples"])


def test_every_status_of_an_error_is_explained() -> None:
    statuses = {
        status
        for item in CONTRACT.bundle["paths"].values()
        for method in METHODS
        if method in item
        for status in item[method]["responses"]
        if not status.startswith("2")
    }
    assert {row.split("|")[1].strip() for row in table_below("Errors")} == statuses


def table_below(heading: str) -> list[str]:
    """Return the rows of the first table below a heading, its head left out."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/control.md has no heading {heading!r}"
    rows = [line for line in found[1].splitlines() if line.startswith("|")]
    assert rows[1].startswith("| ---"), f"no table below {heading!r}"
    return rows[2:]
