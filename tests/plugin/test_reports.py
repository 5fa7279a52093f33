"""What a failing test's report shows: what its client sent, and where the test stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.plugin.running import Ran, run_in

# A test that does this, then fails, shows that. `{app}` is its app id.
CASES: Mapping[str, tuple[str, list[str]]] = {
    "nothing": ("pass", ["no request came"]),
    "requests": (
        "client.send('GET', '/conversations?limit=3'); client.create()",
        ["GET    …/conversations?limit=3  200", "POST   …/conversations  200"],
    ),
    "warnings": (
        "client.create(titel='x')",
        ["POST   …/conversations  200", "    unknown field `titel` (did you mean `title`?)"],
    ),
    "refusals": (
        "client.create(title=5)",
        ["POST   …/conversations  422", "    title: expected string or null, got 5."],
    ),
    "faults": (
        "dimedove_app.fault('after', status=500); client.create()",
        ["POST   …/conversations  500  fault after", "    The sandbox answers 500, as it was asked to."],
    ),
    "no_answer": (
        "dimedove_app.fault('reset'); pytest.raises(OSError, client.send, 'GET', '/config')",
        ["GET    …/config  no answer  fault reset  cut"],
    ),
    "failed": (
        "client.send('POST', '/completions', {'prompt': '[[fail]]'})",
        ["POST   …/completions  200  reply failed"],
    ),
    "strays": (
        "client._path = client._path.removeprefix('/v1'); client.send('GET', '/config')",
        [
            "GET    /apps/{app}/config  404",
            "    No such path; did you mean /v1/apps/{app}/config?",
        ],
    ),
    "many": (
        "[client.send('GET', f'/conversations?limit={n}') for n in range(1, 31)]",
        [f"GET    …/conversations?limit={n}  200" for n in range(11, 31)],
    ),
}


BEGINS = """
import pytest
from contextlib import closing
from tests.plugin.client import Client

@pytest.fixture
def broken(dimedove_app):
    raise RuntimeError("no client today")

def test_broken_fixture(broken): pass

def test_queued(dimedove_app):
    dimedove_app.fault("hang", skip=3)
    dimedove_app.reply("Hi", contains="quote")
    assert 0

def test_passes(dimedove_app): pass
def test_skips(dimedove_app): pytest.skip("not today")
def test_is_known(dimedove_app): pytest.xfail("known")

def test_misspelt_fault(dimedove_app):
    dimedove_app.fault("statsu")

def test_never_sent(dimedove_app):
    dimedove_app.verify("apps_api_send_message")

def test_with_a_log(dimedove, tmp_path_factory):
    with (tmp_path_factory.getbasetemp() / "dimedove0" / "sandbox.log").open("a") as log:
        log.write("the server says something\\n")
    assert 0
"""
TEST = """
def test_{name}(dimedove_app):
    with closing(Client(dimedove_app)) as client:
        {does}
    assert 0
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run in which every case failed, and some tests that did not."""
    tests = [TEST.format(name=name, does=does) for name, (does, _) in CASES.items()]
    ran = run_in(tmp_path_factory.mktemp("failed"), BEGINS + "".join(tests))
    assert ran.counts() == {"failed": len(CASES) + 4, "passed": 1, "error": 1}
    return ran


@pytest.mark.parametrize("name", CASES)
def test_a_failing_test_shows_what_its_client_sent(name: str, failed: Ran) -> None:
    [app] = set(re.findall(rf"Dimedove requests of (app_test_{name}_\w{{8}})", failed.output))
    assert failed.section(f"Dimedove requests of {app}") == [line.replace("{app}", app) for line in CASES[name][1]]


def test_what_was_queued_and_never_used_is_shown(failed: Ran) -> None:
    [nothing, fault, reply] = failed.section(r"Dimedove requests of app_test_queued_\w{8}")
    assert nothing == "no request came"
    assert re.match(r'still waiting, never used: \{"id": "fault_.*"kind": "hang"', fault)
    assert re.match(r'still waiting, never used: \{"id": "reply_.*"contains": "quote"', reply)


def test_a_fixture_that_fails_shows_its_requests_too(failed: Ran) -> None:
    assert failed.section(r"Dimedove requests of app_test_broken_fixture_\w{8}") == ["no request came"]


def test_a_test_that_did_not_fail_shows_nothing(failed: Ran) -> None:
    assert re.findall(r"Dimedove .* of app_test_(?:passes|skips|is_known)", failed.output) == []


def test_a_failure_points_at_the_test_and_not_into_the_plugin(failed: Ran) -> None:
    lines = [*failed.failure("misspelt_fault"), *failed.failure("never_sent")]
    assert [line for line in lines if line.startswith(">")] == [
        '>       dimedove_app.fault("statsu")',
        '>       dimedove_app.verify("apps_api_send_message")',
    ]
    assert "pytest_dimedove/" not in failed.output


def test_what_the_server_wrote_meanwhile_is_shown(failed: Ran) -> None:
    assert failed.section("Dimedove Sandbox log") == ["the server says something"]


def test_unasked_there_is_no_bundle(failed: Ran) -> None:
    assert "Dimedove bundle" not in failed.output
    assert list(failed.folder.glob("**/*.zip")) == []


COVERED = """
from contextlib import closing
import pytest
from tests.plugin.client import Client

@pytest.mark.parametrize("title", ["x", 5, "y", "z"])
def test_one(dimedove_app, title):
    with closing(Client(dimedove_app)) as client:
        client.create(title=title)
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_the_coverage_of_a_run_counts_all_its_workers(tmp_path: Path, workers: tuple[str, ...]) -> None:
    ran = run_in(tmp_path, COVERED, "--dimedove-coverage", *workers)
    lines = ran.output.splitlines()
    assert "4 requests" in lines
    assert any(line.startswith("create_conversation: statuses: 2 of 8; never 401") for line in lines)
    assert any(line.startswith("events: 0 of 10; never response.created, ") for line in lines)
    assert not any("send_message: statuses" in line for line in lines)
    assert "Dimedove coverage" not in run_in(tmp_path, COVERED).output
