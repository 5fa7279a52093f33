"""What a run found and reached, for a person, for programs (JSON, JUnit XML) and as a GitHub job's summary.

For a person findings come first and the conclusion last, within 80 columns.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from sandbox.conformance.baseline import BaselinedResult
from sandbox.conformance.check import Check
from sandbox.conformance.findings import ConformanceFinding, as_json
from sandbox.conformance.output import escape
from sandbox.junit import add_case, add_failure, add_properties, to_xml

COLUMNS = 80

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}
_MAX_SCRIPT_LINES = 80
_MAX_LISTED = 12


class Report:
    """Write a result as lines of text."""

    def __init__(self, baselined: BaselinedResult, *, colour: bool = False) -> None:
        self._baselined = baselined
        self._result = baselined.result
        self._colour = colour

    def lines(self) -> Iterator[str]:
        """Yield the whole report."""
        total = len(self._baselined.failing)
        for number, finding in enumerate(self._baselined.failing, 1):
            yield from self._finding(finding, f"finding {number} of {total}")
            yield ""
        yield from _block(self._known())
        yield from _block(self._not_seen())
        yield from self._exercised()
        yield from self._not_asked_for()
        yield ""
        yield from self._conclusion()

    def _finding(self, finding: ConformanceFinding, head: str) -> Iterator[str]:
        where = f"clause {finding.clause} of docs/contract.md [{finding.source}]"
        yield self._painted("red", escape(f"{head}: {finding.rule}, {where}"))
        yield from wrapped(finding.sentence, "  ")
        yield from wrapped(finding.expected, "  expected  ")
        yield from wrapped(finding.got, "  got       ")
        seen = f"{finding.seen} times" if finding.seen > 1 else "once"
        where = f", at {', '.join(finding.operations)}" if finding.operations else ""
        yield from wrapped(f"{seen}{where}; fingerprint {finding.fingerprint}", "  seen      ")
        if finding.script:
            yield "  repeat    (with the key in API_KEY)"
            lines = escape(finding.script, lines=True).splitlines()
            yield from (f"    {line}" for line in lines[:_MAX_SCRIPT_LINES])
            if len(lines) > _MAX_SCRIPT_LINES:
                yield f"    … {len(lines) - _MAX_SCRIPT_LINES} more lines; --json has them all"

    def _known(self) -> Iterator[str]:
        for finding, entry in self._baselined.known:
            yield from wrapped(f"{finding.rule}: {finding.sentence} Known: {entry}", "known     ")
        for outcome, entry in self._baselined.waived:
            yield from wrapped(f"{outcome.check.id}: {outcome.reason}. Waived: {entry}", "waived    ")
        for entry in self._baselined.unneeded:
            yield from wrapped(f"{entry}: no longer needed, take it out", "baseline  ")

    def _not_seen(self) -> Iterator[str]:
        for outcome in self._baselined.could_not_run:
            yield from wrapped(f"{outcome.check.id} could not run: {outcome.reason}", "not seen  ")
        for name in self._result.never_succeeded:
            yield from wrapped(f"{name} never answered 2xx: nothing is known of it", "not seen  ")
        for error in self._baselined.engine_errors:
            yield from wrapped(error, "engine    ")

    def _exercised(self) -> Iterator[str]:
        result = self._result
        yield self._painted("bold", "exercised")
        for name, seen in result.statuses.items():
            counts = "  ".join(f"{status}: {number}" for status, number in sorted(seen.items())) or "not at all"
            yield from wrapped(counts, f"  {name.removeprefix('apps_api_'):25}")
        if result.coverage is not None:
            yield f"  links walked: {result.coverage.walked} of {len(result.coverage.links)}"
        yield from wrapped(_results(self._baselined), "  checks: ")
        yield f"  {result.requests:,} requests, {result.messages} messages and completions answered"
        if not result.is_sandbox and result.left:
            yield f"  {result.left} conversations are left, marked {result.run} in their metadata"

    def _not_asked_for(self) -> Iterator[str]:
        reasons: dict[str, list[Check]] = {}
        for outcome in self._result.outcomes:
            if outcome.result in ("not asked for", "not applicable"):
                reasons.setdefault(f"{outcome.result}: {outcome.reason}", []).append(outcome.check)
        for reason, checks in reasons.items():
            topics = Counter(check.topic for check in checks)
            few = [str(check) for check in checks] if len(checks) < _MAX_LISTED else []
            yield from wrapped(f"{reason}: {', '.join(few or [f'{n} of {name}' for name, n in topics.items()])}", "  ")
        for text in self._result.not_asked_for:
            yield from wrapped(f"not asked for: {text}", "  ")

    def _conclusion(self) -> Iterator[str]:
        if self._result.incomplete:
            yield from wrapped(conclusion(self._baselined), "")
        else:
            yield self._painted("red" if self._baselined.exit_code else "green", conclusion(self._baselined))

    def _painted(self, colour: str, text: str) -> str:
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self._colour else text


def conclusion(baselined: BaselinedResult) -> str:
    """Return what came of a run in one line."""
    if baselined.result.incomplete:
        found = f"does not conform: {_counted(len(baselined.failing), 'finding')}; " if baselined.failing else ""
        return f"{found}stopped early: {escape(baselined.result.incomplete)}"
    known = f" ({len(baselined.known)} known)" if baselined.known else ""
    if baselined.exit_code == 0:
        return f"conforms{known}"
    parts = (
        (len(baselined.failing), "finding"),
        (len(baselined.could_not_run), "check that could not run"),
        (len(baselined.result.never_succeeded), "operation that never succeeded"),
        (len(baselined.engine_errors), "error of the engine"),
    )
    return f"does not conform: {', '.join(_counted(number, what) for number, what in parts if number)}{known}"


def json_report(baselined: BaselinedResult) -> str:
    """Return a run as one JSON document, whole; ASCII alone, so that nothing in it can fool a terminal."""
    result, coverage = baselined.result, baselined.result.coverage
    value: dict[str, Any] = {
        "version": 1,
        "url": result.plan.url,
        "app": result.app,
        "run": result.run,
        "seed": result.plan.seed,
        "sandbox": result.is_sandbox,
        "conclusion": conclusion(baselined),
        "exit_code": baselined.exit_code,
        "incomplete": result.incomplete,
        "findings": [as_json(finding) for finding in baselined.failing],
        "known": [{**as_json(finding), "entry": asdict(entry)} for finding, entry in baselined.known],
        "waived": [{"law": outcome.check.id, "entry": asdict(entry)} for outcome, entry in baselined.waived],
        "unneeded": [asdict(entry) for entry in baselined.unneeded],
        "never_succeeded": list(result.never_succeeded),
        "errors": list(baselined.engine_errors),
        "laws": [
            {
                **{name: getattr(outcome.check, name) for name in ("id", "sentence", "clause", "source", "needs")},
                "result": outcome.result,
                "reason": outcome.reason,
            }
            for outcome in result.outcomes
        ],
        "not_asked_for": result.not_asked_for,
        "statuses": {name: {str(status): n for status, n in seen.items()} for name, seen in result.statuses.items()},
        "links": coverage and {"walked": coverage.walked, "of": len(coverage.links), "missed": coverage.missed},
        "requests": result.requests,
        "messages": result.messages,
        "left": result.left,
    }
    return json.dumps(value, indent=2) + "\n"


def junit_report(baselined: BaselinedResult) -> str:
    """Return a run as JUnit XML: a case a check, a case an operation, what was reached as properties."""
    root = Element("testsuites", name="dimedove-sandbox conform")
    if baselined.result.coverage is not None:
        _add_fuzz_cases(SubElement(root, "testsuite", name="contract"), baselined)
    _add_check_cases(SubElement(root, "testsuite", name="laws"), baselined)
    return to_xml(root)


def job_summary(baselined: BaselinedResult) -> str:
    """Return a run as the summary of a GitHub job, in Markdown; what the server sent stands in code alone."""
    lines = [f"### dimedove-sandbox conform: {_code(conclusion(baselined))}", ""]
    if baselined.failing:
        lines += ["| rule | clause | expected | got |", "|---|---|---|---|"]
        lines += [
            f"| {_code(each.rule)} | {each.clause} [{each.source}] | {_code(each.expected)} | {_code(each.got)} |"
            for each in baselined.failing
        ]
        lines.append("")
    result = baselined.result
    lines.append(f"Checks: {_results(baselined)}.")
    lines.append(f"Requests: {result.requests:,}; messages and completions: {result.messages}.")
    return "\n".join([*lines, ""])


def wrapped(text: str, head: str) -> Iterator[str]:
    """Yield a text, escaped, in lines of at most 80 columns: the first after a head, the others below its end."""
    width = max(COLUMNS - len(head), 20)
    # Escaped again after it was wrapped: a break must not make a command of a CI's log.
    lines = textwrap.wrap(escape(text), width, break_long_words=True, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield (head if number == 0 else " " * len(head)) + escape(line)


def _add_fuzz_cases(suite: Element, baselined: BaselinedResult) -> None:
    add_properties(suite, _properties(baselined))
    for operation in baselined.result.statuses:
        case = add_case(suite, "contract", operation)
        for finding in baselined.failing:
            if not finding.is_check and finding.operations[:1] == (operation,):
                _add_finding(case, finding)
        if operation in baselined.result.never_succeeded:
            SubElement(case, "error", message="it never answered 2xx: nothing is known of it")
    engine = add_case(suite, "contract", "engine")
    for error in baselined.engine_errors:
        SubElement(engine, "error", message=escape(error))


def _add_check_cases(suite: Element, baselined: BaselinedResult) -> None:
    if baselined.result.coverage is None:
        add_properties(suite, _properties(baselined))
    if baselined.result.incomplete:
        SubElement(add_case(suite, "laws", "the whole run"), "error", message=escape(baselined.result.incomplete))
    failing = {finding.rule: finding for finding in baselined.failing if finding.is_check}
    excused = {finding.rule: f"known: {entry}" for finding, entry in baselined.known if finding.is_check}
    excused |= {outcome.check.id: f"waived: {entry}" for outcome, entry in baselined.waived}
    for outcome in baselined.result.outcomes:
        check = outcome.check
        case = add_case(suite, f"laws.{check.topic}", f"{check.id}: {check.sentence}")
        if check.id in failing:
            _add_finding(case, failing[check.id])
        elif check.id in excused:
            SubElement(case, "skipped", message=escape(excused[check.id]))
        elif outcome.result == "could not run":
            SubElement(case, "error", message=escape(outcome.reason))
        elif outcome.result != "kept":
            SubElement(case, "skipped", message=escape(f"{outcome.result}: {outcome.reason}"))


def _add_finding(case: Element, finding: ConformanceFinding) -> None:
    message = f"expected {finding.expected}, got {finding.got}"
    where = f"clause {finding.clause} of docs/contract.md [{finding.source}], fingerprint {finding.fingerprint}"
    text = "\n".join([finding.sentence, where, message, "", finding.script])
    add_failure(case, finding.rule, escape(message), escape(text, lines=True))


def _properties(baselined: BaselinedResult) -> Iterator[tuple[str, str]]:
    result = baselined.result
    values = {
        "url": result.plan.url,
        "app": result.app,
        "run": result.run,
        "requests": str(result.requests),
        "messages": str(result.messages),
    }
    if result.incomplete:
        values["incomplete"] = result.incomplete
    for operation, seen in result.statuses.items():
        values[f"statuses.{operation}"] = " ".join(f"{status}:{number}" for status, number in sorted(seen.items()))
    if result.coverage is not None:
        values["links"] = f"{result.coverage.walked}/{len(result.coverage.links)}"
    return ((name, escape(value)) for name, value in values.items())


def _results(baselined: BaselinedResult) -> str:
    """Return how many checks came to which result."""
    results = Counter(outcome.result for outcome in baselined.result.outcomes)
    return ", ".join(f"{number} {result}" for result, number in results.items())


def _block(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines and an empty one after them; nothing if there are none."""
    block = list(lines)
    return iter([*block, ""] if block else [])


def _counted(number: int, what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{number} {first}{'s' if number > 1 else ''} {rest}".rstrip()


def _code(text: str) -> str:
    short = textwrap.shorten(escape(text), 200, placeholder=" …").replace("|", "¦")
    ticks = "`" * (1 + max((len(run) for run in short.replace("`", " ` ").split() if set(run) == {"`"}), default=0))
    while ticks in short:
        ticks += "`"
    return f"{ticks} {short} {ticks}"
