"""Our own server keeps its contract: schemathesis finds nothing in any phase, and has been everywhere.

What it sends hangs on the seed: that the same one sends the same in all phases is held by `test_conform_cli.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis.internal.conjecture.providers import HypothesisProvider

from sandbox.conformance.fuzz import Coverage, FuzzPlan, fuzz
from sandbox.conformance.isolation import no_process_literals
from sandbox.contract import load
from tests.conformance.breaks import nothing
from tests.conformance.plans import fuzzed
from tests.conformance.wire import Answer, Ask, Request
from tests.support.constants import KEY, NOW
from tests.support.processes import serving
from tests.support.requirements import examples

pytestmark = pytest.mark.fuzz

CREATE, LIST = "apps_api_create_conversation", "apps_api_list_conversations"
METRICS = "apps_api_get_app_metrics"
Sent = list[tuple[str, str, str, bytes]]


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """What comes of the whole run, every phase and every check, against our own server in a process of its own.

    It is quiet: nobody reads its output meanwhile, and a line a request would fill the pipe.
    """
    with serving("--now", str(NOW), "--quiet") as server:
        return fuzz(
            load(),
            FuzzPlan(base_url=f"{server.url}/v1", app_id="app_fuzzed", key=KEY, max_examples=examples(20, quick=8)),
        )


@pytest.mark.clause("4.10", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "3.2", "3.15", "5.7")
def test_nothing_is_found(coverage: Coverage) -> None:
    assert coverage.findings == ()


def test_nothing_keeps_the_engine_from_its_work(coverage: Coverage) -> None:
    assert coverage.errors == ()


def test_every_operation_has_succeeded(coverage: Coverage) -> None:
    assert set(coverage.statuses) == {operation.id for operation in load().operations}
    assert coverage.never_succeeded == ()


def test_every_link_has_been_walked(coverage: Coverage) -> None:
    assert len(coverage.links) > 20
    assert coverage.uncovered_links == ()


def test_the_wrapper_of_the_broken_servers_breaks_nothing_itself() -> None:
    """Where `test_goes_red.py` takes a finding for one of the break's."""
    assert fuzzed(nothing, "examples").findings == ()
    assert fuzzed(nothing, "coverage", of={METRICS, LIST}).findings == ()


def test_another_seed_sends_others() -> None:
    assert sent("fuzzing", seed=7) != sent("fuzzing", seed=8)


def test_no_literal_of_this_process_is_sent() -> None:
    """Literals of our own modules are among them: `[[cut]]` and `[[slow]]` would make a good answer look bad."""
    with no_process_literals():
        assert list(HypothesisProvider(None)._local_constants) == []


def test_no_proxy_and_no_password_of_the_environment_comes_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password secret\n", encoding="utf-8")
    for name, value in (("http_proxy", "http://127.0.0.1:1"), ("no_proxy", ""), ("NETRC", str(tmp_path / "netrc"))):
        monkeypatch.setenv(name, value)
    coverage = fuzzed(nothing, "examples", of={CREATE})
    assert coverage.errors == ()
    assert 200 in coverage.statuses[CREATE]


def sent(*phases: str, seed: int) -> Sent:
    """Return what a small run sends, apart from the headers that name a request."""
    seen: Sent = []

    async def overhearing(request: Request, ask: Ask) -> Answer:
        seen.append((request.method, request.path, request.query, request.body))
        return await ask(request)

    fuzzed(overhearing, *phases, of={CREATE}, seed=seed, max_examples=3)
    return seen
