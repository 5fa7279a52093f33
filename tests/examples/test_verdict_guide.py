"""The guide to the verdict: its tests run with the fixture of the other guide, a bad client fails as it shows.

Its commands run with those of all pages (tests/docs/test_examples.py).
"""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.control.verdict.rules import RULES
from tests.docs.pages import blocks
from tests.plugin.running import run_in
from tests.support.constants import ROOT

GUIDE = ROOT / "docs" / "verdict.md"
(TESTS,) = (block.text for block in blocks(GUIDE) if block.language == "python")
FAILURE = next(block.text for block in blocks(GUIDE) if block.text.startswith("the client of"))


def test_the_tests_of_the_guide_pass(sdk: Path) -> None:
    ran = run_in(sdk, TESTS, "--strict-markers")
    assert ran.counts() == {"passed": TESTS.count("def test_")}, ran.output


def test_a_client_that_repeats_blindly_fails_as_the_guide_shows(sdk: Path) -> None:
    client = (sdk / "my_sdk.py").read_text(encoding="utf-8")
    (sdk / "my_sdk.py").write_text(client.replace("(found := recover())", "(found := None)"), encoding="utf-8")
    ran = run_in(sdk, TESTS, "-k", "test_a_lost_answer_makes_no_double")
    pattern = ".*?".join(re.escape(part) for part in FAILURE.strip().split("…"))
    assert re.search(pattern, ran.output), ran.output


def test_every_rule_has_its_row() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("| rule |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [rule.name for rule in RULES]
