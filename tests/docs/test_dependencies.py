"""docs/dependencies.md names each dependency of pyproject.toml and of the package for Node once, with its reason."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from tests.docs.pages import read
from tests.support.constants import ROOT

ROW = re.compile(r"^\| `([@a-z0-9/-]+)` \| (.+) \|$", re.MULTILINE)


def required() -> list[str]:
    """Return the names of all packages that pyproject.toml asks for, our own extras left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    texts = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(text for extra in extras for text in extra),
    ]
    names = [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in texts]
    return [name for name in names if name != project["project"]["name"]]


def required_by_node() -> set[str]:
    """Return the names of all packages that a package.json asks for, our own left out."""
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in manifests_of_node()]
    groups = [manifest.get(group, {}) for manifest in manifests for group in ("dependencies", "devDependencies")]
    return {name for group in groups for name in group} - {manifest.get("name") for manifest in manifests}


def manifests_of_node() -> list[Path]:
    places = ("packages/*/package.json", "examples/package.json", "examples/*/package.json")
    return sorted(path for place in places for path in ROOT.glob(place))


def test_each_dependency_is_named_once() -> None:
    named = sorted(name for name, _ in ROW.findall(read("docs/dependencies.md")))
    assert named == sorted([*required(), *required_by_node()])


def test_packages_of_npm_are_pinned_without_a_lock_file() -> None:
    """A lock file would hold the addresses of whoever made it."""
    loose = [
        f"{path.parent.name}: {name} {version}"
        for path in manifests_of_node()
        for name, version in json.loads(path.read_text(encoding="utf-8")).get("devDependencies", {}).items()
        if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+|file:.*", version)
    ]
    assert loose == []


def test_each_has_its_reason() -> None:
    assert min(len(reason.split()) for _, reason in ROW.findall(read("docs/dependencies.md"))) >= 3
