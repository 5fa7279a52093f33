"""What is known already: findings by their fingerprint, checks by their name, each with a reason and a date.

A known finding is shown and doesn't fail; an entry that is no longer needed is named.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.conformance.findings import ConformanceFinding
from sandbox.conformance.preparation import UsageError
from sandbox.conformance.run import Outcome, RunResult

# The two kinds of entry, and the key that says what each is about.
_KINDS = {"known": "finding", "waived": "check"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineEntry:
    """One thing that is known: what it is about, why it may stay, since when."""

    kind: str
    about: str
    reason: str
    date: str

    def __str__(self) -> str:
        return f"{self.about} ({self.reason}, {self.date})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinedResult:
    """A result in the light of a baseline: what fails, what doesn't and why, which entries are no longer needed."""

    result: RunResult
    failing: tuple[ConformanceFinding, ...]
    known: tuple[tuple[ConformanceFinding, BaselineEntry], ...]
    could_not_run: tuple[Outcome, ...]
    waived: tuple[tuple[Outcome, BaselineEntry], ...]
    unneeded: tuple[BaselineEntry, ...]

    @property
    def engine_errors(self) -> tuple[str, ...]:
        """What kept the fuzzer from its work."""
        return self.result.coverage.errors if self.result.coverage else ()

    @property
    def exit_code(self) -> int:
        """0 where the server conforms, 1 where it doesn't or not all was seen, 3 where it stopped without a finding."""
        if self.result.incomplete:
            return 1 if self.failing else 3
        failed = self.failing or self.could_not_run or self.result.never_succeeded or self.engine_errors
        return 1 if failed else 0


def parse_baseline(document: Mapping[str, Any], path: Path) -> tuple[BaselineEntry, ...]:
    """Return what the file of a baseline says.

    Raises:
        UsageError: an entry lacks something.
    """
    strange = sorted(set(document) - set(_KINDS))
    if strange:
        raise UsageError(f"{path}: {strange[0]}: expected [[known]] and [[waived]] alone")
    return tuple(_entry(kind, each, path) for kind in _KINDS for each in _list(document.get(kind, []), kind, path))


def apply_baseline(result: RunResult, entries: tuple[BaselineEntry, ...] = ()) -> BaselinedResult:
    """Split what a run came to into what fails and what is known."""
    findings = [(finding, _find_entry(entries, finding.rule, finding.fingerprint)) for finding in result.findings]
    stuck = filter(lambda outcome: outcome.result == "could not run", result.outcomes)
    outcomes = [(outcome, _find_entry(entries, outcome.check.id)) for outcome in stuck]
    used = {entry for _, entry in (*findings, *outcomes)}
    return BaselinedResult(
        result=result,
        failing=tuple(finding for finding, entry in findings if entry is None),
        known=tuple((finding, entry) for finding, entry in findings if entry),
        could_not_run=tuple(outcome for outcome, entry in outcomes if entry is None),
        waived=tuple((outcome, entry) for outcome, entry in outcomes if entry),
        unneeded=tuple(entry for entry in entries if _is_unneeded(entry, used, result)),
    )


def _find_entry(entries: tuple[BaselineEntry, ...], rule: str, fingerprint: str = "") -> BaselineEntry | None:
    """Return the entry about a rule or a finding; of several the last one, and one about the rule first."""
    about = {"waived": rule, "known": fingerprint}
    return next((entry for entry in reversed(entries) if entry.about == about[entry.kind]), None)


def _is_unneeded(entry: BaselineEntry, used: set[BaselineEntry | None], result: RunResult) -> bool:
    """Say whether what an entry is about was tried and is well; of a fingerprint only the fuzz phase can tell."""
    ran = {outcome.check.id for outcome in result.outcomes if outcome.result in ("kept", "broken", "could not run")}
    return entry not in used and (entry.about in ran or (result.coverage is not None and "-" not in entry.about))


def _list(value: Any, kind: str, path: Path) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UsageError(f"{path}: {kind}: expected tables such as [[{kind}]]")
    return value


def _entry(kind: str, value: Mapping[str, Any], path: Path) -> BaselineEntry:
    name = _KINDS[kind]
    if "law" in value:  # what a check was called before
        value = {"check": value["law"], **value}
    missing = [key for key in (name, "reason", "date") if not value.get(key)]
    if missing:
        raise UsageError(f"{path}: an entry of [[{kind}]] has no {missing[0]}: {name}, reason and date are needed")
    date = value["date"]
    text = date.isoformat() if isinstance(date, datetime.date) else str(date)
    return BaselineEntry(kind=kind, about=str(value[name]), reason=str(value["reason"]), date=text)
