"""The verdict on a client: `dimedove_app.verdict()`, and the marker that fails a test on it."""

from __future__ import annotations

import re

import pytest

from pytest_dimedove import DimedoveApp
from tests.plugin.client import Client
from tests.plugin.running import Ran, run_in

BEGINS = """
import pytest
from contextlib import closing
from tests.plugin.client import Client
"""
TEST = """
@pytest.mark.dimedove_verdict{arguments}
def test_{name}(dimedove_app):
    with closing(Client(dimedove_app)) as client:
        {does}
"""
MISSPELLS = "client.create(titel='x')"
REPEATS = "dimedove_app.fault('after', status=503); client.create(title='Once'); client.create(title='Once')"


def test_a_verdict_has_findings(app: DimedoveApp, client: Client) -> None:
    client.create(titel="x")
    verdict = app.verdict()
    assert (verdict["passed"], verdict["requests"], verdict["evicted"]) == (False, 1, 0)
    (finding,) = verdict["findings"]
    assert (finding["rule"], finding["requests"]) == ("unknown_field", [app.requests()[0]["id"]])


def test_a_good_client_passes(app: DimedoveApp, client: Client) -> None:
    client.create(title="x")
    assert app.verdict()["passed"] is True


# Each row: the marker's arguments, what the test does, and whether it passes.
MARKED = [
    ("", "client.create(title='x')", True),
    ("", "pass", True),
    ("", MISSPELLS, False),
    ("", REPEATS, False),
    ("(ignore=['unknown_field'])", MISSPELLS, True),
    ("(ignore=['unknown_field'])", REPEATS, False),
    ("(ignore={'unknown_field', 'repeated_post'})", f"{MISSPELLS}; {REPEATS}", True),
]


# What else a marked test does whose report is looked at, by the test's name.
OTHERS = {
    "repeats": ("", REPEATS),
    "misspells": ("", MISSPELLS),
    "misspells_often": ("", "[client.create(titel=n) for n in range(9)]"),
    "fails_by_itself": ("", f"{MISSPELLS}; assert client is None"),
    "ignores_no_rule": ("(ignore=['unknown_fields'])", "pass"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run of all of them, and of a test that has no app."""
    rows = {**{f"row_{number}": row[:2] for number, row in enumerate(MARKED)}, **OTHERS}
    tests = [TEST.format(name=name, arguments=arguments, does=does) for name, (arguments, does) in rows.items()]
    tests += ["@pytest.mark.dimedove_verdict\ndef test_without_an_app(): pass"]
    return run_in(tmp_path_factory.mktemp("marked"), BEGINS + "".join(tests), "--strict-markers")


@pytest.mark.parametrize("number", range(len(MARKED)), ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in MARKED])
def test_a_marked_test_passes_with_a_client_that_does(ran: Ran, number: int) -> None:
    outcome = "PASSED" if MARKED[number][2] else "FAILED"
    assert re.search(rf"^{outcome} test_inner.py::test_row_{number}\b", ran.output, re.MULTILINE), ran.output


def test_the_failure_names_the_rule_the_requests_and_what_to_do(ran: Ran) -> None:
    lines = ran.failure("repeats")
    assert re.fullmatch(r"the client of app_test_repeats_\w+ did not behave well:", lines[0])
    assert lines[1:] == [
        "repeated_post: POST …/conversations: sent again blindly after its answer was lost",
        "POST   …/conversations  503  fault after",
        "POST   …/conversations  200",
        "Read the list or the conversation first: the work may be done, and again makes a double.",
    ]


def test_the_report_shows_what_was_sent_as_for_any_failure(ran: Ran) -> None:
    section = ran.section(r"Dimedove requests of app_test_misspells_\w{8}")
    assert "    unknown field `titel` (did you mean `title`?)" in section


def test_many_requests_are_named_in_part(ran: Ran) -> None:
    lines = ran.failure("misspells_often")
    assert (len(lines), lines[-2]) == (2 + 5 + 2, "and 4 more")


def test_a_test_that_fails_by_itself_says_that(ran: Ran) -> None:
    lines = ran.failure("fails_by_itself")
    assert [line for line in lines if line.startswith("E ") and line.endswith("is None")]
    assert [line for line in lines if "did not behave well" in line] == []


def test_a_rule_that_there_is_not_is_named(ran: Ran) -> None:
    assert ran.failure("ignores_no_rule") == ["dimedove_verdict: unknown rule unknown_fields"]


def test_a_marked_test_has_a_client_to_judge(ran: Ran) -> None:
    assert ran.failure("without_an_app") == [
        "dimedove_verdict: this test does not use the fixture dimedove_app",
    ]
