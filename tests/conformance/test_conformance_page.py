"""docs/conformance.md: what its workflows run works, its files are read, its tables are whole.

Its shell blocks run with those of all pages (tests/docs/test_examples.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cli.conform import OPTIONS
from sandbox.conformance.baseline import parse_baseline
from sandbox.conformance.checks import all_checks
from sandbox.options import flag, read_file
from tests.conformance.conform_runs import conform
from tests.docs.pages import ADDRESS, blocks, read
from tests.support.constants import ROOT
from tests.support.processes import serving
from tests.support.requirements import DEMANDS_ALL

pytestmark = pytest.mark.fuzz

PAGE = "docs/conformance.md"
EXAMPLES = ROOT / "examples/conformance"
WORKFLOWS = [block for block in blocks(ROOT / PAGE) if block.language == "yaml"]
# The lines that check; the others install, and start what isn't ours.
COMMANDS = [
    found for block in WORKFLOWS for found in re.findall(r"(?:run: |- )(dimedove-sandbox conform .*)", block.text)
]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A real server, as a workflow starts one."""
    with serving("--quiet") as server:
        yield server.url


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_workflow_runs_checks_and_leaves_its_report(command: str, origin: str, tmp_path: Path) -> None:
    """Here they make some checks, in `.ci/run` all: test_conform_cli.py has a whole run."""
    (tmp_path / "baseline.toml").write_bytes((EXAMPLES / "baseline.toml").read_bytes())
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    line = command.replace(ADDRESS, origin).replace("dimedove-sandbox", f"{sys.executable} -m sandbox")
    line += "" if DEMANDS_ALL else " --check APP"
    done = subprocess.run(  # noqa: S603 - a line of ours
        ["/bin/sh", "-euc", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ElementTree.parse(tmp_path / "conform.xml").getroot().tag == "testsuites"  # noqa: S314 - our own


def test_both_workflows_check() -> None:
    assert len(WORKFLOWS) == len(COMMANDS) == 2


def test_every_option_has_its_row() -> None:
    page = read(PAGE)
    options = [name for name in OPTIONS if name != "url"]
    assert [name for name in options if not re.search(rf"(?m)^\| [^|]*`{flag(name)}`", page)] == []


def test_the_example_of_a_baseline_is_one() -> None:
    path = EXAMPLES / "baseline.toml"
    entries = parse_baseline(read_file(path), path)
    assert {entry.kind for entry in entries} == {"waived", "known"}
    assert {entry.about for entry in entries if entry.kind == "waived"} <= {check.id for check in all_checks()}


def test_the_example_of_a_file_with_options_is_read(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "baseline.toml").write_bytes((EXAMPLES / "baseline.toml").read_bytes())
    text = (EXAMPLES / "conform.toml").read_text(encoding="utf-8").replace(ADDRESS, origin)
    (tmp_path / "conform.toml").write_text(text, encoding="utf-8")
    assert conform(capsys, "--check", "APP-1").code == 0
    assert (tmp_path / "conform.xml").exists()
