"""The laws as a library: for a test suite that holds its own server to them, a test a law.

@pytest.mark.parametrize("law", all_laws(), ids=str)
def test_law(law: Law, server: Server) -> None:
    if reason := server.why_not(law):
        pytest.skip(reason)
    server.hold(law)
"""

from __future__ import annotations

from typing import Any

from sandbox.conformance.law import Law
from sandbox.conformance.laws import all_laws
from sandbox.conformance.preparation import OWN_KEY, Plan, prepare, why_not
from sandbox.conformance.run import hold, masking
from sandbox.conformance.shown import hiding
from sandbox.contract import load

__all__ = ["Law", "LawBroken", "Server", "all_laws", "connect"]


class LawBroken(AssertionError):
    """The server breaks a law, or can't be held to it; the text says the clause, what came, and how to repeat it."""


class Server:
    """A server that can be held to the laws; what they share is made once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._masked = masking(plan.key or OWN_KEY, plan.other_key)
        with hiding(self._masked):
            self._prepared = prepare(plan, load())

    def why_not(self, law: Law) -> str | None:
        """Return why a law isn't asked of this server; None if it is."""
        return why_not(law, self._prepared, self._plan)

    def hold(self, law: Law) -> None:
        """Hold the server to a law; one that doesn't apply to the app is kept.

        Raises:
            LawBroken: it breaks the law, or the law could not run.
        """
        with hiding(self._masked):
            outcome = hold(law, self._prepared.subject, self._masked)
        if outcome.result not in ("broken", "could not run"):
            return
        script = f"\n\n{outcome.finding.script}" if outcome.finding else ""
        raise LawBroken(f"{law.id} (clause {law.clause}): {law.sentence}\n{outcome.reason}{script}")


def connect(url: str, **options: Any) -> Server:
    """Return the server at a URL; `options` are those of the command (`key`, `app`, `other_key`, `allow_writes`, …).

    Raises:
        Unreachable: nobody answers there.
        CannotRun: it can't be judged so.
        WrongUse: more has to be said, such as the app.
    """
    return Server(Plan(url=url, **options))
