"""How long another client waits, at the longest, while the server answers the heaviest calls there are.

A second process asks for something small all the time; what counts is the longest that it waited during a call.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from bench.load import HOST, KEY, request
from bench.processes import BenchError, Running

# Milliseconds that no client should have to wait for another one's call.
GOAL_MS = 50
APP = "app_heavy"
_CONTROL = f"/_sandbox/apps/{APP}"
_API = f"/v1/apps/{APP}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One heavy call: how long it took and how large its answer was, how long another client waited meanwhile."""

    name: str
    seconds: float
    size: int
    longest_ms: float


class Caller:
    """Makes calls, one after the other, on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=300)

    def __call__(self, method: str, path: str, body: Any = None, *, status: int | None = 200) -> bytes:
        """Make a call and return the body of its answer.

        Raises:
            BenchError: the status is another one.
        """
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        self._connection.request(method, path, raw, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if status is not None and answer.status != status:
            raise BenchError(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return content

    def read(self, method: str, path: str) -> Any:
        """Make a call and return what its answer says."""
        return json.loads(self(method, path))


def waits(server: Running, apps: int, conversations: int) -> Iterator[Wait]:
    """Measure each heavy call, on a server whose journal is full and that has so many apps and conversations."""
    call = Caller(server.port)
    with probing(server.port) as longest:
        for name, prepare, act in _calls(call, apps, conversations):
            prepare()
            time.sleep(0.2)  # what the preparation left behind is not measured
            longest.value = 0.0
            began = time.perf_counter()
            size = len(act())
            took = time.perf_counter() - began
            time.sleep(0.1)  # what the call leaves behind is
            yield Wait(name=name, seconds=took, size=size, longest_ms=longest.value * 1000)


# A call's name, what comes before it and is not measured, and the call.
Heavy = tuple[str, Callable[[], Any], Callable[[], bytes]]


def _calls(call: Caller, apps: int, conversations: int) -> Iterator[Heavy]:
    yield from _of_one_app(call, conversations)
    yield from _of_messages(call)
    yield from _of_the_journal(call)
    yield from _of_all_apps(call, apps, conversations)


def _nothing() -> None:
    """Prepare nothing."""


def _load_state(call: Caller, conversations: int) -> bytes:
    return call("POST", f"{_CONTROL}/populate", {"conversations": conversations, "messages": 6, "users": 50})


def _of_one_app(call: Caller, conversations: int) -> Iterator[Heavy]:
    snapshot: list[bytes] = []
    bad_replies = {"output": [{"type": number} for number in range(60_000)]}
    yield "populate", _nothing, lambda: _load_state(call, conversations)
    yield "GET snapshot", _nothing, lambda: call("GET", f"{_CONTROL}/snapshot")
    yield (
        "PUT snapshot",
        lambda: snapshot.append(call("GET", f"{_CONTROL}/snapshot?secrets=true")),
        lambda: call("PUT", f"{_CONTROL}/snapshot", snapshot[0]),
    )
    yield "a refused replies body", _nothing, lambda: call("POST", f"{_CONTROL}/replies", bad_replies, status=422)


def _of_messages(call: Caller) -> Iterator[Heavy]:
    texts = {"[[echo]] of 1 MB as a stream": "lorem ipsum ", "the same, beyond ASCII": "été déjà né "}
    for name, words in texts.items():
        content = "[[echo]] " + words * (1_000_000 // len(words.encode()))
        body = json.dumps({"message": {"content": content}, "stream": True}, ensure_ascii=False).encode()
        id_ = json.loads(call("POST", f"{_API}/conversations", {}))["id"]
        yield name, _nothing, partial(call, "POST", f"{_API}/conversations/{id_}", body)


def _of_the_journal(call: Caller) -> Iterator[Heavy]:
    misspelt = {f"unknown_{number}": 0 for number in range(50_000)}
    call("POST", f"{_API}/conversations", misspelt)
    entry = json.loads(call("GET", f"/_sandbox/requests?app_id={APP}&limit=1"))["data"][0]["id"]
    expected = {"app_id": APP, "body": {"title": "never"}, "headers": {"x-a": "b"}}
    yield "an entry with 50,000 unknown fields", _nothing, lambda: call("GET", f"/_sandbox/requests/{entry}")
    yield "its curl", _nothing, lambda: call("GET", f"/_sandbox/requests/{entry}/curl")
    yield "verify", lambda: _ask(call, 10_000), lambda: call("POST", "/_sandbox/requests/verify", expected)
    yield "verdict", _nothing, lambda: call("GET", f"{_CONTROL}/verdict")
    yield "list of 100 requests", _nothing, lambda: call("GET", "/_sandbox/requests?limit=100")
    yield "HAR", _nothing, lambda: call("GET", "/_sandbox/requests.har")
    yield "bundle", _nothing, lambda: call("GET", f"{_CONTROL}/bundle")
    one, all_ = f"/_sandbox/requests?app_id={APP}", "/_sandbox/requests"
    yield "DELETE requests of an app", _nothing, lambda: call("DELETE", one, status=204)
    yield "DELETE all requests", lambda: _ask(call, 10_000), lambda: call("DELETE", all_, status=204)


def _of_all_apps(call: Caller, apps: int, conversations: int) -> Iterator[Heavy]:
    def make() -> None:
        for number in range(apps):
            call("POST", f"/v1/apps/app_{number}/conversations", {})

    yield "DELETE a large app", _nothing, lambda: call("DELETE", _CONTROL, status=204)
    yield f"list of 500 of {apps:,} apps", make, lambda: call("GET", "/_sandbox/apps?limit=500")
    yield "DELETE a small app among them", _nothing, lambda: call("DELETE", "/_sandbox/apps/app_1", status=204)
    yield "DELETE all requests of them", _nothing, lambda: call("DELETE", "/_sandbox/requests", status=204)
    full = partial(_load_state, call, conversations)
    yield f"reset of {apps:,} apps", full, lambda: call("POST", "/_sandbox/reset", status=204)


def _ask(call: Caller, count: int) -> None:
    for number in range(count):
        call("GET", f"{_API}/conversations?limit=5&unknown={number}")


@contextmanager
def probing(port: int) -> Iterator[Synchronized[float]]:
    """Run the other client; what it shares is the longest wait since somebody last set it to nothing."""
    context = get_context("spawn")
    longest: Synchronized[float] = context.Value("d", 0.0)
    probe = context.Process(target=_ask_on_and_on, args=(port, longest), daemon=True)
    probe.start()
    try:
        yield longest
    finally:
        probe.terminate()
        probe.join()


def _ask_on_and_on(port: int, longest: Synchronized[float]) -> None:
    question = request("GET", "/v1/apps/app_probe/config")
    with socket.create_connection((HOST, port)) as connection:
        while True:
            began = time.perf_counter()
            connection.sendall(question)
            connection.recv(65_536)
            longest.value = max(longest.value, time.perf_counter() - began)
            time.sleep(0.001)
