"""Texts of a failing test's report, made from the responses of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pytest_dimedove.control import message_of
from pytest_dimedove.fields import Entry, Verdict, VerdictFinding

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_MAX_LINES = 5


def describe_verify(
    question: Mapping[str, Any], result: Mapping[str, Any], entry_of: Callable[[str], Entry]
) -> Iterator[str]:
    """Yield the lines of a failed `verify`; `entry_of` returns a journal entry by its id."""
    times = question.get("times", {"min": 1})
    low, high = (times.get("min"), times.get("max")) if isinstance(times, dict) else (times, times)
    bounds = (
        f"exactly {low}" if low == high else f"from {low or 0} to {high}" if high is not None else f"at least {low}"
    )
    within = f" within {question['within_ms']} ms" if question.get("within_ms") else ""
    yield f"expected {bounds} matching requests{within}, got {result['count']}:"
    for name in ("app_id", "operation", "status", "headers", "body"):
        if name in question:
            yield f"    {name}: {_json(question[name])}"
    if result["verified"] is None:
        yield f"{result['evicted']} entries that could match are no longer in the journal: the result is unknown."
    elif (closest := result["closest"]) and result["count"] < (low or 0):
        yield f"the closest request: {_line(entry_of(closest['id']), question['app_id'])}"
        for miss in closest["misses"]:
            got = f"got {_json(miss['got'])}" if "got" in miss else "got nothing"
            yield f"    {miss['place']}: expected {_json(miss['expected'])}, {got}"


def describe_verdict(
    verdict: Verdict, findings: Sequence[VerdictFinding], entry_of: Callable[[str], Entry]
) -> Iterator[str]:
    """Yield the lines of a verdict; `entry_of` returns a journal entry by its id."""
    app_id = verdict["app_id"]
    yield f"the client of {app_id} did not behave well:" if findings else f"no finding for {app_id}, but:"
    for finding in findings:
        yield f"{finding['rule']}: {_short(finding['message'], app_id)}"
        yield from (f"    {_line(entry_of(entry_id), app_id)}" for entry_id in finding["requests"][:_MAX_LINES])
        if more := finding["requests"][_MAX_LINES:]:
            yield f"    and {len(more)} more"
        yield f"    {finding['advice']}"
    if verdict["evicted"]:
        yield f"{verdict['evicted']} of its requests are no longer in the journal, so the verdict is incomplete."


def merge_coverage(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two coverages as one: all their numbers added up."""
    merged = dict(one)
    for name, value in other.items():
        if isinstance(value, dict):
            merged[name] = merge_coverage(one.get(name, {}), value)
        elif isinstance(value, int):
            merged[name] = one.get(name, 0) + value
    return merged


def describe_coverage(coverage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a coverage: what was never met, a line a topic."""
    operations = coverage["operations"]
    called = {name: sum(parts["statuses"].values()) for name, parts in operations.items()}
    rows: list[tuple[str, Mapping[str, int]]] = [("operations", called)]
    for name, parts in operations.items():
        rows += [(f"{_plain(name)}: {_plain(part)}", counts) for part, counts in parts.items() if called[name]]
    rows += [(_plain(part), coverage[part]) for part in ("error_types", "events", "framings")]
    yield f"{coverage['requests']} requests"
    for title, counts in rows:
        never = [_plain(name) for name, count in counts.items() if not count]
        if counts:
            yield f"{title}: {len(counts) - len(never)} of {len(counts)}" + (
                f"; never {', '.join(never)}" if never else ""
            )


def _plain(name: str) -> str:
    return (
        name.removeprefix("apps_api_").replace("error_types", "error types").replace("request_fields", "request fields")
    )


def describe_requests(app_id: str, entries: Sequence[Entry], waiting: Sequence[Mapping[str, Any]]) -> str:
    """Return the requests of an app, a line each, and the faults and replies that were never used."""
    lines = [line for entry in entries for line in _lines(entry, app_id)] or ["no request came"]
    still = [f"still waiting, never used: {_json(thing)}" for thing in waiting if not thing["used"]]
    return "\n".join([*lines, *still])


def _lines(entry: Entry, app_id: str) -> Iterator[str]:
    yield _line(entry, app_id)
    problem = entry["violation"] or (message_of(_json(entry["response"]).encode()) if entry["response"] else None)
    # The response names the suggested path too.
    warnings = [one for one in entry["warnings"] if one not in (problem or "")]
    yield from (f"    {remark}" for remark in filter(None, [problem, *warnings]))


def _line(entry: Entry, app_id: str) -> str:
    """Return a request in one line, without the common part of the paths."""
    path = _short(entry["path"], app_id) + (f"?{entry['query']}" if entry["query"] else "")
    fault = f"  fault {entry['fault']}" if entry["fault"] else ""
    ended = "" if entry["ended"] == "complete" else f"  {(entry['ended'] or 'under way').replace('_', ' ')}"
    failed = "  reply failed" if entry["reply_status"] == "failed" else ""
    return f"{entry['method']:6} {path}  {entry['status'] or 'no answer'}{fault}{ended}{failed}"


def _short(text: str, app_id: str) -> str:
    return text.replace(f"/v1/apps/{app_id}", "…")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
