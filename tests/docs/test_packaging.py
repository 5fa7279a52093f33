"""What is published: the wheel, built from the sdist as anybody would, works in a place that knows no clone."""

from __future__ import annotations

import json
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from tests.support.constants import ROOT
from tests.support.environments import Started, clone, environ, environment, run, starting
from tests.support.requirements import requires_packages

SCHEMAS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "schemas").rglob("*.json"))
PACKAGES = {"sandbox", "pytest_dimedove"}
MODULES = sorted(path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
MARKS = {f"{name}/py.typed" for name in PACKAGES}  # type checkers read no package without


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    requires_packages()
    place = tmp_path_factory.mktemp("published")
    programs = environment(place / "build")
    run([str(programs / "pip"), "install", "-q", "build", "hatchling"], cwd=place)
    # The sdist from the clone, the wheel from the sdist.
    build = [str(programs / "python"), "-m", "build", "--no-isolation", "--outdir", str(place / "dist")]
    run([*build, str(clone(place / "clone"))], cwd=place)
    return place / "dist"


@pytest.fixture(scope="module")
def installed(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; returns its programs.

    The dependencies are those of this run. That the wheel asks for all of them, test_dockerfile.py sees.
    """
    programs = environment(tmp_path_factory.mktemp("elsewhere") / "venv", pip=False)
    [wheel] = published.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    run([*pip, "install", "-q", "--no-deps", str(wheel)], cwd=programs)
    [packages] = programs.parent.glob("lib/python*/site-packages")
    # A line of such a file is a path, searched last; the one in it that leads to the clone is not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return programs


@pytest.fixture(scope="module")
def elsewhere(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The installed command, serving in an empty folder."""
    command = [str(installed / "dimedove-sandbox"), "serve", "--port", "0"]
    with starting(command, cwd=tmp_path_factory.mktemp("empty"), env=environ()) as running:
        yield running


def test_the_wheel_holds_every_module_and_every_schema(published: Path) -> None:
    [wheel] = published.glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    assert {*MODULES, *MARKS, *(f"sandbox/{name}" for name in SCHEMAS)} <= names


def test_the_wheel_holds_nothing_beside_the_packages(published: Path) -> None:
    [wheel] = published.glob("*.whl")
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_the_sdist_brings_the_documents(published: Path) -> None:
    [sdist] = published.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    pages = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "LICENSE", "docs/contract.md"}
    assert pages <= members


def test_the_installed_sandbox_serves_the_whole_contract(elsewhere: Started) -> None:
    with urlopen(f"{elsewhere.url}/openapi.json") as answer:  # noqa: S310 - our own server
        assert len(json.load(answer)["paths"]) == 6


def test_the_installed_sandbox_serves_every_schema(elsewhere: Started) -> None:
    served = {}
    for name in SCHEMAS:
        with urlopen(f"{elsewhere.url}/{name}") as answer:  # noqa: S310 - our own server
            served[name] = answer.read()
    assert [name for name in SCHEMAS if served[name] != (ROOT / name).read_bytes()] == []


def test_the_schemas_are_found_inside_the_installed_package(installed: Path, tmp_path: Path) -> None:
    program = "from sandbox.contract.document import control_folder as folder; print(folder())"
    folder = run([str(installed / "python"), "-c", program], cwd=tmp_path)
    assert Path(folder.strip()).is_relative_to(installed.parent)
