"""`python -m bench.limits`: what one server holds, in under five minutes; `--write` puts it into docs/limits.md.

Each row has a server of its own, on a core of its own. Beside the load another client asks for something small all the
time: the longest that it ever waited is what one client costs another.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from bench import crowds
from bench.crowds import Crowd
from bench.load import Burst, Generator, LoadError, request
from bench.processes import ROOT, SANDBOX, BenchError, Cores, Running, running, take_cores
from bench.waits import GOAL_MS, Caller, probing, waits
from bench.workloads import body

PAGE = ROOT / "docs" / "limits.md"
BEGIN, END = "<!-- measured by `python -m bench.limits --write` -->\n", "<!-- end of what is measured -->\n"
MEMORY_MB, SUITE_MB, LATE_MS = 300, 400, 50

_APP = "/v1/apps/app_limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much load there is: that of the table, or a little of each kind, to see that it runs."""

    requests: int
    idle: int
    slow: int
    timeout: int
    streams: int
    deltas: int
    readers: tuple[int, ...]
    seconds: int
    leavers: int
    apps: int
    conversations: int
    heavy: int
    hostile: tuple[str, ...]


FULL = Scale(
    requests=300_000,
    idle=2_000,
    slow=1_000,
    timeout=5,
    streams=2_000,
    deltas=20,
    readers=(100, 1_000),
    seconds=8,
    leavers=200,
    apps=10_000,
    conversations=300_000,
    heavy=2_000,
    hostile=("answers of 16 MB", "gzip bombs", "a stream that never ends"),
)
QUICK = Scale(
    requests=1_000,
    idle=20,
    slow=10,
    timeout=1,
    streams=20,
    deltas=2,
    readers=(10,),
    seconds=1,
    leavers=5,
    apps=50,
    conversations=500,
    heavy=0,
    hostile=("a stream that never ends",),
)


class Row(NamedTuple):
    """A row of the table."""

    load: str
    measured: str
    memory: str
    # None: not counted.
    lost: int | None = None
    goal: str = "–"

    @property
    def lost_text(self) -> str:
        """What the table says was lost."""
        return "–" if self.lost is None else f"{self.lost:,}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 1 when something can't be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description="Measures what one server holds.")
    parser.add_argument("--quick", action="store_true", help="a little of each load: to see that it runs")
    parser.add_argument("--write", action="store_true", help="put the table into docs/limits.md")
    arguments = parser.parse_args(argv)
    scale, began, rows = QUICK if arguments.quick else FULL, time.monotonic(), list[Row]()
    try:
        cores = take_cores()
        crowds.allow(max(scale.idle + scale.slow, scale.streams, *scale.readers))
        with closing(Generator()) as generator:
            for row in _rows(scale, cores, generator):
                print(f"{row.load}: {row.measured}; {row.memory}; lost: {row.lost_text}", file=sys.stderr)
                rows.append(row)
    except (BenchError, LoadError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    table = _table(rows)
    print(f"{table}\n{time.monotonic() - began:.0f} seconds")
    if arguments.write:
        _write(table)
    return 0


def _rows(scale: Scale, cores: Cores, generator: Generator) -> Iterator[Row]:
    yield _requests(scale.requests, cores, generator)
    yield _idle(scale.idle, scale.slow, scale.timeout, cores)
    yield _paced(scale.streams, scale.deltas, cores)
    for count in scale.readers:
        yield _slow_readers(count, scale.seconds, cores)
    yield _leavers(scale.leavers, cores)
    yield _apps(scale.apps, cores, generator)
    yield _conversations(scale.conversations, cores, generator)
    yield from _heavy(scale.heavy, cores) if scale.heavy else ()
    yield from _suite(scale.hostile)


@contextmanager
def _warm(cores: Cores, *words: str) -> Iterator[Running]:
    """Run a server that has loaded what it needs for answers of every kind."""
    kind = replace(SANDBOX, command=(*SANDBOX.command[:-1], *words, "--port"))
    with running(kind, cores.server) as server:
        call = Caller(server.port)
        call("POST", "/v1/apps/app_warm/completions", {"prompt": "Bonjour, ça va? [[form]]"})
        call("PATCH", "/_sandbox/apps/app_warm", {"stream": True})
        yield server


def _requests(count: int, cores: Cores, generator: Generator) -> Row:
    with _warm(cores) as server:
        early = _fill(generator, server, _reads(count // 5))
        few = server.memory().rss
        late = _fill(generator, server, _reads(count - count // 5))
        answered = early.answers + late.answers
        rates = f"{_rate(early)} requests a second at first, {_rate(late)} in the end"
        return Row(f"{count:,} requests in 50 apps", rates, _grown(few, server.memory().rss), count - answered)


def _reads(count: int) -> Iterator[bytes]:
    """Yield requests that keep nothing but their entries in the journal."""
    for number in range(count):
        path = f"/v1/apps/app_{number % 50}/conversations"
        yield request("GET", f"{path}?limit=20&unknown={number}") if number % 2 else request("GET", f"{path}?limit=5")


def _idle(count: int, slow: int, timeout: int, cores: Cores) -> Row:
    timeouts = ("--idle-timeout", f"{timeout}", "--header-timeout", f"{timeout}")
    with _warm(cores, *timeouts) as server:
        crowd = crowds.idle(server, count, slow, timeout + 2)
        load = f"{count:,} idle connections and {slow:,} that send a byte a second"
        measured = f"all closed after {timeout} s, as the settings say; {_waited(crowd)}"
        return Row(load, measured, _grown(crowd.before, crowd.memory), crowd.lost, f"≤ {GOAL_MS} ms")


def _paced(count: int, deltas: int, cores: Cores) -> Row:
    with _warm(cores) as server:
        crowd, late = crowds.paced(server, count, deltas)
        measured = f"last event {crowds.percentile_99(late):.0f} ms late (p99); {_waited(crowd)}"
        load = f"{count:,} paced streams at once, {count * 1000 // crowds.DELTA_MS:,} events a second"
        return Row(load, measured, _grown(crowd.before, crowd.memory), crowd.lost, f"≤ {LATE_MS} ms late")


def _slow_readers(count: int, seconds: int, cores: Cores) -> Row:
    with _warm(cores) as server:
        crowd = crowds.slow_readers(server, count, seconds)
        load = f"{count:,} readers of `[[long 20000]]` that hardly read"
        goal = f"≤ {MEMORY_MB} MB, ≤ {GOAL_MS} ms"
        return Row(load, _waited(crowd), _grown(crowd.before, crowd.memory), goal=goal)


def _leavers(count: int, cores: Cores) -> Row:
    with _warm(cores) as server:
        crowds.leavers(server, 5)
        crowd = crowds.leavers(server, count)
        load = f"{count:,} readers of `[[long 20000]]` that leave"
        return Row(load, _waited(crowd), _grown(crowd.before, crowd.memory), goal="memory is back")


def _apps(count: int, cores: Cores, generator: Generator) -> Row:
    with _warm(cores, "--max-apps", f"{2 * count}") as server, probing(server.port) as longest:
        before = server.memory().rss
        _fill(generator, server, (request("POST", f"/v1/apps/app_{n}/conversations", body(n)) for n in range(count)))
        full = server.memory().rss
        call, longest.value = Caller(server.port), 0.0
        began = time.perf_counter()
        call("POST", "/_sandbox/reset", status=204)
        took = (time.perf_counter() - began) * 1000
        time.sleep(0.1)
        measured = f"reset takes {took:.0f} ms, another client waits {longest.value * 1000:.0f} ms"
        return Row(f"{count:,} apps, then a reset", measured, _grown(before, full), goal=f"≤ {GOAL_MS} ms")


def _conversations(count: int, cores: Cores, generator: Generator) -> Row:
    with _warm(cores) as server:
        before = server.memory().rss
        path, few = f"{_APP}/conversations", min(count // 2, 5_000)
        made = _fill(generator, server, (request("POST", path, body(n)) for n in range(count)))
        held = _Held(generator, server, path)
        lost, ids = count - held.count(), held.ids(few)
        rates = [
            f"{_rate(made)} created",
            f"{_rate(held.ask('GET', [f'{path}?limit=20'] * few))} lists of 20",
            f"{_rate(held.ask('GET', [f'{path}/{one}' for one in ids]))} read",
            f"{_rate(held.ask('DELETE', [f'{path}/{one}' for one in ids]))} deleted a second",
        ]
        return Row(f"{count:,} conversations in an app", ", ".join(rates), _grown(before, server.memory().rss), lost)


class _Held:
    """What an app holds, and how fast it is with it."""

    def __init__(self, generator: Generator, server: Running, path: str) -> None:
        self._generator, self._server, self._path = generator, server, path
        self._call = Caller(server.port)

    def ids(self, count: int) -> list[str]:
        """Return the ids of the newest conversations."""
        ids: list[str] = []
        while len(ids) < count:
            after = f"&after={ids[-1]}" if ids else ""
            page = self._call.read("GET", f"{self._path}?limit=100{after}")
            ids += [one["id"] for one in page["data"]]
        return ids[:count]

    def count(self) -> int:
        """Return how many conversations there are."""
        counts = self._call.read("GET", "/_sandbox/apps/app_limits")["counts"]
        return int(counts["conversations"])

    def ask(self, method: str, paths: Iterable[str]) -> Burst:
        """Ask for each path once."""
        return _fill(self._generator, self._server, (request(method, path) for path in paths))


def _heavy(conversations: int, cores: Cores) -> Iterator[Row]:
    """Yield the heaviest calls: the worst three, and how many there are."""
    with _warm(cores) as server:
        before = server.memory().rss
        measured = sorted(waits(server, conversations, conversations), key=lambda wait: -wait.longest_ms)
        worst = ", ".join(f"{wait.name} ({wait.longest_ms:.0f} ms)" for wait in measured[:5])
        yield Row(
            f"{len(measured)} heavy calls, on {conversations:,} conversations and a full journal",
            f"another client waits at the longest in: {worst}",
            _grown(before, server.memory().rss),
            goal=f"≤ {GOAL_MS} ms",
        )


# Each row: what the server says, and the command's own words.
_HOSTILE = {
    "answers of 16 MB": ("endless", ("--law", "PAGE")),
    "gzip bombs": ("bomb", ("--quick",)),
    "a stream that never ends": ("drip", ("--law", "APP", "--deadline", "2")),
}


def _suite(servers: Iterable[str]) -> Iterator[Row]:
    # Imported late: they need what tests need.
    from tests.conformance.hostile import SAYING, hostile
    from tests.support.processes import measured

    for what in servers:
        says, words = _HOSTILE[what]
        with tempfile.TemporaryDirectory() as folder, hostile(SAYING[says]) as origin:
            began = time.perf_counter()
            done = measured("conform", origin, *words, folder=Path(folder))
            took = time.perf_counter() - began
        memory, output = f"{done.megabytes:.0f} MB at most", f"ends after {took:.0f} s with exit code {done.code}"
        yield Row(f"`conform` against {what}", output, memory, goal=f"≤ {SUITE_MB} MB")


def _fill(generator: Generator, server: Running, requests: Iterable[bytes]) -> Burst:
    return generator.fill(server.port, requests)


def _rate(burst: Burst) -> str:
    return f"{burst.answers / burst.seconds:,.0f}"


def _grown(before: int, after: int) -> str:
    return f"{before / 1024**2:.0f} → {after / 1024**2:.0f} MB"


def _waited(crowd: Crowd) -> str:
    return f"another client waits {crowd.longest_ms:.0f} ms at the longest"


def _table(rows: Iterable[Row]) -> str:
    head = ("load held", "measured", "memory", "lost", "goal")
    lines = [
        head,
        ("---",) * len(head),
        *((row.load, row.measured, row.memory, row.lost_text, row.goal) for row in rows),
    ]
    machine = f"Measured on Linux with {os.cpu_count()} cores: one for the server, one for its clients."
    return f"{machine}\n\n" + "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _write(table: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(f"{page[:start]}\n{table}\n{page[end:]}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
