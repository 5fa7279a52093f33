"""Writes a verdict as JUnit XML: a case a rule, a failure a finding; what can't be said is skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from sandbox.control.verdict.rules import RULES
from sandbox.junit import add_case, add_failure, add_properties, to_xml
from sandbox.redaction import escape


def junit(verdict: Mapping[str, Any]) -> str:
    """Return the document."""
    root = Element("testsuites", name="dimedove-sandbox verdict")
    suite = SubElement(root, "testsuite", name=verdict["app_id"])
    add_properties(suite, ((name, str(verdict[name])) for name in ("requests", "failed_replies", "evicted")))
    for rule in RULES:
        case = add_case(suite, f"verdict.{rule.name}", rule.sentence)
        found = [finding for finding in verdict["findings"] if finding["rule"] == rule.name]
        for finding in found:
            message = escape(finding["message"])
            add_failure(case, rule.name, message, "\n".join([message, rule.advice, "", *finding["requests"]]))
        if not found and verdict["evicted"]:
            said = f"{verdict['evicted']} requests are gone from the journal, so it can't be said"
            SubElement(case, "skipped", message=said)
    return to_xml(root)
