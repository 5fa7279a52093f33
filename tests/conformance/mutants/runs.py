"""Runs `conform` against a mutant in this process, and tells what it found."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from sandbox.cli import main
from sandbox.conformance.checks import all_checks
from tests.conformance.mutants.seams import Mutant
from tests.support.running import running

# Words that ask for every check, and so for no fuzz phase.
CHECKS_ALONE = tuple(f"--check={topic}" for topic in dict.fromkeys(check.topic for check in all_checks()))


@dataclass(frozen=True, kw_only=True)
class ConformRun:
    """What came of one run: the exit code, and of each finding the rule and the clause it names."""

    code: int
    found: tuple[tuple[str, str], ...]
    said: str

    def rules(self, clauses: tuple[str, ...]) -> list[str]:
        """Return the rules whose findings name one of these clauses."""
        return [rule for rule, clause in self.found if clause in clauses]


def run_conform(app: ASGIApp, *words: str, quick: bool = True) -> ConformRun:
    """Run `conform` against a fresh server in this process."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, running(app) as origin:
        report = Path(folder) / "report.json"
        options = ["--json", str(report), "--max-wait", "5", *(["--quick"] if quick else []), *words]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main(["conform", origin, *options], {})
        findings = json.loads(report.read_text())["findings"] if report.exists() else []
    found = tuple((finding["rule"], finding["clause"]) for finding in findings)
    return ConformRun(code=code, found=found, said=out.getvalue())


def run_on_mutant(mutant: Mutant, *words: str, quick: bool = True) -> ConformRun:
    """Run `conform` against a mutant."""
    other = ["--other-key", mutant.other_key] if mutant.other_key else []
    return run_conform(mutant.serve(), *other, *words, quick=quick)
