"""Runs schemathesis over the contract against a server: examples, coverage, fuzzing, stateful, every check.

The one place that knows schemathesis, which is pinned: its engine may move from release to release. A plain value comes
out, and says what was reached as well as what was found: on this API a run without a finding may have met nothing but
404. It is imported on the first run, because it is an extra and takes long to load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.conformance.tune import links, operations, tuned
from sandbox.contract import Contract

if TYPE_CHECKING:
    from schemathesis import Case, HookContext
    from schemathesis.engine.events import NonFatalError, ScenarioFinished
    from schemathesis.engine.recorder import CheckNode, Interaction, ScenarioRecorder

PHASES = ("examples", "coverage", "fuzzing", "stateful")
CURSORS = ("after", "before")

_SHOWN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run against which server.

    `base_url` ends with the contract's base path. `sandbox_rules` holds the server to what the sandbox alone promises.
    `max_examples` is the number of requests an operation that fuzzing makes up, and of scenarios that stateful walks.
    A stream is read until its end, `max_stream_events` or `request_timeout` (seconds).
    """

    base_url: str
    app_id: str
    key: str
    seed: int = 1
    max_examples: int = 30
    phases: tuple[str, ...] = PHASES
    sandbox_rules: bool = True
    request_timeout: float = 10
    max_stream_events: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, long bodies shortened; `status` is None if none came."""

    method: str
    url: str
    request_body: str
    status: int | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check holds against one operation: the smallest case of it, and how often it was seen.

    `identity` stays the same from run to run. `curl` repeats the case where the environment has `API_KEY`.
    """

    check: str
    operation: str
    title: str
    message: str
    identity: tuple[str, ...]
    phase: str
    seen: int
    curl: str
    exchange: Exchange


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One link of the contract: from an answer of one operation to another operation."""

    source: str
    status: str
    name: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """What a run found, and what it reached.

    `statuses` counts the answers of each operation by status, `links` the answers of each link that was followed with
    a value from the answer that it belongs to and otherwise valid data. `errors` are what kept the engine from its
    work; a run with errors says nothing of what it has not seen.
    """

    findings: tuple[Finding, ...]
    statuses: Mapping[str, Mapping[int, int]]
    links: Mapping[Link, Mapping[int, int]]
    requests: int
    errors: tuple[str, ...]

    @property
    def never_succeeded(self) -> tuple[str, ...]:
        """The operations that never answered 2xx."""
        return tuple(name for name, seen in self.statuses.items() if not any(200 <= status < 300 for status in seen))

    @property
    def never_walked(self) -> tuple[Link, ...]:
        """The links that were never followed to an answer."""
        return tuple(link for link, seen in self.links.items() if not seen)


def fuzz(contract: Contract, plan: Plan) -> Exercise:
    """Run the plan and return what came of it."""
    import schemathesis
    from schemathesis.engine import events, from_schema

    document = tuned(contract.bundle, plan.app_id, sandbox_rules=plan.sandbox_rules)
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(_config(plan)))
    schema.hooks.register_hook_with_name(_with_fewer_cursors, "map_case")
    log = _Log(document, plan.key)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            log.scenario(event)
        elif isinstance(event, events.NonFatalError):
            log.error(event.label, f"{event.info.title}: {event.info.message}")
        elif isinstance(event, events.FatalError):
            log.error("schemathesis", repr(event.exception))
    return log.exercise()


def _config(plan: Plan) -> dict[str, Any]:
    """Return schemathesis' settings, under the names of its schemathesis.toml."""
    return {
        "base-url": plan.base_url,
        "headers": {"Authorization": f"Bearer {plan.key}"},
        "seed": plan.seed,
        "workers": 1,
        "request-timeout": plan.request_timeout,
        "max-stream-events": plan.max_stream_events,
        "continue-on-failure": True,
        "generation": {"max-examples": plan.max_examples, "database": "none"},
        "phases": {
            **{phase: {"enabled": phase in plan.phases} for phase in PHASES},
            "coverage": {"enabled": "coverage" in plan.phases, "generate-duplicate-query-parameters": True},
            # A third of the steps would else be spent on bad keys, which the other phases try.
            "stateful": {
                "enabled": "stateful" in plan.phases,
                "generation": {"with-security-parameters": False},
            },
        },
        # What is sent depends on seed and contract alone: not on earlier runs, not on Python files that lie about.
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},
        # We mask the key ourselves, so that what is left can be run.
        "output": {"sanitization": {"enabled": False}},
    }


def _with_fewer_cursors(context: HookContext, case: Case) -> Case:  # noqa: ARG001 - the signature of a hook
    """Leave out cursors that would hide everything else: a made-up one is unknown, two at once are refused.

    No schema says so. Coverage gives each parameter a value in every case: there only the cursor that the case is about
    stays. Elsewhere the longer of two stays: that of a link is a real id, longer than what is made up.
    """
    given = [name for name in CURSORS if name in case.query]
    if case.meta is not None and case.meta.phase.name.value == "coverage":
        spared = [name for name in given if name != getattr(case.meta.phase.data, "parameter", None)]
    else:
        spared = sorted(given, key=lambda name: len(str(case.query[name])))[:-1]
    if spared:
        case.query = {name: value for name, value in case.query.items() if name not in spared}
    return case


class _Log:
    """Gathers what the engine tells, in our own terms: operations by their id, the key masked."""

    def __init__(self, document: Mapping[str, Any], key: str) -> None:
        self._key = key
        self._names = {f"{method} {path}": spec["operationId"] for method, path, spec in operations(document)}
        self._paths = {spec["operationId"]: f"{method} {path}" for method, path, spec in operations(document)}
        self._links = {
            f"{source} -> [{status}] {name} -> {self._paths[spec['operationId']]}": Link(
                self._names[source], status, name, spec["operationId"]
            )
            for method, path, operation in operations(document)
            for source in (f"{method} {path}",)
            for status, name, spec in links(operation)
        }
        self._statuses: dict[str, Counter[int]] = {name: Counter() for name in self._names.values()}
        self._walked: dict[Link, Counter[int]] = {link: Counter() for link in self._links.values()}
        self._findings: dict[tuple[str, ...], Finding] = {}
        self._requests = 0
        self._errors: dict[str, None] = {}

    def scenario(self, event: ScenarioFinished) -> None:
        """Take in all that one scenario sent, got and found."""
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            self._requests += 1
            self._answer(recorder, case_id, interaction)
        for case_id, checks in recorder.checks.items():
            for check in checks:
                self._check(check, event.phase.value, recorder.interactions[case_id])

    def error(self, where: str, what: str) -> None:
        """Take in what kept the engine from its work."""
        self._errors[self._masked(f"{self._names.get(where, where)}: {what}")] = None

    def exercise(self) -> Exercise:
        """Return all that was gathered."""
        return Exercise(
            findings=tuple(self._findings.values()),
            statuses={name: dict(sorted(seen.items())) for name, seen in self._statuses.items()},
            links={link: dict(sorted(seen.items())) for link, seen in self._walked.items()},
            requests=self._requests,
            errors=tuple(self._errors),
        )

    def _answer(self, recorder: ScenarioRecorder, case_id: str, interaction: Interaction) -> None:
        node, answer = recorder.cases[case_id], interaction.response
        case = node.value
        # Coverage tries other methods as well; their answers say nothing of the operation.
        if answer is None or interaction.request.method != case.operation.method.upper():
            return
        self._statuses[self._names[case.operation.label]][answer.status_code] += 1
        valid = case.meta is not None and case.meta.generation.mode.is_positive
        if node.transition is not None and node.is_transition_applied and valid:
            link = self._links.get(node.transition.id)
            if link is not None:
                self._walked[link][answer.status_code] += 1

    def _check(self, check: CheckNode, phase: str, interaction: Interaction) -> None:
        if check.failure_info is None:
            return
        from schemathesis.baseline import failure_identity

        failure, curl = check.failure_info.failure, check.failure_info.code_sample
        label, *rest = failure_identity(failure, check.name)
        operation = self._names.get(label, label)
        identity = (operation, *rest)
        known = self._findings.get(identity)
        finding = Finding(
            check=check.name,
            operation=operation,
            title=failure.title,
            message=_shortened(self._masked(failure.message)),
            identity=identity,
            phase=phase,
            seen=known.seen + 1 if known else 1,
            # In single quotes, as shells quote: the quotes end, the variable follows, they begin again.
            curl=curl.replace(self._key, "'\"$API_KEY\"'"),
            exchange=self._exchange(interaction),
        )
        smaller = known is None or len(finding.curl) < len(known.curl)
        self._findings[identity] = finding if smaller or not known else replace(known, seen=finding.seen)

    def _exchange(self, interaction: Interaction) -> Exchange:
        request, answer = interaction.request, interaction.response
        return Exchange(
            method=request.method,
            url=request.uri,
            request_body=_shortened(self._masked((request.body or b"").decode("utf-8", "replace"))),
            status=None if answer is None else answer.status_code,
            body="" if answer is None else _shortened(self._masked(answer.content.decode("utf-8", "replace"))),
        )

    def _masked(self, text: str) -> str:
        return text.replace(self._key, "$API_KEY")


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
