"""The verdict on a client: `dimedove_app.verdict()`, and the marker that fails a test on it."""

from __future__ import annotations

import re
from itertools import takewhile

import pytest

from pytest_dimedove import DimedoveApp
from tests.plugin.client import Client
from tests.plugin.running import Ran, RunTests

TEST = """
import pytest
from contextlib import closing
from tests.plugin.client import Client

@pytest.mark.dimedove_verdict{arguments}
def test_it(dimedove_app):
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


@pytest.mark.parametrize(("arguments", "does", "passes"), MARKED)
def test_a_marked_test_passes_with_a_client_that_does(
    run_tests: RunTests, arguments: str, does: str, passes: bool
) -> None:
    ran = run_tests(TEST.format(arguments=arguments, does=does), "--strict-markers")
    assert ran.counts() == {"passed" if passes else "failed": 1}, ran.said


def said(ran: Ran) -> list[str]:
    """Return the lines of the failure."""
    lines = ran.said.splitlines()
    start = next(number for number, line in enumerate(lines) if re.fullmatch("_+ test_it _+", line))
    # What pytest says of its traceback comes last, in its newer versions.
    shown = takewhile(lambda line: not re.match("-----|All traceback entries", line), lines[start + 1 :])
    return [line.strip() for line in shown]


def test_the_failure_names_the_rule_the_requests_and_what_to_do(run_tests: RunTests) -> None:
    lines = said(run_tests(TEST.format(arguments="", does=REPEATS)))
    assert re.fullmatch(r"the client of app_test_it_\w+ did not behave well:", lines[0])
    assert lines[1:] == [
        "repeated_post: POST …/conversations: sent again blindly after its answer was lost",
        "POST   …/conversations  503  fault after",
        "POST   …/conversations  200",
        "Read the list or the conversation first: the work may be done, and again makes a double.",
    ]


def test_the_report_shows_what_was_sent_as_for_any_failure(run_tests: RunTests) -> None:
    ran = run_tests(TEST.format(arguments="", does=MISSPELLS))
    assert "    unknown field `titel` (did you mean `title`?)" in ran.section(r"Dimedove requests of app_test_it_\w+")


def test_many_requests_are_named_in_part(run_tests: RunTests) -> None:
    lines = said(run_tests(TEST.format(arguments="", does="[client.create(titel=n) for n in range(9)]")))
    assert (len(lines), lines[-2]) == (2 + 5 + 2, "and 4 more")


def test_a_test_that_fails_by_itself_says_that(run_tests: RunTests) -> None:
    ran = run_tests(TEST.format(arguments="", does=f"{MISSPELLS}; assert client is None"))
    assert "did not behave well" not in ran.said
    assert ran.counts() == {"failed": 1}


def test_a_rule_that_there_is_not_is_named(run_tests: RunTests) -> None:
    ran = run_tests(TEST.format(arguments="(ignore=['unknown_fields'])", does="pass"))
    assert said(ran) == ["dimedove_verdict: there is no rule unknown_fields"]


def test_a_marked_test_has_a_client_to_judge(run_tests: RunTests) -> None:
    ran = run_tests("import pytest\n@pytest.mark.dimedove_verdict\ndef test_it(): pass")
    assert "this test has no dimedove_app" in ran.said
    assert ran.counts() == {"failed": 1}
