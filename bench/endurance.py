"""`python -m bench.endurance`: several workers on one Redis under load, while what they stand on is taken away.

Each client has an app of its own: it creates conversations, sends a message to each, sometimes deletes the app. Then
all that was answered 200 is looked for, and held against a server that did the same alone, with its apps in memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import HOST, KEY
from bench.processes import ROOT, BenchError

NOW = "1790000000"
APPS = 50
TEXT = "Hello! Can I change my plan before the next renewal?"
FAULTS = 20
_WAIT = 30.0


class Redis:
    """A Redis that keeps every step on the disk before it answers, so that it may be killed."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            raise BenchError("redis-server is not installed")
        self._folder = folder
        self._command = [binary, "--port", "0", "--unixsocket", str(folder / "redis.sock"), "--dir", str(folder)]
        self._command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--loglevel", "warning"]
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while not self._answers():
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def tell(self, *words: str) -> None:
        subprocess.run(["redis-cli", "-s", str(self._folder / "redis.sock"), *words], capture_output=True, check=True)

    def _answers(self) -> bool:
        ping = subprocess.run(
            ["redis-cli", "-s", str(self._folder / "redis.sock"), "ping"], capture_output=True, check=False
        )
        return ping.stdout == b"PONG\n"


class Server:
    """A sandbox as a process of its own."""

    def __init__(self, *flags: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve", "--port", "0", "--now", NOW, "--quiet", *flags],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().rpartition(":")[2].partition("/")[0])

    def workers(self) -> list[int]:
        process = self._process.pid
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request on a connection of its own; status 0: it broke off."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_WAIT)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def insist(self, method: str, path: str, body: Any = None) -> Any:
        """Ask until it is answered well."""
        late = time.monotonic() + _WAIT
        while True:
            status, answer = self.ask(method, path, body)
            if 200 <= status < 300:
                return answer
            if time.monotonic() > late:
                raise BenchError(f"{method} {path}: still {status} after {_WAIT:.0f} s")
            time.sleep(0.05)


@dataclass
class Client:
    """One client and what it was told: by conversation its titles, and the reply where it got one."""

    app: str
    resets: bool
    titles: dict[str, Any] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    answered: int = 0
    refused: int = 0
    twice: int = 0
    faults: int = 0

    def run(self, server: Server, is_over: Callable[[], bool]) -> None:
        root = f"/v1/apps/{self.app}"
        while not is_over():
            status, made = self._ask(server, "POST", f"{root}/conversations", {})
            if status != 200:
                continue
            self.twice += made["id"] in self.titles
            self.titles[made["id"]] = made["generated_title"]
            status, reply = self._ask(
                server, "POST", f"{root}/conversations/{made['id']}", {"message": {"content": TEXT}}
            )
            if status == 200:
                self.replies[made["id"]] = json.dumps(reply)
            status, _ = self._ask(server, "GET", f"{root}/config")
            self.faults += status == 418
            if self.resets and len(self.titles) >= 40:
                # Where no answer comes it may be done or not: either way what comes next is looked at.
                server.ask("DELETE", f"/_sandbox/apps/{self.app}")
                self.titles.clear()
                self.replies.clear()

    def _ask(self, server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, answer = server.ask(method, path, body)
        self.answered += status in (200, 418)
        self.refused += status not in (200, 418)
        return status, answer

    def lost(self, server: Server) -> list[str]:
        """Return what was answered 200 and isn't there, or is there otherwise."""
        root = f"/v1/apps/{self.app}/conversations"
        for conversation in list(self.replies)[::10]:  # one in ten is looked at whole
            if len(server.insist("GET", f"{root}/{conversation}")["items"]) < 2:
                return [f"{self.app}: a message of {conversation}"]
        listed, page = set(), server.insist("GET", f"{root}?limit=100")
        while True:
            listed |= {row["id"] for row in page["data"]}
            if not page["has_more"]:
                break
            page = server.insist("GET", f"{root}?limit=100&after={page['last_id']}")
        return [f"{self.app}: {conversation}" for conversation in self.titles.keys() - listed]

    def differs(self, alone: Server) -> list[str]:
        """Return what a server alone says otherwise; numbers that were never answered are passed over there too."""
        wanted, root = set(self.titles), f"/v1/apps/{self.app}/conversations"
        # A reset that got no answer may not have been done: then numbers went on.
        for _ in range(len(wanted) + self.refused + 2_000):
            if not wanted:
                return []
            made = alone.insist("POST", root, {})
            if made["id"] not in wanted:
                continue
            wanted.discard(made["id"])
            if made["generated_title"] != self.titles[made["id"]]:
                return [f"{self.app}: the titles of {made['id']}"]
            if made["id"] in self.replies:
                reply = alone.insist("POST", f"{root}/{made['id']}", {"message": {"content": TEXT}})
                if json.dumps(reply) != self.replies[made["id"]]:
                    return [f"{self.app}: the reply in {made['id']}"]
        return [f"{self.app}: {conversation} is none of a server alone" for conversation in sorted(wanted)]


Disturb = Callable[[Server, Redis], None]


def _kill_worker(server: Server, redis: Redis) -> None:  # noqa: ARG001 - every disturbance is given both
    # Always the one that has run longest: so each is killed in its turn.
    for oldest in server.workers()[:1]:
        with suppress(ProcessLookupError):
            os.kill(oldest, signal.SIGKILL)
    time.sleep(2)


def _kill_redis(server: Server, redis: Redis) -> None:  # noqa: ARG001 - as above
    redis.kill()
    time.sleep(1)
    redis.start()
    time.sleep(3)


def _pause_redis(server: Server, redis: Redis) -> None:  # noqa: ARG001 - as above
    redis.process.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    redis.process.send_signal(signal.SIGCONT)
    time.sleep(2)


def _fill_redis(server: Server, redis: Redis) -> None:  # noqa: ARG001 - as above
    redis.tell("CONFIG", "SET", "maxmemory", "1")
    time.sleep(2)
    redis.tell("CONFIG", "SET", "maxmemory", "0")
    time.sleep(2)


def _demote_redis(server: Server, redis: Redis) -> None:  # noqa: ARG001 - as above
    redis.tell("REPLICAOF", HOST, "1")
    time.sleep(2)
    redis.tell("REPLICAOF", "NO", "ONE")
    time.sleep(2)


def _rest(server: Server, redis: Redis) -> None:  # noqa: ARG001 - as above
    time.sleep(1)


# What happens, how it is called, for how many seconds.
DISTURBANCES: tuple[tuple[str, Disturb, int], ...] = (
    ("nothing else happens", _rest, 15),
    ("a worker is killed every 2 s", _kill_worker, 60),
    ("Redis is killed and started again", _kill_redis, 15),
    ("Redis is silent for 2.5 s", _pause_redis, 15),
    ("Redis is full for 2 s", _fill_redis, 15),
    ("Redis takes no writes for 2 s, as in a failover", _demote_redis, 15),
)


@contextmanager
def _clients(server: Server, clients: list[Client], seconds: float) -> Iterator[float]:
    """Let the clients run until so many seconds are over; the block gets that time."""
    late = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client.run, args=(server, lambda: time.monotonic() >= late)) for client in clients
    ]
    for thread in threads:
        thread.start()
    yield late
    for thread in threads:
        thread.join()


def endure(name: str, disturb: Disturb, seconds: float, apps: int) -> tuple[str, list[str]]:
    """Run one disturbance; return its row of the table, and what was lost."""
    with tempfile.TemporaryDirectory(prefix="bench-endurance-") as folder:
        redis = Redis(Path(folder))
        server = Server("--store", redis.url, "--workers", "2")
        clients = [Client(f"app_{number:02}", resets=number % 5 == 0) for number in range(apps)]
        times = 0
        try:
            for client in clients:
                fault = {"kind": "status", "status": 418, "times": FAULTS, "operation": "apps_api_get_app_config"}
                server.insist("POST", f"/_sandbox/apps/{client.app}/faults", fault)
            with _clients(server, clients, seconds) as late:
                while time.monotonic() < late:
                    disturb(server, redis)
                    times += 1
            lost = [text for client in clients for text in client.lost(server)]
        finally:
            server.stop()
            redis.kill()
    alone = Server()
    try:
        lost += [text for client in clients for text in client.differs(alone)]
    finally:
        alone.stop()
    lost += [f"{client.app}: an id twice" for client in clients if client.twice]
    lost += [f"{client.app}: {client.faults} faults of {FAULTS}" for client in clients if client.faults > FAULTS]
    answered, refused = (sum(getattr(client, what) for client in clients) for what in ("answered", "refused"))
    return f"| {name} | {times} | {answered:,} | {refused:,} | {len(lost)} |", lost


def main() -> int:
    """Run all of them; return 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.endurance", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="some seconds each, few apps: to see that it runs")
    arguments = parser.parse_args()
    print("| what happens | times | answered | refused or broken off | lost |\n|---|---|---|---|---|", flush=True)
    everything = []
    for name, disturb, seconds in DISTURBANCES:
        row, lost = endure(name, disturb, 4 if arguments.quick else seconds, 8 if arguments.quick else APPS)
        print(row, flush=True)
        everything += lost
    for text in everything[:20]:
        print(f"lost: {text}", file=sys.stderr)
    return int(bool(everything))


if __name__ == "__main__":
    sys.exit(main())
