"""The load generator: prepared requests over keep-alive connections, one at a time on each.

It reads no more of an answer than it must: the status, the end, and of a stream the number of its events. It has to be
much cheaper than any server that it measures; every burst tells what share of its own core it used.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import cast

import uvloop

HOST = "127.0.0.1"
KEY = "sk_test_bench"

Sink = Callable[[bytes], None]


class LoadError(Exception):
    """A server answered something else than it should; a rate of wrong answers means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What one burst did: answers and events, over how many seconds, and how busy the generator was (0 to 1).

    `first_bytes` has the seconds from each request to the first byte of its answer.
    """

    answers: int
    events: int
    size: int
    seconds: float
    busy: float
    first_bytes: list[float]


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return the bytes of one request, with the headers that an SDK sends."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {KEY}",
        "Accept: application/json",
        "User-Agent: bench/1",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Generator:
    """Loads servers, one after the other, from one event loop."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        # Nothing here makes circles; a collection in the middle of a burst would be counted against a server.
        gc.disable()

    def close(self) -> None:
        """Give the loop back."""
        self._runner.close()

    def burst(
        self, port: int, requests: list[bytes], *, connections: int, seconds: float, events: int | None = None
    ) -> Burst:
        """Ask for `seconds`, over and over again, then wait for the answers that are under way.

        Args:
            port: where the server listens.
            requests: what to ask, from the first to the last and again.
            connections: how many are open, with one request under way on each.
            seconds: how long to go on asking.
            events: how many events each answer must have, if it is a stream.

        Raises:
            LoadError: an answer is not a whole 200.
        """
        return self._runner.run(_Load(cycle(requests), events=events).run(port, connections, seconds))

    def fill(self, port: int, requests: Iterable[bytes], *, connections: int = 32, sink: Sink | None = None) -> Burst:
        """Ask each of `requests` once; `sink` gets the bodies of the answers, in no certain order."""
        load = _Load(iter(requests), events=None, sink=sink)
        return self._runner.run(load.run(port, connections, None))


class _Load:
    """What all the connections of one burst share."""

    def __init__(self, requests: Iterator[bytes], *, events: int | None, sink: Sink | None = None) -> None:
        self.requests = requests
        self.events = events
        self.sink = sink
        self.answers = 0
        self.size = 0
        self.open = 0
        self.deadline = float("inf")
        self.first_bytes: list[float] = []
        self.fault: str | None = None

    async def run(self, port: int, connections: int, seconds: float | None) -> Burst:
        loop = asyncio.get_running_loop()
        self.done = loop.create_future()
        made = [await loop.create_connection(lambda: _Connection(self), HOST, port) for _ in range(connections)]
        self.open = connections
        began, worked = time.perf_counter(), time.process_time()
        if seconds is not None:
            self.deadline = began + seconds
        for _, connection in made:
            connection.ask()
        await self.done
        took, worked = time.perf_counter() - began, time.process_time() - worked
        for transport, _ in made:
            transport.close()
        if self.fault:
            raise LoadError(self.fault)
        return Burst(
            answers=self.answers,
            events=self.answers * (self.events or 0),
            size=self.size,
            seconds=took,
            busy=worked / took,
            first_bytes=self.first_bytes,
        )

    def fail(self, fault: str) -> None:
        self.fault = self.fault or fault
        if not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    """One keep-alive connection: sends, waits for the end of the response, sends again."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._held = bytearray()
        self._asked = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.fail(f"the connection was closed in the middle of an answer: {exc}")

    def ask(self) -> None:
        load = self._load
        self._asked = time.perf_counter()
        request = next(load.requests, None) if self._asked < load.deadline else None
        self._waiting = request is not None
        if request is None:
            load.open -= 1
            if not load.open and not load.done.done():
                load.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not self._held:
            self._load.first_bytes.append(time.perf_counter() - self._asked)
            if _is_whole(data):  # most answers come in one piece
                self._take(data)
                return self.ask()
        self._held += data
        if _is_whole(self._held):
            self._take(self._held)
            self._held = bytearray()
            self.ask()
        return None

    def _take(self, answer: bytes | bytearray) -> None:
        load = self._load
        load.answers += 1
        load.size += len(answer)
        if answer[9:12] != b"200":
            load.fail(f"expected a 200, got {answer[:2_000].decode(errors='replace')}")
        elif load.events is not None and (came := answer.count(b"\ndata: ")) != load.events:
            load.fail(f"expected {load.events} events, got {came}: {answer[-2_000:].decode(errors='replace')}")
        elif load.sink:
            load.sink(bytes(answer[answer.index(b"\r\n\r\n") + 4 :]))


def _is_whole(answer: bytes | bytearray) -> bool:
    """Say whether an answer is there to its end: its length is given, or its last chunk is empty."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = answer.find(b"content-length: ", 0, head)
    if at < 0:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= head + 4 + int(answer[at + 16 : answer.find(b"\r", at)])
