"""Writes a run as JUnit XML: a case a law, a case an operation of part one, what was exercised as properties."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from sandbox.conformance.baseline import Weighed
from sandbox.conformance.findings import Finding
from sandbox.conformance.shown import harmless


def junit(weighed: Weighed) -> str:
    """Return the document."""
    root = Element("testsuites", name="dimedove-sandbox conform")
    if weighed.verdict.exercise is not None:
        _checks(SubElement(root, "testsuite", name="contract"), weighed)
    _laws(SubElement(root, "testsuite", name="laws"), weighed)
    for suite in root:
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _checks(suite: Element, weighed: Weighed) -> None:
    _properties(suite, weighed)
    for operation in weighed.verdict.statuses:
        case = SubElement(suite, "testcase", classname="contract", name=operation)
        for finding in weighed.failing:
            if not finding.is_law and finding.operations[:1] == (operation,):
                _failure(case, finding)
        if operation in weighed.verdict.never_succeeded:
            SubElement(case, "error", message="it never answered 2xx: nothing is known of it")
    errors = SubElement(suite, "testcase", classname="contract", name="engine")
    for error in weighed.engine_errors:
        SubElement(errors, "error", message=harmless(error))


def _laws(suite: Element, weighed: Weighed) -> None:
    if weighed.verdict.exercise is None:
        _properties(suite, weighed)
    if weighed.verdict.incomplete:
        case = SubElement(suite, "testcase", classname="laws", name="the whole run")
        SubElement(case, "error", message=harmless(weighed.verdict.incomplete))
    broken = {finding.rule: finding for finding in weighed.failing if finding.is_law}
    known = {finding.rule: entry for finding, entry in weighed.known if finding.is_law}
    waived = {outcome.law.id: entry for outcome, entry in weighed.waived}
    for outcome in weighed.verdict.outcomes:
        law = outcome.law
        case = SubElement(suite, "testcase", classname=f"laws.{law.topic}", name=f"{law.id}: {law.sentence}")
        if law.id in broken:
            _failure(case, broken[law.id])
        elif law.id in known:
            SubElement(case, "skipped", message=harmless(f"known: {known[law.id]}"))
        elif law.id in waived:
            SubElement(case, "skipped", message=harmless(f"waived: {waived[law.id]}"))
        elif outcome.result == "could not run":
            SubElement(case, "error", message=harmless(outcome.reason))
        elif outcome.result != "kept":
            SubElement(case, "skipped", message=harmless(f"{outcome.result}: {outcome.reason}"))


def _failure(case: Element, finding: Finding) -> None:
    said = f"expected {finding.expected}, got {finding.got}"
    failure = SubElement(case, "failure", type=finding.rule, message=harmless(said))
    where = f"clause {finding.clause} of docs/contract.md [{finding.source}], fingerprint {finding.fingerprint}"
    failure.text = harmless("\n".join([finding.sentence, where, said, "", finding.script]), lines=True)


def _properties(suite: Element, weighed: Weighed) -> None:
    properties = SubElement(suite, "properties")
    for name, value in _exercised(weighed):
        SubElement(properties, "property", name=name, value=harmless(value))


def _exercised(weighed: Weighed) -> Iterable[tuple[str, str]]:
    verdict = weighed.verdict
    yield "url", verdict.plan.url
    yield "app", verdict.app
    yield "run", verdict.run
    yield "requests", str(verdict.requests)
    yield "messages", str(verdict.messages)
    if verdict.incomplete:
        yield "incomplete", verdict.incomplete
    for operation, seen in verdict.statuses.items():
        yield f"statuses.{operation}", " ".join(f"{status}:{number}" for status, number in sorted(seen.items()))
    if verdict.exercise is not None:
        yield (
            "links",
            f"{len(verdict.exercise.links) - len(verdict.exercise.never_walked)}/{len(verdict.exercise.links)}",
        )
