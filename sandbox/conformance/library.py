"""The laws as a library: for a test suite that holds its own server to them, a test a law.

@pytest.mark.parametrize("law", all_laws(), ids=str)
def test_law(law: Law, server: Server) -> None:
    if reason := server.why_not(law):
        pytest.skip(reason)
    server.hold(law)
"""

from __future__ import annotations

from typing import Any

from sandbox.conformance.check import Check
from sandbox.conformance.checks import all_checks
from sandbox.conformance.output import redacting
from sandbox.conformance.preparation import OWN_KEY, RunPlan, prepare, skip_reason
from sandbox.conformance.run import key_redactor, run_check
from sandbox.contract import load

__all__ = ["Check", "CheckFailed", "Server", "all_checks", "connect"]


class CheckFailed(AssertionError):
    """The server breaks a law, or can't be held to it; the text says the clause, what came, and how to repeat it."""


class Server:
    """A server that can be held to the laws; what they share is made once."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._redact = key_redactor(plan.key or OWN_KEY, plan.other_key)
        with redacting(self._redact):
            self._prepared = prepare(plan, load())

    def skip_reason(self, check: Check) -> str | None:
        """Return why a law isn't asked of this server; None if it is."""
        return skip_reason(check, self._prepared, self._plan)

    def run_check(self, check: Check) -> None:
        """Hold the server to a law; one that doesn't apply to the app is kept.

        Raises:
            LawBroken: it breaks the law, or the law could not run.
        """
        with redacting(self._redact):
            outcome = run_check(check, self._prepared.target, self._redact)
        if outcome.result not in ("broken", "could not run"):
            return
        curl_script = f"\n\n{outcome.finding.script}" if outcome.finding else ""
        raise CheckFailed(f"{check.id} (clause {check.clause}): {check.sentence}\n{outcome.reason}{curl_script}")


def connect(url: str, **options: Any) -> Server:
    """Return the server at a URL; `options` are those of the command (`key`, `app`, `other_key`, `allow_writes`, …).

    Raises:
        Unreachable: nobody answers there.
        CannotRun: it can't be judged so.
        WrongUse: more has to be said, such as the app.
    """
    return Server(RunPlan(url=url, **options))
