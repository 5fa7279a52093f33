"""Writes a run as one JSON document, whole: for programs, and to look up what the terminal shortened."""

from __future__ import annotations

import json
from typing import Any

from sandbox.conformance.baseline import Entry, Weighed
from sandbox.conformance.findings import as_json
from sandbox.conformance.report import conclusion


def json_report(weighed: Weighed) -> str:
    """Return the document; ASCII alone, so that nothing in it can fool a terminal."""
    verdict = weighed.verdict
    value: dict[str, Any] = {
        "version": 1,
        "url": verdict.plan.url,
        "app": verdict.app,
        "run": verdict.run,
        "seed": verdict.plan.seed,
        "sandbox": verdict.is_sandbox,
        "conclusion": conclusion(weighed),
        "exit_code": weighed.exit_code,
        "incomplete": verdict.incomplete,
        "findings": [as_json(finding) for finding in weighed.failing],
        "known": [{**as_json(finding), "entry": _entry(entry)} for finding, entry in weighed.known],
        "waived": [{"law": outcome.law.id, "entry": _entry(entry)} for outcome, entry in weighed.waived],
        "unneeded": [_entry(entry) for entry in weighed.unneeded],
        "never_succeeded": list(verdict.never_succeeded),
        "errors": list(weighed.engine_errors),
        "laws": [
            {
                "id": outcome.law.id,
                "sentence": outcome.law.sentence,
                "clause": outcome.law.clause,
                "source": outcome.law.source,
                "needs": outcome.law.needs,
                "result": outcome.result,
                "reason": outcome.reason,
            }
            for outcome in verdict.outcomes
        ],
        "not_asked_for": verdict.not_asked_for,
        "statuses": {name: {str(status): n for status, n in seen.items()} for name, seen in verdict.statuses.items()},
        "links": _links(weighed),
        "requests": verdict.requests,
        "messages": verdict.messages,
        "left": verdict.left,
    }
    return json.dumps(value, indent=2) + "\n"


def _entry(entry: Entry) -> dict[str, str]:
    return {"kind": entry.kind, "about": entry.about, "reason": entry.reason, "date": entry.date}


def _links(weighed: Weighed) -> dict[str, Any] | None:
    exercise = weighed.verdict.exercise
    if exercise is None:
        return None
    missed = [f"{link.source} -> {link.name} -> {link.target}" for link in exercise.never_walked]
    return {"walked": len(exercise.links) - len(missed), "of": len(exercise.links), "missed": missed}
