"""The suite is tested: each single break of our own server is found, by a finding that names the right clause.

Without SANDBOX_ALL_MUTANTS only one of the mutants is run, as test_conform_cli.py has the unbroken server; with it
all of them, and the unbroken server with twenty seeds: about six minutes of work on one core. Over all cores:

    SANDBOX_ALL_MUTANTS=1 pytest tests/conformance/test_mutants.py -n 2 --dist load

`python -m tests.conformance.mutant_table` makes a whole quick run on each, and writes tests/conformance/mutants.md.
"""

from __future__ import annotations

import os

import pytest

from sandbox import create_app
from sandbox.conformance.checks import all_checks
from tests.conformance.mutants import all_mutants, runs
from tests.conformance.mutants.seams import Mutant

pytestmark = pytest.mark.fuzz

ALL = bool(os.environ.get("SANDBOX_ALL_MUTANTS"))
MUTANTS = all_mutants()

# What no schema can say.
ONE = "deleted lives on"
RUN = [mutant for mutant in MUTANTS if ALL or mutant.name == ONE]


@pytest.mark.parametrize("mutant", RUN, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_quick_run_finds_the_break_and_names_its_clause(mutant: Mutant) -> None:
    """A quick run is the fuzz phase, which takes most of its time, and every check: what these find alone it finds."""
    result = runs.run_on_mutant(mutant, *runs.CHECKS_ALONE)
    if not result.rules(mutant.clauses):
        result = runs.run_on_mutant(mutant)
    assert result.rules(mutant.clauses), f"expected one of {mutant.clauses}, found {result.found}\n{result.said}"
    assert result.code == 1


if ALL:

    @pytest.mark.parametrize("seed", range(1, 21))
    def test_nothing_is_found_where_nothing_is_broken(seed: int) -> None:
        result = runs.run_conform(create_app(), "--seed", str(seed))
        assert result.found == ()
        assert result.code == 0


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 200
    assert len(RUN) == (len(MUTANTS) if ALL else 1)


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)


def test_every_schema_and_the_clause_of_every_check_is_broken_by_some_mutant() -> None:
    clauses = {clause for mutant in MUTANTS for clause in mutant.clauses}
    assert {f"3.{number}" for number in range(1, 17)} <= clauses
    assert [check.id for check in all_checks() if check.clause not in clauses] == []
