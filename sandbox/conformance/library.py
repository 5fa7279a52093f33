"""The checks as a library: for a test suite that checks its own server, a test a check.

@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_check(check: Check, server: Server) -> None:
    if reason := server.skip_reason(check):
        pytest.skip(reason)
    server.run_check(check)
"""

from __future__ import annotations

from typing import Any

from sandbox.conformance.check import Check
from sandbox.conformance.checks import all_checks
from sandbox.conformance.output import redacting
from sandbox.conformance.preparation import RunPlan, prepare, skip_reason
from sandbox.conformance.run import run_check
from sandbox.contract import load

__all__ = ["Check", "CheckFailed", "Server", "all_checks", "connect"]


class CheckFailed(AssertionError):
    """A check failed or could not run; the text names the clause, what came, and how to repeat it."""


class Server:
    """A server that can be checked; what the checks share is made once."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._redact = plan.redactor()
        with redacting(self._redact):
            self._target = prepare(plan, load())

    def skip_reason(self, check: Check) -> str | None:
        """Return why a check isn't made on this server; None if it is."""
        return skip_reason(check, self._target, self._plan)

    def run_check(self, check: Check) -> None:
        """Check the server; a check that doesn't apply to the app passes.

        Raises:
            CheckFailed: it fails, or could not run.
        """
        with redacting(self._redact):
            outcome = run_check(check, self._target, self._redact)
        if outcome.result not in ("broken", "could not run"):
            return
        curl_script = f"\n\n{outcome.finding.script}" if outcome.finding else ""
        raise CheckFailed(f"{check.id} (clause {check.clause}): {check.sentence}\n{outcome.reason}{curl_script}")


def connect(url: str, **options: Any) -> Server:
    """Return the server at a URL; `options` are those of the command (`key`, `app`, `other_key`, `allow_writes`, …).

    Raises:
        CannotRun: nobody answers there, or it can't be checked so.
        UsageError: an option is missing, such as the app.
    """
    return Server(RunPlan(url=url, **options))
