"""The control API under schemathesis, like the Apps API: it keeps its own contract whatever is asked of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.conformance.fuzz import Coverage, FuzzPlan, fuzz
from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from tests.support.constants import NOW
from tests.support.processes import serving
from tests.support.requirements import examples

pytestmark = [pytest.mark.fuzz, pytest.mark.memory]

CONTROL = load(control_folder())
TOKEN = "fuzzed-control-token"
# A stream that never ends, and what takes as long as it is asked to: `test_events.py` and `test_populate.py` have them.
ENDLESS, LONG = "/events", "/apps/{app_id}/populate"
# A snapshot that keeps its schema may still contradict itself: `test_snapshots.py` puts anything anywhere in one.
SNAPSHOT = "/apps/{app_id}/snapshot"
# A fault that holds nothing is 404, though it is there: `test_faults_released.py` has those that do.
RELEASE = "/apps/{app_id}/faults/{fault_id}/release"


def bounded() -> Contract:
    """Return the contract without what a fuzzer can't judge."""
    bundle: dict[str, Any] = copy.deepcopy(dict(CONTROL.bundle))
    for path in (ENDLESS, LONG, SNAPSHOT, RELEASE):
        del bundle["paths"][path]
    # It would wait for minutes: `test_verify_within.py` has what waits.
    question = bundle["components"]["schemas"]["VerifyRequest"]
    del question["properties"]["within_ms"]
    question["examples"] = [example for example in question["examples"] if "within_ms" not in example]
    del bundle["paths"]["/requests/verify"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    # The config has no agents: any name is refused, which no schema can say.
    del bundle["components"]["schemas"]["AppSettingsPatch"]["properties"]["agent_profile"]
    return Contract(CONTROL.files, bundle)


@pytest.fixture(scope="module")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coverage]:
    """What comes of a run of all phases against a server that asks for a token."""
    data = tmp_path_factory.mktemp("fuzz") / "sandbox.data"
    with serving(
        "--now", str(NOW), "--quiet", "--metrics", "--data", str(data), env={"DIMEDOVE_SANDBOX_CONTROL_TOKEN": TOKEN}
    ) as server:
        plan = FuzzPlan(
            base_url=f"{server.url}/_sandbox",
            app_id="app_fuzzed",
            key=TOKEN,
            max_examples=examples(8, quick=2),
            extra_runs=0,
        )
        yield fuzz(bounded(), plan)


def test_nothing_is_found(coverage: Coverage) -> None:
    assert [(finding.check, finding.operation_id, finding.message, finding.curl) for finding in coverage.findings] == []


def test_nothing_keeps_the_engine_from_its_work(coverage: Coverage) -> None:
    assert coverage.errors == ()


# What needs an id that only an answer of the Apps API brings.
OUT_OF_REACH = {
    *("control_get_request", "control_get_request_curl", "control_export_scenario"),
    *("control_send_webhook", "control_redeliver_webhook"),  # and these a receiver that is set
}


def test_every_operation_has_succeeded(coverage: Coverage) -> None:
    assert set(coverage.statuses) == {operation.id for operation in bounded().operations}
    assert set(coverage.never_succeeded) <= OUT_OF_REACH
