"""Runs the judge on every mutant and writes docs/judge.md: each break, and what caught it.

    python -m tests.conformance.judge_table [--quick | --laws] [--schemathesis] [--processes N] [--results FILE]

A default run is about a minute of work a mutant; `--quick` about ten seconds; `--laws` about three: the laws alone, and
part one only where these find nothing. With `--results` what was found is kept, and a run that was stopped goes on
where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from starlette.types import ASGIApp

from sandbox import create_app
from sandbox.conformance.laws import all_laws
from tests.conformance.mutants import all_mutants
from tests.conformance.mutants.judging import judge_mutant, judged
from tests.conformance.mutants.seams import KEY, Mutant
from tests.conformance.running import running

PAGE = Path(__file__).resolve().parents[2] / "docs" / "judge.md"
SEEDS = range(1, 21)
HOW = {
    "default": "the default run",
    "--quick": "`--quick`, a short part one and all laws",
    "--laws": "the laws alone (part two), and with `--quick` where these find nothing",
}
MUTANTS = {mutant.name: mutant for mutant in all_mutants()}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one run came to; `seed` is of runs against the unbroken server."""

    name: str
    how: str
    code: int
    caught_by: list[str]
    findings: int
    seconds: float
    schemathesis: list[str] | None = None


def main(argv: list[str]) -> int:
    """Fill the table, write it, and return 1 if anything came out otherwise than it should."""
    parser = argparse.ArgumentParser(prog="judge_table", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", dest="how", action="store_const", const="--quick", default="default")
    parser.add_argument("--laws", dest="how", action="store_const", const="--laws")
    parser.add_argument("--schemathesis", action="store_true", help="add what a default `schemathesis run` finds")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, help="file with what was found, a line a run")
    asked = parser.parse_args(argv)
    kept = asked.results.read_text().splitlines() if asked.results and asked.results.exists() else []
    rows = {row.name: row for line in kept if (row := Row(**json.loads(line))).how == asked.how}
    names = [*reversed(MUTANTS), *(f"seed {seed}" for seed in SEEDS)]
    with ProcessPoolExecutor(asked.processes) as pool:
        runs = [pool.submit(run, name, asked.how, asked.schemathesis) for name in names if name not in rows]
        for done in as_completed(runs):
            row = done.result()
            rows[row.name] = row
            print(f"{row.seconds:5.1f} s  exit {row.code}  {row.name}: {', '.join(row.caught_by) or '-'}", flush=True)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
    PAGE.write_text(page(rows, asked.how))
    return 0 if as_it_should(rows) else 1


def run(name: str, how: str, schemathesis: bool) -> Row:
    """Carry out one run."""
    logging.disable(logging.CRITICAL)
    began = monotonic()
    words = ["--quick"] if how == "--quick" else []
    if how == "--laws":
        words = [word for law in all_laws() for word in ("--law", law.id)]
    mutant = MUTANTS.get(name)
    if mutant is None:
        result, rules = judged(create_app(), *words, "--seed", name.removeprefix("seed "), quick=False), []
    else:
        result = judge_mutant(mutant, *words, quick=False)
        if how == "--laws" and not result.rules(mutant.clauses):
            result = judge_mutant(mutant)
        rules = result.rules(mutant.clauses)
    seconds = monotonic() - began
    other = _schemathesis(mutant.serve() if mutant else create_app(), seconds) if schemathesis else None
    return Row(
        name=name,
        how=how,
        code=result.code,
        caught_by=list(dict.fromkeys(rules)),
        findings=len(result.found),
        seconds=round(seconds, 1),
        schemathesis=other,
    )


def as_it_should(rows: dict[str, Row]) -> bool:
    """Say whether every break was caught and nothing else was."""
    caught = all(rows[mutant.name].code == 1 and rows[mutant.name].caught_by for mutant in all_mutants())
    return caught and not any(row.findings or row.code for row in rows.values() if row.name not in MUTANTS)


def page(rows: dict[str, Row], how: str) -> str:
    """Return docs/judge.md."""
    others = [row for row in rows.values() if row.schemathesis is not None]
    # What it says of the unbroken server too is no find.
    noise = {failure for row in others if row.name not in MUTANTS for failure in row.schemathesis or ()}
    caught = [mutant for mutant in all_mutants() if rows[mutant.name].caught_by and rows[mutant.name].code == 1]
    clean = [row for row in rows.values() if row.name not in MUTANTS]
    head = "| break | clause | caught by |" + (" a default `schemathesis run` |" if others else "")
    lines = [
        "# The judge is judged",
        "",
        "Written by `python -m tests.conformance.judge_table`; don't edit.",
        "",
        f"Each row is our own server with one thing broken (tests/conformance/mutants/), judged by {HOW[how]}. "
        f"A break is caught when the run ends with exit code 1 and a finding names one of its clauses "
        f"([contract.md](contract.md)): {len(caught)} of {len(all_mutants())} are. "
        f"The unbroken server, judged in the same way with {len(clean)} seeds, has "
        f"{sum(row.findings for row in clean)} findings.",
        "",
        head,
        "|---|---|---|" + ("---|" if others else ""),
        *(_line(mutant, rows[mutant.name], noise if others else None) for mutant in all_mutants()),
    ]
    return "\n".join(lines) + "\n"


def _line(mutant: Mutant, row: Row, noise: set[str] | None) -> str:
    names = [f"`{rule}`" if "_" in rule else rule for rule in row.caught_by]
    by = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    cells = [mutant.name, " ".join(mutant.clauses), by or "**nothing**"]
    if noise is not None:
        cells.append(", ".join(failure for failure in row.schemathesis or () if failure not in noise) or "nothing")
    return f"| {' | '.join(cells)} |"


def _schemathesis(app: ASGIApp, seconds: float) -> list[str]:
    """Return the kinds of failure that a default run finds, which may take as long as the judge took."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    key = ["--header", f"Authorization: Bearer {KEY}"]
    with running(app) as origin, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        limits = ["--max-time", str(max(round(seconds), 1)), "--report-json-path", str(report)]
        command = [program, "run", *key, *limits, f"{origin}/openapi.json"]
        subprocess.run(command, capture_output=True, cwd=folder, check=False)  # noqa: S603 - our own
        said = json.loads(report.read_text())
    return sorted({str(failure["title"]) for failure in said["failures"]})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
