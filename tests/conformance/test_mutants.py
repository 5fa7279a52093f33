"""The judge is judged: each single break of our own server is found, by a finding that names the right clause.

Without SANDBOX_ALL_MUTANTS only one of the mutants is judged, as test_conform_cli.py has the unbroken server; with it
all of them, and the unbroken server with twenty seeds: about twenty minutes of work on one core. Over all cores:

    SANDBOX_ALL_MUTANTS=1 pytest tests/conformance/test_mutants.py -n 2 --dist load

`python -m tests.conformance.judge_table` runs all of them too, and writes docs/judge.md.
"""

from __future__ import annotations

import os
from importlib import import_module

import pytest

from sandbox import create_app
from sandbox.conformance.check import Check
from sandbox.conformance.checks import TOPICS
from tests.conformance.mutants import all_mutants, judging
from tests.conformance.mutants.seams import Mutant

pytestmark = pytest.mark.fuzz

ALL = bool(os.environ.get("SANDBOX_ALL_MUTANTS"))
MUTANTS = all_mutants()

# What no schema can say.
ONE = "deleted lives on"
RUN = [mutant for mutant in MUTANTS if ALL or mutant.name == ONE]


@pytest.mark.parametrize("mutant", RUN, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_quick_run_finds_the_break_and_names_its_clause(mutant: Mutant) -> None:
    judged = judging.judge_mutant(mutant)
    assert judged.rules(mutant.clauses), f"expected one of {mutant.clauses}, found {judged.found}\n{judged.said}"
    assert judged.code == 1


if ALL:

    @pytest.mark.parametrize("seed", range(1, 21))
    def test_nothing_is_found_where_nothing_is_broken(seed: int) -> None:
        judged = judging.judged(create_app(), "--seed", str(seed))
        assert judged.found == ()
        assert judged.code == 0


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 200
    assert len(RUN) == (len(MUTANTS) if ALL else 1)


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)


def test_every_schema_is_broken_by_some_mutant() -> None:
    clauses = {clause for mutant in MUTANTS for clause in mutant.clauses}
    assert {f"3.{number}" for number in range(1, 17)} <= clauses


def test_every_topic_of_laws_is_broken_by_some_mutant() -> None:
    """Of each module of laws, some mutant names the clause of at least one law."""
    clauses = {clause for mutant in MUTANTS for clause in mutant.clauses}
    for topic in TOPICS:
        checks = vars(import_module(f"sandbox.conformance.checks.{topic}")).values()
        assert clauses & {check.clause for check in checks if isinstance(check, Check)}, topic
