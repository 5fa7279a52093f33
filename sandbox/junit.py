"""Write JUnit XML: suites of cases, each passed, failed, broken or skipped."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

_COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def add_properties(suite: Element, values: Iterable[tuple[str, str]]) -> None:
    """Add names and values that describe a suite."""
    properties = SubElement(suite, "properties")
    for name, value in values:
        SubElement(properties, "property", name=name, value=value)


def add_case(suite: Element, group: str, name: str) -> Element:
    """Add a case, which passed as long as nothing is put into it."""
    return SubElement(suite, "testcase", classname=group, name=name)


def add_failure(case: Element, kind: str, message: str, text: str) -> None:
    """Say why a case failed."""
    SubElement(case, "failure", type=kind, message=message).text = text


def to_xml(report: Element) -> str:
    """Count the cases of every suite, and return the document."""
    for suite in report:
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        for name, tag in _COUNTED:
            suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    document: bytes = tostring(report, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"
