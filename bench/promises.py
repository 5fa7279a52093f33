"""`python -m bench.promises`: two promises that are no ratios: when paced streams end, and that memory stays bounded.

Streams: 200 at once, each with a schedule; how long after its time the last event comes, in milliseconds.
Memory: of one server after 50,000 and after 200,000 requests; the journal is full long before the first.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from statistics import median, quantiles

from bench.load import HOST, Generator, request
from bench.processes import SANDBOX, BenchError, Running, running, take_cores

STREAMS, DELTAS = 200, 46
FIRST_MS, DELTA_MS = 100, 25
FEW, MANY = 50_000, 200_000

_APP = "/v1/apps/app_promises"
_PACE = b'{"pace": {"first_ms": %d, "delta_ms": %d}}' % (FIRST_MS, DELTA_MS)
_PROMPT = b'{"prompt": "[[echo]] %b", "stream": true}' % b" ".join([b"insurance"] * DELTAS)


def main() -> int:
    """Print both; return 1 when a server can't be measured."""
    try:
        cores = take_cores()
        with running(SANDBOX, cores.server) as server:
            late = asyncio.run(_lateness(server))
            print(
                f"The last event of {STREAMS} streams: {median(late):.1f} ms late (p95 {quantiles(late, n=20)[18]:.1f})"
            )
        with running(SANDBOX, cores.server) as server, closing(Generator()) as generator:
            few, many = _grown(server, generator)
            print(f"Memory after {FEW:,} requests {few / 1024**2:.1f} MB, after {MANY:,} {many / few:.3f} of it")
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


async def _lateness(server: Running) -> list[float]:
    """Open all streams at once; return how late the end of each was, in milliseconds."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(request("PATCH", "/_sandbox/apps/app_promises", _PACE))
    if b" 200 " not in await reader.readline():
        raise BenchError("the pace can't be set")
    writer.close()
    connections = [await asyncio.open_connection(HOST, server.port) for _ in range(STREAMS)]
    late = await asyncio.gather(*(_one(*connection) for connection in connections))
    for _, writer in connections:
        writer.close()
    return late


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    writer.write(request("POST", f"{_APP}/completions", _PROMPT))
    began = time.perf_counter()
    await reader.readuntil(b"event: response.completed")
    return (time.perf_counter() - began) * 1000 - FIRST_MS - DELTAS * DELTA_MS


def _grown(server: Running, generator: Generator) -> tuple[int, int]:
    generator.fill(server.port, _reads(FEW))
    few = server.memory().pss
    generator.fill(server.port, _reads(MANY - FEW))
    return few, server.memory().pss


def _reads(count: int) -> Iterator[bytes]:
    """Yield requests that keep nothing but their entries in the journal."""
    for number in range(count):
        path = f"/v1/apps/app_{number % 50}/conversations"
        yield request("GET", f"{path}?limit=20&unknown={number}") if number % 2 else request("GET", f"{path}?limit=5")


if __name__ == "__main__":
    sys.exit(main())
