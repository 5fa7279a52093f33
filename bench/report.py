"""Writes what was measured: a table for people, JSON for programs, and how far the aims are."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Growth, LaneRates, Rates, Starts, ratio

# What the shape of the sandbox must allow, of the base of each workload; start: at most so many times as long.
# The base of `journal` is the sandbox itself without it.
AIMS = {"create": 0.60, "get": 0.70, "list": 0.60, "stream": 0.70, "journal": 0.90}
START_AIM = 1.5
# By time on the core: of a server with its apps in memory, and of one worker.
STORE_AIMS, WORKERS_AIM = {"store-create": 0.45, "store-get": 0.45}, 0.85

OURS, PEER = "sandbox", "FastAPI"
_PACKAGES = ("starlette", "uvicorn", "uvloop", "httptools", "orjson", "jsonschema-rs", "fastapi", "pydantic")


@dataclass(slots=True)
class Results:
    """Everything that was measured in one run."""

    scale: str
    rounds: int
    rates: list[Rates] = field(default_factory=list)
    starts: Starts | None = None
    memory: list[Growth] = field(default_factory=list)


def table(results: Results) -> str:
    """Return the results for people."""
    parts = ["\n".join(_rates(measured)) for measured in results.rates]
    if results.starts:
        parts.append("\n".join(_starts(results.starts)))
    if results.memory:
        parts.append("\n".join(_memory(results.memory)))
    standings = list(standing(results))
    if standings:
        width = max(len(line.what) for line in standings)
        parts.append("\n".join(["Where it stands", *(f"  {line.what:{width}}  {line.line}" for line in standings)]))
    return "\n\n".join(parts)


def document(results: Results) -> dict[str, Any]:
    """Return the results for programs: every round, and the medians of the ratios."""
    return {
        "machine": {"cpu": _cpu(), "system": platform.platform(), "python": sys.version.split()[0]},
        "packages": {name: _version(name) for name in _PACKAGES},
        "scale": results.scale,
        "rounds": results.rounds,
        "workloads": [
            {
                **{key: value for key, value in asdict(measured).items() if key != "lanes"},
                "lanes": [{**asdict(lane), **_of_base(lane, measured)} for lane in measured.lanes],
            }
            for measured in results.rates
        ],
        "starts": results.starts.seconds if results.starts else None,
        "memory": [{**asdict(growth), "bytes_per_conversation": growth.each} for growth in results.memory],
        "standing": [asdict(line) for line in standing(results)],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One ratio that is aimed at; `at_most`: less is better."""

    what: str
    ratio: float
    aim: float
    at_most: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the aim is reached."""
        return self.ratio <= self.aim if self.at_most else self.ratio >= self.aim

    @property
    def line(self) -> str:
        """The line of the table."""
        sign, end = "≤" if self.at_most else "≥", "" if self.is_reached else "   not yet"
        return f"{self.ratio:6.2f}   aim {sign} {self.aim:.2f}{end}"


def standing(results: Results) -> Iterator[Standing]:
    """Yield every ratio that is aimed at, as far as it was measured."""
    for measured in results.rates:
        base, ours = measured.lanes[0], _named(measured.lanes, OURS)
        if measured.name.startswith("store-"):
            yield from _store_standing(measured)
            continue
        if measured.name in AIMS:
            for lane in ours:
                what = f"{measured.name}: {lane.label} of {base.label}"
                yield Standing(what=what, ratio=ratio(lane.rates, base.rates), aim=AIMS[measured.name])
        for lane, peer in zip(ours, _named(measured.lanes, PEER), strict=False):
            what = f"{measured.name}: {lane.label} of {peer.label}"
            yield Standing(what=what, ratio=ratio(lane.rates, peer.rates), aim=1.0)
        if len(ours) > 1:
            few, many = ours
            # Equal but for the noise of ten rounds.
            what = f"{measured.name}: {many.label} of {few.label}"
            yield Standing(what=what, ratio=ratio(many.rates, few.rates), aim=0.95)
    if results.starts:
        labels = list(results.starts.seconds)
        times = list(results.starts.seconds.values())
        ours_at = labels.index(OURS)
        quotient = ratio(times[ours_at], times[0])
        yield Standing(what=f"start: {OURS} of {labels[0]}", ratio=quotient, aim=START_AIM, at_most=True)


def _store_standing(measured: Rates) -> Iterator[Standing]:
    memory, redis, workers = measured.lanes
    if measured.name in STORE_AIMS:
        what = f"{measured.name}: Redis of memory, by core"
        yield Standing(what=what, ratio=ratio(memory.core_us, redis.core_us), aim=STORE_AIMS[measured.name])
    what = f"{measured.name}: two workers of one, by core"
    yield Standing(what=what, ratio=ratio(redis.core_us, workers.core_us), aim=WORKERS_AIM)


def _named(lanes: Sequence[LaneRates], start: str) -> list[LaneRates]:
    return [lane for lane in lanes if lane.label.startswith(start)]


def _of_base(lane: LaneRates, measured: Rates) -> dict[str, float]:
    base = measured.lanes[0]
    return {"of_base": ratio(lane.rates, base.rates), "of_base_by_core": ratio(base.core_us, lane.core_us)}


def _rates(measured: Rates) -> Iterator[str]:
    title, unit = f"{measured.title[0].upper()}{measured.title[1:]}", f"{measured.unit}/s"
    yield f"{title:44}{unit:>12}{'of (b)':>9}{'core µs':>10}{'of (b)':>9}{'load':>7}{'first byte ms':>19}"
    for lane in measured.lanes:
        of = _of_base(lane, measured)
        p50, p99 = lane.first_byte_ms
        yield (
            f"  {lane.label:42}{median(lane.rates):12,.0f}{of['of_base']:9.2f}{median(lane.core_us):10.1f}"
            f"{of['of_base_by_core']:9.2f}{median(lane.busy):7.0%}{p50:10.1f} p99 {p99:5.0f}"
            + (f"   Redis {median(lane.redis_us):.0f} µs" if any(lane.redis_us) else "")
        )


def _starts(starts: Starts) -> Iterator[str]:
    yield f"{'Start to first answer':44}{'ms':>12}{'of (b)':>9}"
    base = next(iter(starts.seconds.values()))
    for label, seconds in starts.seconds.items():
        yield f"  {label:42}{median(seconds) * 1e3:12,.0f}{ratio(seconds, base):9.2f}"


def _memory(grown: Sequence[Growth]) -> Iterator[str]:
    yield f"{'Memory (PSS, MB)':44}{'idle':>12}{'warm':>9}{'loaded':>10}{'bytes a conversation':>25}"
    for growth in grown:
        line = f"  {growth.label:42}{_mb(growth.idle.pss):12.1f}"
        if growth.warm and growth.loaded and growth.each is not None:
            line += f"{_mb(growth.warm.pss):9.1f}{_mb(growth.loaded.pss):10.1f}{growth.each:25,.0f}"
        yield line


def _mb(size: int) -> float:
    return size / 1024**2


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())
