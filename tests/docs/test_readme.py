"""The README: short, and its two commands are the ones that everything stands on."""

from __future__ import annotations

from sandbox import __version__
from tests.docs.pages import blocks, ci_commands, read
from tests.support.constants import ROOT

START = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/dimedove-sandbox serve\n"
TEST = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest\n"


def test_it_can_be_read_in_one_go() -> None:
    assert len(read("README.md").splitlines()) <= 150


def test_it_says_what_the_sandbox_is_not() -> None:
    assert "\n## What it is not\n" in read("README.md")


def test_one_command_starts_and_one_tests() -> None:
    commands = [block.text for block in blocks(ROOT / "README.md") if "-m venv" in block.text]
    assert commands == [START, TEST]


def test_ci_runs_the_test_command_as_it_stands_there() -> None:
    assert TEST.strip() in ci_commands()


def test_contributors_check_what_ci_checks() -> None:
    commands = {line for block in blocks(ROOT / "CONTRIBUTING.md") for line in block.text.splitlines()}
    assert {".venv/bin/ruff check", ".venv/bin/ruff format --check", ".venv/bin/mypy"} <= commands & ci_commands()


def test_the_changelog_starts_with_this_version() -> None:
    versions = [line for line in read("CHANGELOG.md").splitlines() if line.startswith("## ")]
    assert versions[0].startswith(f"## [{__version__}] - ")
