"""The guide is followed to the letter: its tests run with its fixture, and its report is what pytest really shows.

The snippets of other languages run with those of all pages (tests/docs/test_examples.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pytest_dimedove import FaultKind
from tests.docs.pages import Block, blocks
from tests.examples.actions import read_yaml
from tests.plugin.running import run_in
from tests.support.constants import ROOT

GUIDE = ROOT / "docs" / "testing-an-sdk.md"
BLOCKS = blocks(GUIDE)
_, *TESTS = [block for block in BLOCKS if block.language == "python"]


def only(language: str) -> Block:
    [block] = [block for block in BLOCKS if block.language == language]
    return block


def test_the_tests_of_the_guide_pass(sdk: Path) -> None:
    ran = run_in(sdk, "\n".join(block.text for block in TESTS))
    assert "failed" not in ran.counts(), ran.output
    assert ran.counts()["passed"] >= len(TESTS)


def test_the_test_of_the_readme_passes(sdk: Path) -> None:
    [block] = [block for block in blocks(ROOT / "README.md") if block.language == "python"]
    (sdk / "conftest.py").unlink()
    assert run_in(sdk, block.text).counts() == {"passed": 1}


def test_the_report_is_what_pytest_shows(sdk: Path) -> None:
    client = (sdk / "my_sdk.py").read_text(encoding="utf-8")
    (sdk / "my_sdk.py").write_text(client.replace('"title": title', '"titel": title'), encoding="utf-8")
    ran = run_in(sdk, next(block.text for block in TESTS if "test_the_title_arrives" in block.text))
    pattern = ".*?".join(re.escape(part) for part in only("text").text.strip().split("…"))
    assert re.search(pattern, ran.output, re.DOTALL), ran.output


def test_every_kind_of_fault_has_its_row() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("| kind |")[2].partition("```")[0]
    named = {
        word for row in table.splitlines() for word in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert named == set(get_args(FaultKind))


def test_the_workflow_uses_what_the_action_gives() -> None:
    workflow, action = only("yaml").text, read_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
    [step] = [step for step in read_yaml(workflow)["steps"] if step.get("id") == "sandbox"]
    assert set(step.get("with", {})) <= set(action["inputs"])
    assert set(re.findall(r"steps\.sandbox\.outputs\.([\w-]+)", workflow)) <= set(action["outputs"])
