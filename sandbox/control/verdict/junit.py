"""Writes a verdict as JUnit XML: a case a rule, a failure a finding; what can't be said is skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.control.verdict.rules import RULES
from sandbox.redaction import escape


def junit(verdict: Mapping[str, Any]) -> str:
    """Return the document."""
    root = Element("testsuites", name="dimedove-sandbox verdict")
    suite = SubElement(root, "testsuite", name=verdict["app_id"])
    properties = SubElement(suite, "properties")
    for name in ("requests", "failed_replies", "evicted"):
        SubElement(properties, "property", name=name, value=str(verdict[name]))
    for rule in RULES:
        case = SubElement(suite, "testcase", classname=f"verdict.{rule.name}", name=rule.sentence)
        found = [finding for finding in verdict["findings"] if finding["rule"] == rule.name]
        for finding in found:
            failure = SubElement(case, "failure", type=rule.name, message=escape(finding["message"]))
            failure.text = "\n".join([escape(finding["message"]), rule.advice, "", *finding["requests"]])
        if not found and verdict["evicted"]:
            said = f"{verdict['evicted']} requests are gone from the journal, so it can't be said"
            SubElement(case, "skipped", message=said)
    suite.set("tests", str(len(RULES)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in suite.iter("testcase"))))
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"
