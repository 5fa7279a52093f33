"""Run the suite on every mutant and write tests/conformance/mutants.md: each break, and what caught it.

    python -m tests.conformance.mutant_table [--default] [--schemathesis] [--processes N] [--results FILE]

The suite runs with `--quick`, about five seconds of work a mutant; with `--default` as a default run does, about
fifteen. `--schemathesis` adds what a default `schemathesis run` finds in the same time, which is as much again. With
`--results` what was found is kept, and a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from starlette.types import ASGIApp

from sandbox import create_app
from tests.conformance.mutants import all_mutants
from tests.conformance.mutants.runs import run_conform, run_on_mutant
from tests.conformance.mutants.seams import KEY, Mutant
from tests.support.running import running

PAGE = Path(__file__).with_name("mutants.md")
SEEDS = {f"seed {seed}": seed for seed in range(1, 21)}
MUTANTS = {mutant.name: mutant for mutant in all_mutants()}
# What the suite takes on an idle core, in seconds; schemathesis is given as much.
TIME = {"--quick": 5, "--default": 15}
# What schemathesis finds on the unbroken server is no find. It is given more time there, so that little is overlooked.
UNBROKEN = list(SEEDS)[:3]
MORE = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one run came to: `how` is `--quick`, `--default` or `schemathesis 5 s`; `name` is of a mutant, or a seed.

    `found` are the suite's rules whose findings name a clause of the mutant's, or schemathesis' kinds of failure;
    `findings` counts all, `code` is the exit code of the command.
    """

    name: str
    how: str
    code: int
    found: list[str]
    findings: int
    seconds: float


class Results:
    """The rows of a run, kept in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file and file.exists() else []
        self._rows = {(row.how, row.name): row for row in (Row(**json.loads(line)) for line in lines)}

    def of(self, how: str) -> dict[str, Row]:
        """Return the rows of one way to run, by name."""
        return {name: row for (kind, name), row in self._rows.items() if kind == how}

    def fill(self, how: str, names: Iterable[str], run: Callable[[str, str], Row], pool: ProcessPoolExecutor) -> None:
        """Run what has no row yet."""
        waiting = [pool.submit(run, name, how) for name in names if name not in self.of(how)]
        for done in as_completed(waiting):
            row = done.result()
            self._rows[(how, row.name)] = row
            print(f"{row.seconds:5.1f} s  exit {row.code}  {row.name}: {', '.join(row.found) or '-'}", flush=True)
            if self._file:
                with self._file.open("a") as file:
                    file.write(json.dumps(asdict(row)) + "\n")


def main(argv: list[str]) -> int:
    """Fill the table, write it, and return 1 if anything came out otherwise than it should."""
    parser = argparse.ArgumentParser(prog="mutant_table", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--default", dest="how", action="store_const", const="--default", default="--quick")
    parser.add_argument("--schemathesis", action="store_true", help="add what a default `schemathesis run` finds")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, help="file with what was found, a line a run")
    asked = parser.parse_args(argv)
    results, other = Results(asked.results), f"schemathesis {TIME[asked.how]} s"
    with ProcessPoolExecutor(asked.processes) as pool:
        results.fill(asked.how, [*MUTANTS, *SEEDS], table_row, pool)
        if asked.schemathesis:
            results.fill(other, [*UNBROKEN, *MUTANTS], schemathesis, pool)
    rows, others = results.of(asked.how), results.of(other) if asked.schemathesis else {}
    PAGE.write_text(page(rows, asked.how, others))
    return 0 if as_it_should(rows) else 1


def table_row(name: str, how: str) -> Row:
    """Run the suite on a mutant, or on the unbroken server with a seed."""
    logging.disable(logging.CRITICAL)
    began, quick = monotonic(), how == "--quick"
    if name in MUTANTS:
        result = run_on_mutant(MUTANTS[name], quick=quick)
        found = list(dict.fromkeys(result.rules(MUTANTS[name].clauses)))
    else:
        result, found = run_conform(create_app(), "--seed", str(SEEDS[name]), quick=quick), []
    seconds = round(monotonic() - began, 1)
    return Row(name=name, how=how, code=result.code, found=found, findings=len(result.found), seconds=seconds)


def schemathesis(name: str, how: str) -> Row:
    """Have a default `schemathesis run` look at the same server, for `how` many seconds; keep its kinds of failure."""
    logging.disable(logging.CRITICAL)
    app: ASGIApp = MUTANTS[name].serve() if name in MUTANTS else create_app()
    program = str(Path(sys.executable).with_name("schemathesis"))
    key = ["--header", f"Authorization: Bearer {KEY}"]
    began, seconds = monotonic(), int(how.split()[1]) * (MORE if name in SEEDS else 1)
    with running(app) as origin, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        limits = ["--max-time", str(seconds), "--report-json-path", str(report)]
        command = [program, "run", *key, *limits, f"{origin}/openapi.json"]
        code = subprocess.run(command, capture_output=True, cwd=folder, check=False).returncode  # noqa: S603 - our own
        failures = json.loads(report.read_text())["failures"]
    found = sorted({str(failure["title"]) for failure in failures})
    took = round(monotonic() - began, 1)
    return Row(name=name, how=how, code=code, found=found, findings=len(failures), seconds=took)


def as_it_should(rows: dict[str, Row]) -> bool:
    """Say whether every break was caught, and nothing was found where nothing is broken."""
    clean = [rows[name] for name in SEEDS]
    return all(_is_caught(rows[name]) for name in MUTANTS) and not any(row.findings or row.code for row in clean)


def page(rows: dict[str, Row], how: str, others: dict[str, Row]) -> str:
    """Return tests/conformance/mutants.md; `others` are the rows of schemathesis, none where it wasn't run."""
    noise = {failure for name in UNBROKEN for failure in others[name].found} if others else set()
    caught = [name for name in MUTANTS if _is_caught(rows[name])]
    run = "`conform --quick`" if how == "--quick" else "a default run of `conform`"
    lines = [
        "# Which breaks the suite finds",
        "",
        "Written by `python -m tests.conformance.mutant_table`; don't edit.",
        "",
        f"Each row is our own server with one thing broken (`tests/conformance/mutants/`), checked by {run}. A break "
        "is caught when the run ends with exit code 1 and a finding names one of its clauses "
        f"([contract.md](../../docs/contract.md)): {len(caught)} of {len(MUTANTS)} are. The unbroken server, "
        f"checked in the same way with {len(SEEDS)} seeds, has {sum(rows[name].findings for name in SEEDS)} findings.",
        "",
        *(_about_others(others, noise) if others else ()),
        "| break | clause | caught by |" + (" a default `schemathesis run` |" if others else ""),
        "|---|---|---|" + ("---|" if others else ""),
        *(_line(mutant, rows[name], others.get(name), noise) for name, mutant in MUTANTS.items()),
    ]
    return "\n".join(lines) + "\n"


def _about_others(others: dict[str, Row], noise: set[str]) -> tuple[str, ...]:
    finds = [name for name in MUTANTS if set(others[name].found) - noise]
    said = f" What it says of the unbroken server too is left out: {', '.join(sorted(noise))}." if noise else ""
    return (
        "The last column is what a default `schemathesis run` over the served document, with a good key, finds on the "
        f"same server in the time that the suite needs on an idle core: something on {len(finds)} of {len(MUTANTS)} "
        f"breaks.{said}",
        "",
    )


def _line(mutant: Mutant, row: Row, other: Row | None, noise: set[str]) -> str:
    names = [f"`{rule}`" if "_" in rule else rule for rule in row.found]
    by = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    cells = [mutant.name, " ".join(mutant.clauses), by or "**nothing**"]
    if other is not None:
        cells.append(", ".join(failure for failure in other.found if failure not in noise) or "nothing")
    return f"| {' | '.join(cells)} |"


def _is_caught(row: Row) -> bool:
    return row.code == 1 and bool(row.found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
