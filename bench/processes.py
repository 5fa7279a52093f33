"""The servers as processes: each pinned to one core, what they use read from /proc."""

from __future__ import annotations

import atexit
import http.client
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.load import HOST, KEY

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0

FIRST_ANSWER = "/v1/apps/app_x/config"


class BenchError(Exception):
    """The measurement can't be made here, or a server doesn't come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A server that can be started: its name in the table, its command without the port, whether it keeps anything.

    `in_redis` says whether it keeps that in a Redis, on the core that the load comes from.
    """

    label: str
    command: tuple[str, ...]
    keeps: bool = False
    in_redis: bool = False


def _peer(name: str) -> tuple[str, ...]:
    return ("-m", "bench.servers", name)


SANDBOX = Kind(label="sandbox", command=("-m", "sandbox", "serve", "--quiet", "--port"), keeps=True)
IN_REDIS = Kind(label="sandbox, apps in Redis", command=SANDBOX.command, keeps=True, in_redis=True)
TWO_WORKERS = Kind(
    label="sandbox, apps in Redis, two workers",
    command=("-m", "sandbox", "serve", "--quiet", "--workers", "2", "--port"),
    keeps=True,
    in_redis=True,
)
UNRECORDED = Kind(label="(c) without journal, faults", command=("-m", "bench.servers.unrecorded"), keeps=True)
FASTAPI = Kind(label="FastAPI mock", command=_peer("fastapi_mock"), keeps=True)
STARLETTE = Kind(label="(b) Starlette route", command=_peer("starlette_route"))
STARLETTE_STREAM = Kind(label="(b) StreamingResponse", command=_peer("starlette_stream"))
RAW = Kind(label="(a) raw ASGI", command=_peer("raw_asgi"))
RAW_STREAM = Kind(label="(a) raw ASGI", command=_peer("raw_stream"))


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the server runs on, and which the load comes from."""

    server: int
    load: int


def take_cores() -> Cores:
    """Pin this process to the last core that it may use; servers get the first."""
    if not hasattr(os, "sched_setaffinity"):
        raise BenchError("cores can't be pinned on this system; the bench needs Linux")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise BenchError("the bench needs two cores: one for the server, one for the load")
    os.sched_setaffinity(0, {allowed[-1]})
    return Cores(allowed[0], allowed[-1])


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process: resident, and its proportional share (what it shares with others counted in part)."""

    rss: int
    pss: int


class Running:
    """A server process that answers on `port`."""

    def __init__(self, kind: Kind, core: int) -> None:
        self.kind = kind
        self.port = _free_port()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop()
        self._spawned = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *kind.command, str(self.port), *(_place() if kind.in_redis else ())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )
        os.sched_setaffinity(self._process.pid, {core})

    def first_answer(self) -> float:
        """Wait until it answers; return the seconds since it was started."""
        while True:
            try:
                self._ask()
            except OSError as error:
                took = time.perf_counter() - self._spawned
                if self._process.poll() is not None or took > PATIENCE:
                    raise BenchError(f"{self.kind.label} does not come up: {error}\n{self.output()}") from None
                time.sleep(0.001)
            else:
                return time.perf_counter() - self._spawned

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", FIRST_ANSWER, headers={"Authorization": f"Bearer {KEY}"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise BenchError(f"{self.kind.label}: GET {FIRST_ANSWER} answered {answer.status}: {answer.read()!r}")
            answer.read()
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """Return the time that its threads have had on a core, and those of its workers."""
        return sum(map(_cpu_seconds, (self._process.pid, *_children(self._process.pid))))

    def redis_seconds(self) -> float:
        """Return the same of the Redis that it uses; 0 where it uses none."""
        return _cpu_seconds(_redis()[0]) if self.kind.in_redis else 0.0

    def memory(self) -> Memory:
        """Return what it uses now."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in rollup[1:]}
        return Memory(rss=sizes["Rss"], pss=sizes["Pss"])

    def output(self) -> str:
        """Return the end of what it wrote on stderr."""
        self._said.seek(0)
        return self._said.read()[-4_000:].decode(errors="replace")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def _cpu_seconds(process: int) -> float:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


_prefixes = itertools.count(1)


def _place() -> tuple[str, ...]:
    """Return the flags of a server that keeps its apps in Redis, under a prefix of its own."""
    return ("--store", _redis()[1], "--store-prefix", f"bench-{next(_prefixes)}")


@cache
def _redis() -> tuple[int, str]:
    """Start a Redis that keeps nothing on a disk; return its process and its URL. It ends with the bench."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise BenchError("redis-server is not installed; --only NAME,… measures what needs none")
    folder = tempfile.mkdtemp(prefix="bench-redis-")
    place = Path(folder) / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(place), "--save", "", "--dir", folder, "--loglevel", "warning")
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(process.wait)
    atexit.register(process.terminate)
    while not place.exists():
        time.sleep(0.01)
    return process.pid, f"unix://{place}"


@contextmanager
def running(kind: Kind, core: int) -> Iterator[Running]:
    """Run a server, from its first answer to the end of the block."""
    server = Running(kind, core)
    try:
        server.first_answer()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
