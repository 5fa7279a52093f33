"""docs/dependencies.md names each dependency of pyproject.toml once, with its reason."""

from __future__ import annotations

import re
import tomllib

from tests.docs.pages import read
from tests.support.constants import ROOT

ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \|$", re.MULTILINE)


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


def test_each_dependency_is_named_once() -> None:
    assert sorted(name for name, _ in ROW.findall(read("docs/dependencies.md"))) == sorted(required())


def test_each_has_its_reason() -> None:
    assert min(len(reason.split()) for _, reason in ROW.findall(read("docs/dependencies.md"))) >= 3
