"""Takes the measurements: bursts that take turns, starts that take turns, memory before and after growth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.load import Burst, Generator, LoadError
from bench.processes import FASTAPI, RAW, SANDBOX, STARLETTE, BenchError, Cores, Memory, Running, running
from bench.workloads import Scale, Workload, create, talk

Say = Callable[[str], None]

WARM = "/v1/apps/app_warm"
# So many conversations of two exchanges make more requests than the sandbox's journal keeps.
FILLS_JOURNAL = 3_500


@dataclass(slots=True)
class LaneRates:
    """What was measured of one contestant, a value a round.

    `rates` are answers (or events) a second, `core_us` the server's time on its core for each of them, in microseconds,
    `redis_us` that of the Redis which it uses, `busy` the share of its own core that the load generator used,
    `first_byte_ms` the median and the 99th percentile.
    """

    label: str
    rates: list[float] = field(default_factory=list)
    core_us: list[float] = field(default_factory=list)
    redis_us: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    answer_bytes: int = 0
    first_byte_ms: tuple[float, float] = (0.0, 0.0)

    def note(self, burst: Burst, core_seconds: float, redis_seconds: float) -> None:
        """Add one round."""
        count = burst.events or burst.answers
        self.rates.append(count / burst.seconds)
        self.core_us.append(core_seconds / count * 1e6)
        self.redis_us.append(redis_seconds / count * 1e6)
        self.busy.append(burst.busy)
        self.answer_bytes = burst.size // burst.answers
        cuts = quantiles(burst.first_bytes, n=100)
        self.first_byte_ms = (cuts[49] * 1e3, cuts[98] * 1e3)


def ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the ratios of values that were taken in the same round."""
    return median(value / other for value, other in zip(values, base, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What was measured of one workload; the first lane is the base."""

    name: str
    title: str
    unit: str
    lanes: list[LaneRates]


def rates(workload: Workload, scale: Scale, rounds: int, cores: Cores, generator: Generator, say: Say) -> Rates:
    """Measure one workload: its lanes take turns in short bursts, after one burst each to warm up."""
    unit = "events" if workload.events else "requests"
    lanes = [LaneRates(lane.label) for lane in workload.lanes]

    def burst(server: Running, requests: list[bytes], seconds: float) -> tuple[Burst, float, float]:
        before, redis_before = server.cpu_seconds(), server.redis_seconds()
        with _naming_server(server):
            done = generator.burst(
                server.port, requests, connections=workload.connections, seconds=seconds, events=workload.events
            )
        return done, server.cpu_seconds() - before, server.redis_seconds() - redis_before

    starts = min(workload.starts, rounds)
    for start in range(starts):
        with _prepared(workload, cores, generator, say) as ready:
            for server, requests in ready:
                burst(server, requests, scale.seconds / 4)
            for number in range(rounds * start // starts, rounds * (start + 1) // starts):
                say(f"{workload.name}: round {number + 1} of {rounds}")
                for measured, (server, requests) in zip(lanes, ready, strict=True):
                    measured.note(*burst(server, requests, scale.seconds))
    return Rates(name=workload.name, title=workload.title, unit=unit, lanes=lanes)


@contextmanager
def _prepared(
    workload: Workload, cores: Cores, generator: Generator, say: Say
) -> Iterator[list[tuple[Running, list[bytes]]]]:
    """Start a server for each lane, with its requests, and stop them afterwards."""
    with ExitStack() as stack:
        ready = []
        for lane in workload.lanes:
            say(f"{workload.name}: preparing {lane.label}")
            server = stack.enter_context(running(lane.kind, cores.server))
            with _naming_server(server):
                ready.append((server, lane.prepare(server, generator)))
        yield ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Seconds from the start of a process to its first answer, by label; the first is the base."""

    seconds: dict[str, list[float]]


def starts(scale: Scale, cores: Cores, say: Say) -> Starts:
    """Measure how long each server takes from nothing to its first answer; they take turns."""
    kinds = (STARLETTE, RAW, SANDBOX, FASTAPI)
    seconds: dict[str, list[float]] = {kind.label: [] for kind in kinds}
    for number in range(-1, scale.starts):  # the first turn, which is not counted, fills the caches of files
        say(f"start: round {number + 1} of {scale.starts}")
        for kind in kinds:
            server = Running(kind, cores.server)
            try:
                took = server.first_answer()
            finally:
                server.stop()
            if number >= 0:
                seconds[kind.label].append(took)
    return Starts(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The memory of one server: idle after its first answer, warm after some talk, and with `grown` conversations more.

    Servers that keep nothing have been measured idle alone.
    """

    label: str
    idle: Memory
    warm: Memory | None = None
    loaded: Memory | None = None
    grown: int = 0

    @property
    def each(self) -> float | None:
        """Bytes that one conversation takes."""
        return (self.loaded.pss - self.warm.pss) / self.grown if self.warm and self.loaded else None


def memory(scale: Scale, cores: Cores, generator: Generator, say: Say) -> list[Growth]:
    """Measure memory idle, and what a conversation of two exchanges adds to it."""
    growths = []
    for kind in (STARLETTE, RAW, SANDBOX, FASTAPI):
        say(f"memory: {kind.label}")
        with running(kind, cores.server) as server:
            idle = server.memory()
            if not kind.keeps:
                growths.append(Growth(label=kind.label, idle=idle))
                continue
            with _naming_server(server):
                # What is loaded on first use is no part of a conversation, nor is the request journal: it is full now.
                talk(server, generator, create(server, generator, FILLS_JOURNAL, WARM), 2, WARM)
                warm = server.memory()
                talk(server, generator, create(server, generator, scale.grown), 2)
                loaded = server.memory()
            growths.append(Growth(label=kind.label, idle=idle, warm=warm, loaded=loaded, grown=scale.grown))
    return growths


@contextmanager
def _naming_server(server: Running) -> Iterator[None]:
    """Say which server it was that answered wrongly, and what it wrote."""
    try:
        yield
    except LoadError as error:
        raise BenchError(f"{server.kind.label}: {error}\n{server.output()}") from None
