"""One run of the judge: what will be done is said, then the two parts, and what came of them.

On a server that isn't the sandbox each message counts, and what was created is marked, deleted at the end, and said.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.conformance.caller import COMPLETE, MARK, READS, SEND
from sandbox.conformance.client import BudgetSpent, Client, Stopped
from sandbox.conformance.connection import Unreachable
from sandbox.conformance.deadline import Deadline
from sandbox.conformance.documented import documented, judged, without
from sandbox.conformance.evidence import NoEvidence
from sandbox.conformance.exchange import Answer, Request
from sandbox.conformance.exercise import Exercise
from sandbox.conformance.findings import Finding, of_checks, of_law, operation_of
from sandbox.conformance.fuzz import PHASES, fuzz
from sandbox.conformance.fuzz import Plan as FuzzPlan
from sandbox.conformance.gate import Gate
from sandbox.conformance.law import Broken, Law, NotApplicable
from sandbox.conformance.preparation import OWN_KEY, CannotRun, Plan, Prepared, WrongUse, chosen, prepare, why_not
from sandbox.conformance.shown import Masked, hiding
from sandbox.conformance.subject import Subject
from sandbox.contract import Contract

Result = Literal["kept", "broken", "not asked for", "not applicable", "could not run"]
Tell = Callable[[str], None]

# What is created at most on a server that isn't the sandbox, by the laws and by a short part one (rounded up).
_CONVERSATIONS = 200
_SHORT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one law; a broken one has its finding."""

    law: Law
    result: Result
    reason: str = ""
    finding: Finding | None = None


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of a run. `incomplete` says why it stopped before its end."""

    plan: Plan
    app: str
    run: str
    is_sandbox: bool
    findings: list[Finding] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    exercise: Exercise | None = None
    statuses: Mapping[str, Counter[int]] = field(default_factory=dict)
    never_succeeded: tuple[str, ...] = ()
    not_asked_for: list[str] = field(default_factory=list)
    requests: int = 0
    messages: int = 0
    left: int = 0
    incomplete: str | None = None


def judge(
    plan: Plan,
    contract: Contract,
    say: Tell,
    note: Tell = lambda _: None,
    wait: Callable[[float], None] | None = None,
) -> Verdict:
    """Carry out a run; `say` is told what a person should read, `note` where the run is.

    Raises:
        Unreachable: nobody answers there.
        CannotRun: the server can't be judged so.
        WrongUse: the plan makes no sense.
    """
    masked = masking(plan.key or OWN_KEY, plan.other_key)
    with hiding(masked), Deadline(plan.deadline) as deadline:
        try:
            return _Run(plan, contract, say, note, wait, deadline).verdict()
        except (CannotRun, Unreachable, WrongUse) as error:
            raise type(error)(masked(str(error))) from None


def hold(law: Law, subject: Subject, masked: Masked) -> Outcome:
    """Hold a server to one law.

    Raises:
        Stopped: the server says 429 for too long, or nothing any more.
    """
    try:
        law.check(subject)
    except Broken as broken:
        finding = of_law(law, broken, subject, masked)
        return Outcome(law=law, result="broken", reason=masked(str(broken)), finding=finding)
    except NotApplicable as error:
        return Outcome(law=law, result="not applicable", reason=masked(str(error)))
    except (NoEvidence, BudgetSpent) as error:
        return Outcome(law=law, result="could not run", reason=masked(str(error)))
    except Stopped:
        raise
    except Exception as error:  # an answer in a shape that nobody expects ends no run
        # Python's own errors cut long values: what is left of a key then would not be found.
        said = f": {error}" if len(str(error)) < _SHORT else ""
        reason = f"an answer of a kind that the law can't read ({type(error).__name__}{said})"
        return Outcome(law=law, result="could not run", reason=masked(reason))
    return Outcome(law=law, result="kept")


def masking(key: str, other_key: str | None, others: Mapping[str, str] | None = None) -> Masked:
    """Return what keeps the run's keys out of all that is shown."""
    return Masked({"API_KEY": key, **({"OTHER_KEY": other_key} if other_key else {})}, others)


class _Run:
    def __init__(
        self,
        plan: Plan,
        contract: Contract,
        say: Tell,
        note: Tell,
        wait: Callable[[float], None] | None,
        deadline: Deadline,
    ) -> None:
        self._plan = plan
        self._contract = contract
        self._say = say
        self._note = note
        self._laws = chosen(plan.laws)
        self._statuses: dict[str, Counter[int]] = {operation.id: Counter() for operation in contract.operations}
        if not plan.laws and importlib.util.find_spec("schemathesis") is None:
            raise CannotRun("schemathesis is missing: pip install 'dimedove-sandbox[conform]'")
        self._prepared: Prepared = prepare(plan, contract, heard=self._heard, wait=wait, deadline=deadline)
        self._subject = self._prepared.subject

    def verdict(self) -> Verdict:
        verdict = Verdict(
            plan=self._plan, app=self._subject.app, run=self._subject.run, is_sandbox=self._prepared.is_sandbox
        )
        self._warn()
        try:
            self._part_one(verdict)
            self._part_two(verdict)
        except Stopped as error:
            verdict.incomplete = str(error)
        self._close(verdict)
        return verdict

    def _warn(self) -> None:
        """Say before anything is done what will be done."""
        subject, plan, sandbox = self._subject, self._plan, self._prepared.is_sandbox
        where = f"{subject.client.origin}{subject.base}"
        self._say(f"judging {where}, app {subject.app}" + (", the sandbox" if sandbox else ""))
        if sandbox:
            return
        if not self._prepared.writes:
            why = "it doesn't say that it is the sandbox; --allow-writes allows writing"
            self._say(f"nothing is written: {'--read-only' if plan.read_only else why}")
            return
        self._say(
            f"this server isn't the sandbox: at most {plan.max_messages} messages and completions are sent, each of "
            f"which may be billed and may start what its agent does; up to {_CONVERSATIONS} conversations are created, "
            f'each with {{"{MARK}": "{subject.run}"}} in its metadata; they are deleted at the end, and a deletion is '
            "soft: they stay in the app's metrics"
        )

    def _part_one(self, verdict: Verdict) -> None:
        plan, subject = self._plan, self._subject
        if plan.laws:
            verdict.not_asked_for.append("part one (schemathesis): --law was given")
            return
        self._say("part one: schemathesis over the contract")
        contract = self._narrowed(verdict)
        # On somebody's server every creation stays for ever: few are made, and each is marked.
        foreign = not self._prepared.is_sandbox
        gate = Gate(subject.client, messages=not foreign, mark=(MARK, subject.run) if foreign else None)
        examples, detours = (5, 0) if foreign else (3, 0) if plan.quick else (30, 4)
        with gate.open() as origin:
            exercise = fuzz(
                contract,
                FuzzPlan(
                    base_url=f"{origin}{subject.base}",
                    app_id=subject.app,
                    key=subject.key,
                    seed=plan.seed,
                    max_examples=examples,
                    detours=detours,
                    phases=PHASES if self._prepared.writes else ("examples", "fuzzing"),
                    sandbox_rules=subject.is_sandbox,
                    request_timeout=plan.max_wait + 60,
                ),
                lambda requests: self._note(f"part one: {requests:,} requests"),
                lambda: gate.stopped is not None,
            )
        found = exercise.findings if subject.is_sandbox else judged(exercise.findings)
        gate_is_hidden = masking(subject.key, subject.other_key, {origin: str(subject.client.origin)})
        verdict.findings += of_checks(found, gate_is_hidden)
        if gate.stopped is not None:
            raise gate.stopped
        verdict.exercise = exercise

    def _narrowed(self, verdict: Verdict) -> Contract:
        """Return what part one is run over: no more than may be asked of this server."""
        contract = self._contract.refusing_with(self._subject.invalid)
        if not self._subject.is_sandbox:
            contract = documented(contract)
        if not self._prepared.writes:
            verdict.not_asked_for.append("part one (schemathesis) on operations that write: nothing may be written")
            return without(contract, set(self._statuses) - set(READS))
        if not self._prepared.is_sandbox:
            verdict.not_asked_for.append("part one (schemathesis) on messages and completions: each may be billed")
            return without(contract, {SEND, COMPLETE})
        return contract

    def _part_two(self, verdict: Verdict) -> None:
        self._say(f"part two: {len(self._laws)} laws" if len(self._laws) > 1 else "part two: one law")
        masked = masking(self._subject.key, self._subject.other_key)
        for number, law in enumerate(self._laws, 1):
            self._note(f"part two: {law.id}, {number} of {len(self._laws)}")
            reason = why_not(law, self._prepared, self._plan)
            if reason is None:
                outcome = hold(law, self._subject, masked)
            else:
                outcome = Outcome(law=law, result="not asked for", reason=reason)
            verdict.outcomes.append(outcome)
            verdict.findings += [outcome.finding] if outcome.finding else []

    def _close(self, verdict: Verdict) -> None:
        """Take away what was created, as far as it can be, and sum up."""
        client = self._subject.client
        asked = set() if self._plan.laws else set(self._statuses) if self._prepared.writes else set(READS)
        verdict.statuses = {name: Counter(seen) for name, seen in self._statuses.items()}
        verdict.never_succeeded = tuple(
            name for name, seen in self._statuses.items() if name in asked and not any(200 <= s < 300 for s in seen)
        )
        verdict.requests, verdict.messages = client.tally.requests, client.tally.messages
        if not verdict.is_sandbox and client.tally.left and not verdict.incomplete:
            self._delete_all(client)
        verdict.left = len(client.tally.left)

    def _delete_all(self, client: Client) -> None:
        self._say(f"deleting the {len(client.tally.left)} conversations that are left")
        headers = (("Authorization", f"Bearer {self._subject.key}"),)
        try:
            for one, app in list(client.tally.left.items()):
                request = Request(method="DELETE", target=f"{app}/conversations/{one}", headers=headers)
                client.send(request, remember=False)
        except Stopped:
            return

    def _heard(self, answer: Answer) -> None:
        request = answer.request
        operation = operation_of(self._subject, request.method, request.target)
        if operation and answer.status is not None and f"/apps/{self._subject.app}/" in request.target:
            self._statuses[operation][answer.status] += 1
