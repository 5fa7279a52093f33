"""`python -m bench`: measures the sandbox beside its peers, prints a table and writes a JSON file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench import measure, report
from bench.load import Generator
from bench.processes import ROOT, BenchError, take_cores
from bench.workloads import FULL, QUICK, Scale, workloads

NAMES = (*(workload.name for workload in workloads(FULL)), "start", "memory")
ROUNDS = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run the selected measurements; return 1 if a server can't be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the sandbox beside its peers.")
    parser.add_argument("--quick", action="store_true", help="short bursts, small states: to see that it runs")
    parser.add_argument("--only", metavar="NAME[,NAME]", type=_names, default=NAMES, help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, help=f"how many rounds of bursts (default: {ROUNDS})")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where the results go")
    arguments = parser.parse_args(argv)
    rounds = arguments.rounds or (3 if arguments.quick else ROUNDS)
    results = report.Results(scale="quick" if arguments.quick else "full", rounds=rounds)
    try:
        _measure(results, QUICK if arguments.quick else FULL, arguments.only)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report.document(results), indent=2, ensure_ascii=False) + "\n")
    print(report.table(results))
    print(f"\nEvery round: {arguments.json}")
    return 0


def _measure(results: report.Results, scale: Scale, only: Sequence[str]) -> None:
    cores = take_cores()
    with closing(Generator()) as generator:
        for workload in workloads(scale):
            if workload.name in only:
                results.rates.append(measure.rates(workload, scale, results.rounds, cores, generator, _say))
        if "start" in only:
            results.starts = measure.starts(scale, cores, _say)
        if "memory" in only:
            results.memory = measure.memory(scale, cores, generator, _say)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}")
    return names


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
