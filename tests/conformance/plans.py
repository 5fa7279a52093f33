"""The runs that the tests of the fuzzer make: small ones, against servers of this process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sandbox import Settings, create_app
from sandbox.conformance.fuzz import Coverage, FuzzPlan, fuzz
from sandbox.conformance.fuzz_schema import without_operations
from sandbox.contract import load
from tests.conformance.breaks import Break, broken
from tests.support.constants import KEY, NOW
from tests.support.running import running


def fuzzed(by: Break, *phases: str, of: Collection[str] = (), **changes: Any) -> Coverage:
    """Run some phases against a fresh server that is broken in one way: over all operations, or those on some paths."""
    contract = load()
    paths = {operation.path for operation in contract.operations if operation.id in of}
    others = {operation.id for operation in contract.operations if of and operation.path not in paths}
    with running(broken(create_app(Settings(now=NOW)), by)) as origin:
        plan = FuzzPlan(base_url=f"{origin}/v1", app_id="app_x", key=KEY, phases=phases, extra_runs=0)
        return fuzz(without_operations(contract, others), replace(plan, **changes))
