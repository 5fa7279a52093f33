"""What is known already: findings by their fingerprint, laws and checks by their name, each with a reason and a date.

A known finding is shown and doesn't fail; an entry that is no longer needed is said.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.conformance.findings import Finding
from sandbox.conformance.preparation import WrongUse
from sandbox.conformance.run import Outcome, Verdict

_MOST_BYTES = 1024 * 1024
# The two kinds of entry, and the key that says what each is about.
_KINDS = {"known": "finding", "waived": "law"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is known: what it is about, why it may stay, since when."""

    kind: str
    about: str
    reason: str
    date: str

    def __str__(self) -> str:
        return f"{self.about} ({self.reason}, {self.date})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A verdict in the light of what was known: what fails, what doesn't and why, what is not needed any more."""

    verdict: Verdict
    failing: tuple[Finding, ...]
    known: tuple[tuple[Finding, Entry], ...]
    could_not_run: tuple[Outcome, ...]
    waived: tuple[tuple[Outcome, Entry], ...] = ()
    unneeded: tuple[Entry, ...] = ()
    engine_errors: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 where the server conforms, 1 where it doesn't or not all was seen, 3 where it stopped without a finding."""
        if self.verdict.incomplete:
            return 1 if self.failing else 3
        failed = self.failing or self.could_not_run or self.verdict.never_succeeded or self.engine_errors
        return 1 if failed else 0


def read(path: Path) -> tuple[Entry, ...]:
    """Read a baseline.

    Raises:
        WrongUse: it can't be read, or an entry lacks something.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise WrongUse(f"{path}: can't be read: larger than {_MOST_BYTES:,} bytes")
        document = tomllib.loads(raw.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongUse(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise WrongUse(f"{path}: can't be read: nested too deeply") from None
    except ValueError:  # Python reads no decimal number of more than 4,300 digits
        raise WrongUse(f"{path}: can't be read: a number has too many digits") from None
    strange = sorted(set(document) - set(_KINDS))
    if strange:
        raise WrongUse(f"{path}: {strange[0]}: expected [[known]] and [[waived]] alone")
    return tuple(_entry(kind, each, path) for kind in _KINDS for each in _list(document.get(kind, []), kind, path))


def weigh(verdict: Verdict, entries: tuple[Entry, ...] = ()) -> Weighed:
    """Hold a verdict against what was known."""
    by_finding = {entry.about: entry for entry in entries if entry.kind == "known"}
    by_rule = {entry.about: entry for entry in entries if entry.kind == "waived"}
    known = [
        (finding, by_rule.get(finding.rule) or by_finding[finding.fingerprint])
        for finding in verdict.findings
        if finding.rule in by_rule or finding.fingerprint in by_finding
    ]
    stuck = [outcome for outcome in verdict.outcomes if outcome.result == "could not run"]
    used = {entry for _, entry in known} | {by_rule[outcome.law.id] for outcome in stuck if outcome.law.id in by_rule}
    ran = {outcome.law.id for outcome in verdict.outcomes if outcome.result in ("kept", "broken", "could not run")}
    checked = verdict.exercise is not None
    return Weighed(
        verdict=verdict,
        failing=tuple(each for each in verdict.findings if each not in [finding for finding, _ in known]),
        known=tuple(known),
        could_not_run=tuple(outcome for outcome in stuck if outcome.law.id not in by_rule),
        waived=tuple((outcome, by_rule[outcome.law.id]) for outcome in stuck if outcome.law.id in by_rule),
        unneeded=tuple(e for e in entries if e not in used and (e.about in ran or (checked and "-" not in e.about))),
        engine_errors=verdict.exercise.errors if verdict.exercise else (),
    )


def _list(value: Any, kind: str, path: Path) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise WrongUse(f"{path}: {kind}: expected tables such as [[{kind}]]")
    return value


def _entry(kind: str, value: Mapping[str, Any], path: Path) -> Entry:
    name = _KINDS[kind]
    missing = [key for key in (name, "reason", "date") if not value.get(key)]
    if missing:
        raise WrongUse(f"{path}: an entry of [[{kind}]] has no {missing[0]}: {name}, reason and date are needed")
    date = value["date"]
    text = date.isoformat() if isinstance(date, datetime.date) else str(date)
    return Entry(kind=kind, about=str(value[name]), reason=str(value["reason"]), date=text)
