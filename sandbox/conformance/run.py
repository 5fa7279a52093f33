"""One run of the suite: announce what will be done, the fuzz phase, the check phase, and what came of both.

On a server that is not the sandbox each message counts; what was created is marked, deleted at the end, and reported.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.conformance.check import Check, NotApplicable
from sandbox.conformance.expect import CheckViolation
from sandbox.conformance.findings import ConformanceFinding, finding_of_check, findings_of_fuzzing
from sandbox.conformance.fuzz import PHASES, Coverage, FuzzPlan, findings_for_any_server, fuzz
from sandbox.conformance.fuzz_schema import vendor_contract, without_operations
from sandbox.conformance.http_messages import ApiRequest, ApiResponse, Unavailable
from sandbox.conformance.output import KeyRedactor, redacting
from sandbox.conformance.preparation import RunPlan, UsageError, prepare, select_checks, skip_reason
from sandbox.conformance.proxy import Proxy
from sandbox.conformance.session import BudgetExceeded, RunStopped
from sandbox.conformance.target import MARK, READS, Op, Target
from sandbox.conformance.transport import CannotRun, Deadline
from sandbox.contract import Contract

Result = Literal["kept", "broken", "not asked for", "not applicable", "could not run"]
Tell = Callable[[str], None]

# What is created at most on a server that isn't the sandbox, by the checks and by a short fuzz phase (rounded up).
_MAX_CONVERSATIONS = 200
_MAX_ERROR_TEXT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one check; a violation has its finding."""

    check: Check
    result: Result
    reason: str = ""
    finding: ConformanceFinding | None = None


@dataclass(slots=True, kw_only=True)
class RunResult:
    """What came of a run. `incomplete` says why it stopped before its end."""

    plan: RunPlan
    app: str
    run: str
    is_sandbox: bool
    findings: list[ConformanceFinding] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    coverage: Coverage | None = None
    statuses: Mapping[str, Counter[int]] = field(default_factory=dict)
    never_succeeded: tuple[str, ...] = ()
    not_asked_for: list[str] = field(default_factory=list)
    requests: int = 0
    messages: int = 0
    left: int = 0
    incomplete: str | None = None


def run_conformance(
    plan: RunPlan,
    contract: Contract,
    say: Tell,
    note: Tell = lambda _: None,
    wait: Callable[[float], None] | None = None,
) -> RunResult:
    """Carry out a run; `say` is called with what a person should read, `note` with the progress.

    Raises:
        CannotRun: nobody answers there, or the server can't be checked so.
        UsageError: the plan makes no sense.
    """
    redact = plan.redactor()
    with redacting(redact):
        try:
            return _Run(plan, contract, Deadline(plan.deadline, wait), say, note).execute()
        except (CannotRun, UsageError) as error:
            raise type(error)(redact(str(error))) from None


def run_check(check: Check, target: Target, redact: KeyRedactor) -> Outcome:
    """Make one check on a server.

    Raises:
        RunStopped: the server says 429 for too long, or nothing any more.
    """
    try:
        check.function(target)
    except CheckViolation as violation:
        finding = finding_of_check(check, violation, target, redact)
        return Outcome(check=check, result="broken", reason=redact(str(violation)), finding=finding)
    except NotApplicable as error:
        return Outcome(check=check, result="not applicable", reason=redact(str(error)))
    except (Unavailable, BudgetExceeded) as error:
        return Outcome(check=check, result="could not run", reason=redact(str(error)))
    except RunStopped:
        raise
    except Exception as error:  # an answer in a shape that nobody expects ends no run
        # Python's own errors cut long values: what is left of a key then would not be found.
        text = f": {error}" if len(str(error)) < _MAX_ERROR_TEXT else ""
        reason = f"an answer of a kind that the check can't read ({type(error).__name__}{text})"
        return Outcome(check=check, result="could not run", reason=redact(reason))
    return Outcome(check=check, result="kept")


class _Run:
    def __init__(self, plan: RunPlan, contract: Contract, deadline: Deadline, say: Tell, note: Tell) -> None:
        self._plan = plan
        self._contract = contract
        self._redact = plan.redactor()
        self._say = say
        self._note = note
        self._checks = select_checks(plan.checks)
        if not plan.checks and importlib.util.find_spec("schemathesis") is None:
            raise CannotRun("schemathesis is missing: pip install 'dimedove-sandbox[conform]'; --check needs none")
        self._target = target = prepare(plan, contract, deadline)
        self._result = RunResult(plan=plan, app=target.app, run=target.run, is_sandbox=target.is_sandbox)
        self._result.statuses = {operation_id: Counter() for operation_id in target.operations}
        target.session.on_response = self._count_response

    def execute(self) -> RunResult:
        self._warn()
        try:
            self._fuzz_phase()
            self._check_phase()
        except RunStopped as error:
            self._result.incomplete = str(error)
        self._close()
        return self._result

    def _warn(self) -> None:
        """Say before anything is done what will be done."""
        target, plan = self._target, self._plan
        where = f"{target.session.origin}{target.base}"
        self._say(f"checking {where}, app {target.app}" + (", the sandbox" if target.is_sandbox else ""))
        if target.is_sandbox:
            return
        if not target.writes:
            why = "it doesn't say that it is the sandbox; --allow-writes allows writing"
            self._say(f"nothing is written: {'--read-only' if plan.read_only else why}")
            return
        self._say(
            f"this server isn't the sandbox: at most {plan.max_messages} messages and completions are sent, each of "
            f"which may be billed and may start what its agent does; up to {_MAX_CONVERSATIONS} conversations are "
            f'created, each with {{"{MARK}": "{target.run}"}} in its metadata; they are deleted at the end, and a '
            "deletion is soft: they stay in the app's metrics"
        )

    def _fuzz_phase(self) -> None:
        plan, target = self._plan, self._target
        if plan.checks:
            self._result.not_asked_for.append("the fuzz phase (schemathesis): --check was given")
            return
        self._say("fuzz phase: schemathesis over the contract")
        contract = self._narrowed_contract()
        # On somebody's server every creation stays for ever: few are made, and each is marked.
        foreign = not target.is_sandbox
        proxy = Proxy(target.session, messages=not foreign, mark=(MARK, target.run) if foreign else None)
        examples, extra_runs = (5, 0) if foreign else (3, 0) if plan.quick else (30, 4)
        with proxy.open() as origin:
            coverage = fuzz(
                contract,
                FuzzPlan(
                    base_url=f"{origin}{target.base}",
                    app_id=target.app,
                    key=target.key,
                    seed=plan.seed,
                    max_examples=examples,
                    extra_runs=extra_runs,
                    phases=PHASES if target.writes else ("examples", "fuzzing"),
                    sandbox_rules=target.sandbox_rules,
                    request_timeout=plan.max_wait + 60,
                ),
                lambda requests: self._note(f"fuzz phase: {requests:,} requests"),
                lambda: proxy.stopped is not None,
            )
        findings = coverage.findings if target.sandbox_rules else findings_for_any_server(coverage.findings)
        self._result.findings += findings_of_fuzzing(findings, plan.redactor({origin: str(target.session.origin)}))
        if proxy.stopped is not None:
            raise proxy.stopped
        self._result.coverage = coverage

    def _narrowed_contract(self) -> Contract:
        """Return the contract that is fuzzed: no more than may be sent to this server."""
        contract = self._contract.with_validation_status(self._target.invalid)
        if not self._target.sandbox_rules:
            contract = vendor_contract(contract)
        if not self._target.writes:
            reason = "the fuzz phase (schemathesis) on operations that write: nothing may be written"
            self._result.not_asked_for.append(reason)
            return without_operations(contract, set(self._target.operations) - set(READS))
        if not self._target.is_sandbox:
            reason = "the fuzz phase (schemathesis) on messages and completions: each may be billed"
            self._result.not_asked_for.append(reason)
            return without_operations(contract, {Op.SEND, Op.COMPLETE})
        return contract

    def _check_phase(self) -> None:
        self._say(f"check phase: {len(self._checks)} checks" if len(self._checks) > 1 else "check phase: one check")
        for number, check in enumerate(self._checks, 1):
            self._note(f"check phase: {check.id}, {number} of {len(self._checks)}")
            reason = skip_reason(check, self._target, self._plan)
            if reason is None:
                outcome = run_check(check, self._target, self._redact)
            else:
                outcome = Outcome(check=check, result="not asked for", reason=reason)
            self._result.outcomes.append(outcome)
            self._result.findings += [outcome.finding] if outcome.finding else []

    def _close(self) -> None:
        """Take away what was created, as far as it can be, and sum up."""
        result, totals = self._result, self._target.session.totals
        asked = set() if self._plan.checks else set(result.statuses) if self._target.writes else set(READS)
        # The clean-up is no part of what was exercised.
        self._target.session.on_response = lambda _: None
        result.never_succeeded = tuple(
            name for name, seen in result.statuses.items() if name in asked and not any(200 <= s < 300 for s in seen)
        )
        result.requests, result.messages = totals.requests, totals.messages
        if not result.is_sandbox and totals.left and not result.incomplete:
            self._delete_all(totals.left)
        result.left = len(totals.left)

    def _delete_all(self, left: Mapping[str, str]) -> None:
        self._say(f"deleting the {len(left)} conversations that are left")
        headers = (("Authorization", f"Bearer {self._target.key}"),)
        try:
            for conversation_id, app in list(left.items()):
                request = ApiRequest(method="DELETE", target=f"{app}/conversations/{conversation_id}", headers=headers)
                self._target.session.send(request, remember=False)
        except RunStopped:
            return

    def _count_response(self, answer: ApiResponse) -> None:
        operation_id = self._target.operation_id(answer.request)
        if operation_id and answer.status is not None and f"/apps/{self._target.app}/" in answer.request.target:
            self._result.statuses[operation_id][answer.status] += 1
