"""Run schemathesis over the contract against a server: examples, coverage, fuzzing, stateful, every check.

The one place that knows schemathesis, which is pinned: its engine may move from release to release. A plain value comes
out, and says what was reached as well as what was found: on this API a run without a finding may have met nothing but
404. It is imported on the first run, because it is an extra and takes long to load."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.conformance.fuzz_schema import Link, fit_to_fuzzer, keep_links, links, operations, surplus_cursors
from sandbox.conformance.isolation import no_environment_proxies, no_process_literals
from sandbox.conformance.output import KeyRedactor, redact_keys
from sandbox.conformance.proxy import REFUSAL
from sandbox.contract import Contract

if TYPE_CHECKING:
    from schemathesis import Case, HookContext
    from schemathesis.engine.events import ScenarioFinished
    from schemathesis.engine.recorder import CheckNode, Interaction, ScenarioRecorder

PHASES = ("examples", "coverage", "fuzzing", "stateful")

_CREATE = "apps_api_create_conversation"
_MAX_TEXT = 2_000
# What these hold against a server is the sandbox's own decision.
_DECIDED_CHECKS = {
    "unsupported_method",
    "allow_header_conformance",
    "negative_data_rejection",
    "missing_required_header",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzFinding:
    """One thing that a check holds against one operation: the smallest case of it, and how often it was seen.

    `identity` stays the same from run to run. `curl` repeats the case where the environment has `API_KEY`. Long bodies
    are shortened; `status` is None if no answer came.
    """

    check: str
    operation_id: str
    title: str
    message: str
    identity: tuple[str, ...]
    seen: int
    curl: str
    url: str
    status: int | None
    body: str


def findings_for_any_server(findings: Collection[FuzzFinding]) -> list[FuzzFinding]:
    """Return the findings that any server can be held to."""
    return [finding for finding in findings if finding.check not in _DECIDED_CHECKS]


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzPlan:
    """What is run against which server.

    `base_url` ends with the contract's base path. `max_examples` is the number of requests that fuzzing makes up for an
    operation, and of scenarios that stateful walks; up to `extra_runs` times it walks again where it missed a link.
    `sandbox_rules` holds the server to what the sandbox alone promises. A stream is read until its end,
    `max_stream_events` or `request_timeout` (seconds).
    """

    base_url: str
    app_id: str
    key: str
    seed: int = 1
    max_examples: int = 30
    extra_runs: int = 4
    phases: tuple[str, ...] = PHASES
    sandbox_rules: bool = True
    request_timeout: float = 10
    max_stream_events: int = 10_000


def fuzz(
    contract: Contract,
    plan: FuzzPlan,
    note: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Coverage:
    """Run the plan and return what came of it; `note` is called now and then with the number of requests.

    It ends early where `stopped` says so.
    """
    document = fit_to_fuzzer(contract.bundle, plan.app_id, sandbox_rules=plan.sandbox_rules)
    coverage = Coverage(document, plan.key, note)
    _run(document, _config(plan), coverage, stopped)
    for number in range(1, plan.extra_runs + 1 if "stateful" in plan.phases else 1):
        if not stopped() and (missing := coverage.uncovered_links):
            _run(keep_links(document, missing), _extra_run_config(plan, number), coverage, stopped)
    return coverage


def _run(document: dict[str, Any], settings: dict[str, Any], coverage: Coverage, stopped: Callable[[], bool]) -> None:
    import schemathesis
    from schemathesis.engine import events, from_schema

    # A copy, because schemathesis writes the links that it infers into the document that it is given.
    config = schemathesis.Config.from_dict(settings)
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document), config=config)
    schema.hooks.register_hook_with_name(_improve_case, "map_case")
    with no_process_literals(), no_environment_proxies():
        stream = from_schema(schema).execute()
        for event in stream:
            if stopped():
                stream.stop()
            if isinstance(event, events.ScenarioFinished):
                coverage.add_scenario(event)
            elif isinstance(event, events.NonFatalError):
                coverage.add_error(event.label, f"{event.info.title}: {event.info.message}")
            elif isinstance(event, events.FatalError):
                coverage.add_error("schemathesis", repr(event.exception))


def _config(plan: FuzzPlan) -> dict[str, Any]:
    """Return schemathesis' settings, under the names of its schemathesis.toml."""
    phases: dict[str, dict[str, Any]] = {phase: {"enabled": phase in plan.phases} for phase in PHASES}
    phases["coverage"]["generate-duplicate-query-parameters"] = True
    # A third of the steps would else be spent on bad keys, which the other phases try.
    phases["stateful"]["generation"] = {"with-security-parameters": False}
    return {
        "base-url": plan.base_url,
        "headers": {"Authorization": f"Bearer {plan.key}"},
        "seed": plan.seed,
        "workers": 1,
        # A redirect is an answer: the key goes to no other place.
        "max-redirects": 0,
        "request-timeout": plan.request_timeout,
        "max-stream-events": plan.max_stream_events,
        "continue-on-failure": True,
        "generation": {"max-examples": plan.max_examples, "database": "none"},
        "phases": phases,
        # What is sent hangs on the seed and the contract, not on earlier runs, nor on Python files that lie about.
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},
        # The key is redacted here, so that the curl of a finding can still be run.
        "output": {"sanitization": {"enabled": False}},
    }


def _extra_run_config(plan: FuzzPlan, number: int) -> dict[str, Any]:
    """Return the settings of one more walk: another seed, and no links but those of the document."""
    settings = _config(replace(plan, seed=plan.seed + number, phases=("stateful",)))
    settings["phases"]["stateful"]["inference"] = {"algorithms": []}
    return settings


def _improve_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Change a generated case where it would lead nowhere, for reasons that no schema can say."""
    if case.meta is None:
        return case
    phase, about = case.meta.phase.name.value, getattr(case.meta.phase.data, "parameter", None)
    surplus = surplus_cursors(case.query, phase, about)
    if surplus:
        case.query = {name: value for name, value in case.query.items() if name not in surplus}
    creates = context.operation is not None and context.operation.definition.raw.get("operationId") == _CREATE
    if phase == "stateful" and creates and isinstance(case.body, dict) and not case.body.get("external_user_id"):
        # A conversation of nobody is in no user's list: the links to it would be dead ends.
        case.body = {**case.body, "external_user_id": "user_abc123"}
    return case


class Coverage:
    """What a run found and reached, gathered from what the engine tells: operations by their id, the key masked.

    `statuses` counts the answers of each operation by status, `links` those to each link that was followed with a value
    from the answer that it belongs to and otherwise valid data.
    """

    def __init__(self, document: Mapping[str, Any], key: str, note: Callable[[int], None]) -> None:
        self._key = key
        self._note = note
        self._own = KeyRedactor({"API_KEY": key})
        self._operation_ids = {f"{method} {path}": spec["operationId"] for method, path, spec in operations(document)}
        labels = {name: label for label, name in self._operation_ids.items()}
        self._links = {
            f"{labels[link.source]} -> [{link.status}] {link.name} -> {labels[link.target]}": link
            for link, _ in links(document)
        }
        self._deletes = {name for label, name in self._operation_ids.items() if label.startswith("DELETE ")}
        self._findings: dict[tuple[str, ...], FuzzFinding] = {}
        self._errors: dict[str, None] = {}
        self.statuses: dict[str, Counter[int]] = {name: Counter() for name in self._operation_ids.values()}
        self.links: dict[Link, Counter[int]] = {link: Counter() for link in self._links.values()}
        self.requests = 0

    @property
    def findings(self) -> tuple[FuzzFinding, ...]:
        """The smallest case of each finding."""
        return tuple(self._findings.values())

    @property
    def errors(self) -> tuple[str, ...]:
        """What kept the engine from its work."""
        return tuple(self._errors)

    @property
    def never_succeeded(self) -> tuple[str, ...]:
        """The operations that never answered 2xx."""
        return tuple(name for name, statuses in self.statuses.items() if not any(map(_succeeds, statuses)))

    @property
    def uncovered_links(self) -> tuple[Link, ...]:
        """The links that nobody has followed to where they lead: a success, or nothing after a delete."""
        return tuple(
            link
            for link, statuses in self.links.items()
            if not any(_succeeds(status) or (status == 404 and link.source in self._deletes) for status in statuses)
        )

    @property
    def walked(self) -> int:
        """How many links were followed to where they lead."""
        return len(self.links) - len(self.uncovered_links)

    @property
    def missed(self) -> list[str]:
        """The links that weren't, as text."""
        return [f"{link.source} -> {link.name} -> {link.target}" for link in self.uncovered_links]

    def add_scenario(self, event: ScenarioFinished) -> None:
        """Take in all that one scenario sent, got and found."""
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            self.requests += 1
            self._count_answer(recorder, case_id, interaction)
        for case_id, checks in recorder.checks.items():
            for check in checks:
                self._add_check(check, recorder.interactions[case_id])
        self._note(self.requests)

    def add_error(self, where: str, what: str) -> None:
        """Take in what kept the engine from its work."""
        self._errors[self._redact(f"{self._operation_ids.get(where, where)}: {what}")] = None

    def _count_answer(self, recorder: ScenarioRecorder, case_id: str, interaction: Interaction) -> None:
        node, answer = recorder.cases[case_id], interaction.response
        case = node.value
        # Coverage tries other methods as well; their answers say nothing of the operation.
        if answer is None or interaction.request.method != case.operation.method.upper():
            return
        self.statuses[self._operation_ids[case.operation.label]][answer.status_code] += 1
        valid = case.meta is not None and case.meta.generation.mode.is_positive
        link = self._links.get(node.transition.id) if node.transition and node.is_transition_applied else None
        if link is not None and valid:
            self.links[link][answer.status_code] += 1

    def _add_check(self, check: CheckNode, interaction: Interaction) -> None:
        if check.failure_info is None or (interaction.response and interaction.response.content == REFUSAL):
            return
        from schemathesis.baseline import failure_identity

        failure = check.failure_info.failure
        request, answer = interaction.request, interaction.response
        label, *rest = failure_identity(failure, check.name)
        operation_id = self._operation_ids.get(label, label)
        finding = FuzzFinding(
            check=check.name,
            operation_id=operation_id,
            title=failure.title,
            message=self._shorten(failure.message),
            identity=(operation_id, *rest),
            seen=1,
            # A shell quotes headers in single quotes: these end, the variable follows, they begin again.
            curl=redact_keys(check.failure_info.code_sample.replace(self._key, "'\"$API_KEY\"'")),
            url=request.uri,
            status=answer.status_code if answer else None,
            body=self._shorten(answer.content.decode("utf-8", "replace")) if answer else "",
        )
        known = self._findings.get(finding.identity, finding)
        smallest = min(known, finding, key=lambda each: len(each.curl))
        seen = known.seen + (known is not finding)
        self._findings[finding.identity] = replace(smallest, seen=seen)

    def _shorten(self, text: str) -> str:
        text = self._redact(text)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text):,} characters)"

    def _redact(self, text: str) -> str:
        return redact_keys(self._own(text))


def _succeeds(status: int) -> bool:
    return 200 <= status < 300
