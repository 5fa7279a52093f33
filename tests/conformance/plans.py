"""The runs that the tests of the fuzzer make: small ones, against servers of this process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox import Settings, create_app
from sandbox.conformance.exercise import Exercise
from sandbox.conformance.fuzz import Plan, fuzz
from sandbox.contract import load
from tests.conformance.breaks import Break, broken
from tests.conformance.running import running
from tests.conftest import KEY, NOW


def fuzzed(by: Break, *phases: str, **changes: Any) -> Exercise:
    """Run some phases against a fresh server that is broken in one way."""
    with running(broken(create_app(Settings(now=NOW)), by)) as origin:
        plan = Plan(base_url=f"{origin}/v1", app_id="app_x", key=KEY, phases=phases, detours=0)
        return fuzz(load(), replace(plan, **changes))
