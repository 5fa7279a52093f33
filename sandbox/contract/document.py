"""Loads `schemas/` and bundles it into one OpenAPI document."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from posixpath import normpath
from typing import Any

import orjson

from sandbox.contract.operations import Operation, read_operations
from sandbox.contract.publishing import publish
from sandbox.contract.validation import Validator
from sandbox.errors import ContractError

ROOT = "openapi.json"

# A placeholder for the server's address, which a request brings.
_ADDRESS = "<address>"

# A reference to another file, as it stands in the text.
_FILE = re.compile(rb'"\$ref"\s*:\s*"([^"#][^"]*)"')


@dataclass(frozen=True)
class Contract:
    """Everything in one folder of schemas: the files as they are, the bundled document, the operations."""

    files: Mapping[str, bytes]
    bundle: Mapping[str, Any]

    def document(self, version: str, origin: str = "") -> bytes:
        """Return the document that is served, for OpenAPI `3.1.0` or `3.2.0`, with the server at `origin`."""
        if version not in self._published:
            self._published[version] = self._split_at_address(version)
        before, after = self._published[version]
        return before + orjson.dumps(origin + self.base) + after

    @cached_property
    def _published(self) -> dict[str, tuple[bytes, bytes]]:
        return {}

    def _split_at_address(self, version: str) -> tuple[bytes, bytes]:
        """Return the document as it is served, cut in two at the server's address."""
        document = publish(self.bundle, version)
        document["servers"] = [{**document["servers"][0], "url": _ADDRESS}]
        before, _, after = orjson.dumps(document, option=orjson.OPT_INDENT_2).partition(orjson.dumps(_ADDRESS))
        return before, after

    @property
    def base(self) -> str:
        """The path under which all operations stand."""
        return str(self.bundle["servers"][0]["url"]).rstrip("/")

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the document's order."""
        return read_operations(self.bundle, self.base)

    def operation(self, operation_id: str | None) -> Operation | None:
        """Return the operation of this id, if there is one."""
        return next((operation for operation in self.operations if operation.id == operation_id), None)

    @cached_property
    def webhooks(self) -> Mapping[str, Validator]:
        """The validator of each webhook's body, by its type."""
        posted = {kind: item["post"]["requestBody"] for kind, item in self.bundle.get("webhooks", {}).items()}
        return {
            kind: Validator(body["content"]["application/json"]["schema"], self.bundle["components"])
            for kind, body in posted.items()
        }

    def with_validation_status(self, status: int) -> Contract:
        """Return the contract of a server that answers this status where the document says 422 (docs/contract.md 4)."""
        if status == 422:
            return self
        paths = {
            path: {name: _with_status(part, status) for name, part in item.items()}
            for path, item in self.bundle["paths"].items()
        }
        return Contract(self.files, {**self.bundle, "paths": paths})

    def schema(self, title: str) -> Validator:
        """Return the validator of a named schema."""
        return Validator({"$ref": f"#/components/schemas/{title}"}, self.bundle["components"])


def load(folder: Path | None = None) -> Contract:
    """Read the contract in `folder`; by default the one that the package ships.

    Raises:
        ContractError: a file is missing, is not JSON or refers to a missing one.
    """
    return _load(folder or _schemas_folder())


@cache
def _load(folder: Path) -> Contract:
    # Read once a process: a contract never changes, and every server in the process may share it.
    # The control API's contract, in the folder of the Apps API's, is another one.
    names = [name for name in list_files(folder, without="control") if name.endswith(".json")]
    files = {name: (folder / name).read_bytes() for name in names}
    if ROOT not in files:
        raise ContractError(f"no contract: {folder / ROOT} is missing")
    contract = Contract(files, _bundle(files, folder))
    try:
        contract.operations  # noqa: B018 - read now, so that a contract that can't be used is refused here
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ContractError(f"{folder / ROOT}: not an OpenAPI document that can be served: {error!r}") from None
    return contract


def control_folder() -> Path:
    """Return the folder of the control API's contract."""
    return _schemas_folder() / "control"


def _schemas_folder() -> Path:
    """Return `schemas/`: inside the package in a wheel, beside it in a clone."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ContractError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ContractError(f"{path}: expected a JSON object")
    return document


def _bundle(files: Mapping[str, bytes], folder: Path) -> dict[str, Any]:
    """Move each file to `components/schemas/<title>` and turn references to files into references inside."""
    titles: dict[str, str] = {}
    for name, raw in files.items():
        title = _parse(folder / name, raw).get("title") if name != ROOT else ""
        if not isinstance(title, str) or title in titles.values():
            raise ContractError(f"{folder / name}: needs a title of its own")
        titles[name] = title

    def inside(home: str) -> dict[str, Any]:
        # In the text: walking through every value of every file would take most of the start.
        return _parse(folder / home, _FILE.sub(lambda found: target(found[1].decode(), home), files[home]))

    def target(reference: str, home: str) -> bytes:
        name = normpath(f"{home}/../{reference}")
        if not titles.get(name):
            raise ContractError(f"{folder / home}: refers to {reference}, which is not there")
        return b'"$ref":' + orjson.dumps(f"#/components/schemas/{titles[name]}")

    root = inside(ROOT)
    schemas: dict[str, Any] = {}
    for name, title in sorted(titles.items(), key=itemgetter(1)):
        if name != ROOT:
            schemas[title] = {key: value for key, value in inside(name).items() if key not in ("$id", "$schema")}
    components = root.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **schemas}
    return root


def _with_status(part: Any, status: int) -> Any:
    """Return an operation with another status in place of 422; anything else as it is."""
    if not isinstance(part, dict) or "responses" not in part:
        return part
    responses = {str(status) if known == "422" else known: answer for known, answer in part["responses"].items()}
    return {**part, "responses": responses}


def list_files(folder: Path, *, without: str | None = None) -> list[str]:
    """List the files in a folder and below it, by their paths in it, with slashes and in order; not those in `without`.

    `pathlib` would take a fiftieth of the start to walk two folders.
    """
    paths: list[str] = []
    for place, folders, names in os.walk(folder):
        inside = place[len(str(folder)) + 1 :].replace(os.sep, "/")
        paths += (f"{inside}/{name}" if inside else name for name in names)
        folders[:] = [name for name in folders if name != without]
    return sorted(paths)
