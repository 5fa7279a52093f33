"""Judge an app's client by the requests in the journal (docs/control.md, Verdict)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from sandbox.apps.request_record import RequestRecord
from sandbox.contract import Contract
from sandbox.control.apps import existing_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.verdict.rules import RULES, Rule, RuleFinding
from sandbox.control.verdict.traffic import ClientTraffic
from sandbox.handler_types import NegotiatedResult
from sandbox.junit import add_case, add_failure, add_properties, to_xml
from sandbox.long_work import in_thread
from sandbox.redaction import escape


async def get_verdict(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say how an app's client behaved, as JSON or as JUnit XML."""
    app = await existing_app(request.app_id, services)
    own, unmatched = [await services.journal.view(each) for each in (app.journal, services.journal.no_app)]
    evicted, records = own.count_evicted(), chain(own.newest_first(), unmatched.newest_first())
    # In a thread: there may be thousands, and other requests get through meanwhile.
    verdict = await in_thread(judge_client, app.id, records, evicted, services.contract)
    return NegotiatedResult(verdict, {"application/xml": partial(to_junit, verdict)})


def judge_client(app_id: str, records: Iterable[RequestRecord], evicted: int, contract: Contract) -> dict[str, Any]:
    """Apply every rule to the requests of an app's client.

    Returns `passed` None where nothing was found, but `evicted` requests are gone from the journal.
    """
    own = sorted((record for record in records if _is_of_client(record, app_id)), key=lambda record: record.started)
    traffic = ClientTraffic(own, contract)
    findings = [finding for rule in RULES for finding in _apply_rule(rule, traffic)]
    return {
        "app_id": app_id,
        "passed": False if findings else None if evicted else True,
        "requests": len(own),
        # No fault of the client: it is right to go on after a reply that failed.
        "failed_replies": sum(record.reply_status == "failed" for record in own),
        "evicted": evicted,
        "findings": findings,
    }


def to_junit(verdict: Mapping[str, Any]) -> str:
    """Return a verdict as JUnit XML: a case a rule, a failure a finding; what can't be said is skipped."""
    root = Element("testsuites", name="dimedove-sandbox verdict")
    suite = SubElement(root, "testsuite", name=verdict["app_id"])
    add_properties(suite, ((name, str(verdict[name])) for name in ("requests", "failed_replies", "evicted")))
    for rule in RULES:
        case = add_case(suite, f"verdict.{rule.name}", rule.sentence)
        findings = [finding for finding in verdict["findings"] if finding["rule"] == rule.name]
        for finding in findings:
            message = escape(finding["message"])
            add_failure(case, rule.name, message, "\n".join([message, rule.advice, "", *finding["requests"]]))
        if not findings and verdict["evicted"]:
            reason = f"{verdict['evicted']} requests are gone from the journal, so it can't be said"
            SubElement(case, "skipped", message=reason)
    return to_xml(root)


def _apply_rule(rule: Rule, traffic: ClientTraffic) -> Iterator[dict[str, Any]]:
    """Yield what a rule finds; findings with the same message are one."""
    by_message: dict[str, list[RuleFinding]] = {}
    for finding in rule.check(traffic):
        by_message.setdefault(finding.message, []).append(finding)
    for message, findings in by_message.items():
        ids = dict.fromkeys(record.id for finding in findings for record in finding.evidence)
        yield {"rule": rule.name, "message": message, "requests": list(ids), "advice": rule.advice}


def _is_of_client(record: RequestRecord, app_id: str) -> bool:
    """Say whether the client of an app sent a request; one that missed the API belongs to the app that it names.

    What a person sent from the inspector is not the client's; of what is under way nothing can be said yet.
    """
    if record.ended is None:
        return False
    if dict(record.headers).get(b"referer", b"").endswith(b"/_sandbox/"):
        return False
    return record.app_id == app_id or (record.app_id is None and app_id.encode() in record.path.split(b"/"))
