"""Each clause of docs/contract.md is held by a test that names it, and no test names a clause that is not there."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.docs.marks import clauses_named
from tests.docs.pages import prose, read
from tests.support.constants import ROOT

# Each clause has an anchor and says its number again in bold, at the head of a paragraph or of a row.
ANCHOR = re.compile(r'<a id="([0-9]+\.[0-9]+)"></a>\*\*([0-9]+\.[0-9]+)\b')
FOUND = ANCHOR.findall(read("docs/contract.md"))
CLAUSES = [anchor for anchor, _ in FOUND]


@pytest.fixture(scope="module")
def tests_of_clauses(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """The tests of the whole suite by the clause that they name."""
    tests: dict[str, list[str]] = {}
    for clause, test in clauses_named(request.session):
        tests.setdefault(clause, []).append(test)
    return tests


def test_the_clauses_are_numbered_without_a_gap() -> None:
    sections = Counter(int(clause.split(".")[0]) for clause in CLAUSES)
    numbered = [f"{section}.{number}" for section in sections for number in range(1, sections[section] + 1)]
    assert numbered == CLAUSES
    assert sections == {1: 5, 2: 10, 3: 16, 4: 11, 5: 8, 6: 4, 7: 2, 8: 1, 9: 2, 10: 3}


def test_anchor_and_number_of_a_clause_are_the_same() -> None:
    assert [anchor for anchor, number in FOUND if anchor != number] == []


def test_every_clause_has_its_source() -> None:
    parts = re.split(r'<a id="[0-9.]+"></a>', prose(ROOT / "docs/contract.md"))[1:]
    unmarked = [clause for clause, part in zip(CLAUSES, parts, strict=True) if not re.search(r"\[[SVD]\b", part)]
    # These two sections say once for all that they are the sandbox's decision.
    assert [clause for clause in unmarked if clause.split(".")[0] not in ("4", "10")] == []


def test_every_clause_is_held_by_a_test(tests_of_clauses: dict[str, list[str]]) -> None:
    assert [clause for clause in CLAUSES if clause not in tests_of_clauses] == []


def test_no_test_names_a_clause_that_is_not_there(tests_of_clauses: dict[str, list[str]]) -> None:
    unknown = {clause: tests for clause, tests in tests_of_clauses.items() if clause not in CLAUSES}
    assert unknown == {}
