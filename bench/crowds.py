"""Crowds of connections against one server: what it costs to have them, and how long everybody else waits meanwhile."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from statistics import quantiles
from typing import cast

import uvloop

from bench.load import HOST, request
from bench.processes import BenchError, Running
from bench.waits import probing

# What a process needs beside the connections of a crowd, and where a slow reader's system stops taking more, in bytes.
SPARE, LITTLE = 200, 4_096

_APP = "/v1/apps/app_crowd"
_LONG = b'{"prompt": "[[long 20000]]", "stream": true}'
FIRST_MS, DELTA_MS = 2_000, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What came of a crowd: the server's memory before it and at its worst, in bytes; how long another client waited.

    `lost` counts those that did not get what they should have.
    """

    before: int
    memory: int
    longest_ms: float
    lost: int = 0


def allow(connections: int) -> None:
    """Let this process, and the servers that it starts, hold so many connections.

    Raises:
        BenchError: they may not.
    """
    needed = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise BenchError(f"the bench needs {needed:,} file descriptors a process and may have {hard:,} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def idle(server: Running, count: int, slow: int, seconds: int) -> Crowd:
    """Keep connections that were served and say nothing more, and others that say a byte a second of their request.

    All of them are to be closed by the server within `seconds`; one that isn't is lost.
    """
    before = server.memory().rss
    with _others(server) as longest, ExitStack() as opened:
        silent = [opened.enter_context(_connect(server, request("GET", f"{_APP}/config"))) for _ in range(count)]
        for one in silent:
            one.recv(65_536)
        late = [opened.enter_context(_connect(server, b"GET / HTTP/1.1\r\nX-Slow: ")) for _ in range(slow)]
        memory = server.memory().rss
        for _ in range(seconds):
            time.sleep(1)
            for one in late:
                _say(one, b"x")
        lost = sum(not _is_closed(one) for one in (*silent, *late))
        return Crowd(before=before, memory=memory, longest_ms=longest(), lost=lost)


def slow_readers(server: Running, count: int, seconds: int) -> Crowd:
    """Ask for long streams and read next to nothing of them."""
    before = server.memory().rss
    with _others(server) as longest, ExitStack() as opened:
        readers = [opened.enter_context(_connect(server, _stream())) for _ in range(count)]
        worst = 0
        for _ in range(seconds):
            time.sleep(1)
            worst = max(worst, server.memory().rss)
            for one in readers:
                one.recv(100)
        return Crowd(before=before, memory=worst, longest_ms=longest())


def leavers(server: Running, count: int) -> Crowd:
    """Ask for long streams, one after the other, read their beginning and leave."""
    before = server.memory().rss
    with _others(server) as longest:
        for _ in range(count):
            with _connect(server, _stream()) as one:
                one.recv(1_000)
        time.sleep(0.5)
        return Crowd(before=before, memory=server.memory().rss, longest_ms=longest())


def paced(server: Running, count: int, deltas: int) -> tuple[Crowd, list[float]]:
    """Open paced streams within the time to their first event; return how late the last event of each came, in ms."""
    before = server.memory().rss
    with _others(server) as longest:
        streams = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_streams(server.port, count, deltas))
        memory = server.memory().rss
        late = [stream.late_ms for stream in streams if stream.late_ms is not None]
        return Crowd(before=before, memory=memory, longest_ms=longest(), lost=count - len(late)), late


def percentile_99(values: list[float]) -> float:
    """Return what 99 in 100 values don't go beyond."""
    return quantiles(values, n=100)[98]


class _Paced(asyncio.Protocol):
    """One paced stream: knows how late its last event came."""

    late_ms: float | None = None

    def __init__(self, done: asyncio.Semaphore, deltas: int) -> None:
        self._done = done
        self._ms = FIRST_MS + deltas * DELTA_MS
        self._end = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, message: bytes) -> None:
        self._began = time.perf_counter()
        self._transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._end = (self._end + data)[-400:]
        if b"event: response.completed" in self._end:
            self.late_ms = (time.perf_counter() - self._began) * 1000 - self._ms
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._done.release()


async def _streams(port: int, count: int, deltas: int) -> list[_Paced]:
    loop, done = asyncio.get_running_loop(), asyncio.Semaphore(0)
    pace = b'{"pace": {"first_ms": %d, "delta_ms": %d}}' % (FIRST_MS, DELTA_MS)
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request("PATCH", "/_sandbox/apps/app_crowd", pace))
    if b" 200 " not in await reader.readline():
        raise BenchError("the pace can't be set")
    writer.close()
    message = request(
        "POST",
        f"{_APP}/completions",
        b'{"prompt": "[[echo]] %b", "stream": true}' % b" ".join([b"insurance"] * deltas),
    )
    clients = [(await loop.create_connection(lambda: _Paced(done, deltas), HOST, port))[1] for _ in range(count)]
    for number, one in enumerate(clients):
        loop.call_later(number / count * FIRST_MS / 1000, one.ask, message)
    for _ in clients:
        await done.acquire()
    return clients


@contextmanager
def _others(server: Running) -> Iterator[Callable[[], float]]:
    with probing(server.port) as longest:
        time.sleep(0.3)
        longest.value = 0.0
        yield lambda: longest.value * 1000


def _stream() -> bytes:
    return request("POST", f"{_APP}/completions", _LONG)


def _connect(server: Running, words: bytes) -> socket.socket:
    """Open a connection whose system takes little that isn't read, and send something."""
    one = socket.socket()
    one.settimeout(30)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
    one.connect((HOST, server.port))
    one.sendall(words)
    return one


def _say(one: socket.socket, words: bytes) -> None:
    with suppress(OSError):  # closed by now, as it should be
        one.sendall(words)


def _is_closed(one: socket.socket) -> bool:
    one.settimeout(0.001)
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:  # it was reset
        return True
    return True
