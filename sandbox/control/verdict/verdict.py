"""Puts a verdict together from what every rule finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.apps.journal import RequestRecord
from sandbox.contract import Contract
from sandbox.control.verdict.findings import Finding, Rule, Seen
from sandbox.control.verdict.rules import RULES


def verdict(app_id: str, entries: Iterable[RequestRecord], evicted: int, contract: Contract) -> dict[str, Any]:
    """Judge the client of an app by all entries of the journal.

    Returns `passed` None where nothing was found, but entries are gone.
    """
    own = sorted((entry for entry in entries if _is_of(entry, app_id)), key=lambda entry: entry.started)
    seen = Seen(own, contract)
    found = [finding for rule in RULES for finding in _findings(rule, seen)]
    passed = False if found else None if evicted else True
    # No fault of the client: it is right to go on after a reply that failed.
    failed = sum(entry.reply_status == "failed" for entry in own)
    return {
        "app_id": app_id,
        "passed": passed,
        "requests": len(own),
        "failed_replies": failed,
        "evicted": evicted,
        "findings": found,
    }


def _findings(rule: Rule, seen: Seen) -> Iterator[dict[str, Any]]:
    """Yield what a rule finds; what is said in the same words is one finding."""
    together: dict[str, list[Finding]] = {}
    for finding in rule.check(seen):
        together.setdefault(finding.message, []).append(finding)
    for message, findings in together.items():
        ids = dict.fromkeys(entry.id for finding in findings for entry in finding.shown_by)
        yield {"rule": rule.name, "message": message, "requests": list(ids), "advice": rule.advice}


def _is_of(entry: RequestRecord, app_id: str) -> bool:
    """Say whether the client of an app sent a request; one that missed the API belongs to the app that it names.

    What a person sent from the inspector is not the client's; of what is under way nothing can be said yet.
    """
    if entry.ended is None:
        return False
    if dict(entry.headers).get(b"referer", b"").endswith(b"/_sandbox/"):
        return False
    return entry.app_id == app_id or (entry.app_id is None and app_id.encode() in entry.path.split(b"/"))
