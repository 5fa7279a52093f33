"""Runs the command as a process of its own, and reads what it wrote."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx

from sandbox.options import ENV_PREFIX
from tests.support.constants import AUTH, ROOT
from tests.support.plain_http import get
from tests.support.raw_connection import TIMEOUT
from tests.support.stores import own_place

VARIABLE = "DIMEDOVE_SANDBOX_"


@dataclass(frozen=True)
class Server:
    """A real server process: its base URL (no path) and what it has written so far."""

    url: str
    process: subprocess.Popen[str]
    banner: str


@contextmanager
def signals_heeded() -> Iterator[None]:
    """Start processes that heed Ctrl-C and a closed terminal, though pytest itself is to ignore them.

    What is ignored stays so in a new process (`nohup`, a shell's `&`); what has a handler does not.
    """
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def serving(
    *flags: str,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    command: Sequence[str] = ("serve", "--port", "0"),
    stdin: int | None = None,
    within: Sequence[str] = (),
) -> Iterator[Server]:
    """Run `serve`, or another command that serves, on a free loopback port until the block ends.

    `within` is a command that becomes the one which is given to it, as `nohup` does.
    """
    command = [*within, sys.executable, "-P", "-m", "sandbox", *command, *flags]
    place = {ENV_PREFIX + name.upper(): str(value) for name, value in own_place().items()}
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **place, **(env or {})}
    with signals_heeded():
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environ,
            cwd=cwd or ROOT,
        )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"https?://\S+?(?=/v1)", first)
        assert found, f"the server did not start: {first}{process.stdout.read()}"
        yield Server(found.group(), process, first)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def http_client(server: Server) -> httpx.Client:
    """Return a client of a server, with a good key, for any number of requests at once."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    # To load certificates and proxies, of which there are none, would take longer than the requests.
    plain: dict[str, Any] = {"trust_env": False, "verify": False}
    return httpx.Client(base_url=server.url, headers=AUTH, timeout=60, limits=limits, **plain)


def run(
    *words: str, env: dict[str, str] | None = None, path: Path = ROOT, within: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself; `path` is where the package stands, `within` as in `serving`."""
    environ = {**os.environ, "PYTHONPATH": str(path), **(env or {})}
    command = [*within, sys.executable, "-P", "-m", "sandbox", *words]
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, env=environ, cwd=path, timeout=TIMEOUT, check=False
    )


class Measured(NamedTuple):
    """A command that has ended: its exit code, what it wrote to both outputs, and the most memory it held, in MB."""

    code: int
    out: str
    err: str
    megabytes: float


def measured(
    *words: str, folder: Path, env: dict[str, str] | None = None, program: Sequence[str] = ("-P", "-m", "sandbox")
) -> Measured:
    """Run a command, or another program of Python's, to its end and measure it; its outputs go through files."""
    place = {ENV_PREFIX + name.upper(): str(value) for name, value in own_place().items()}
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **place, **(env or {})}
    out, err, used = (folder / name for name in ("out.txt", "err.txt", "used.txt"))
    command = [sys.executable, "-c", _MEASURER, str(used), sys.executable, *program, *words]
    with out.open("wb") as to_out, err.open("wb") as to_err:
        subprocess.run(command, stdout=to_out, stderr=to_err, env=environ, cwd=folder, check=True)  # noqa: S603 - ours
    code, peak = map(int, used.read_text().split())
    per_megabyte = 1024**2 if sys.platform == "darwin" else 1024
    return Measured(code, out.read_text(), err.read_text(), peak / per_megabyte)


# A process begins with the peak of the one that started it: this small one stands in between.
_MEASURER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(f"{code} {peak}")
"""


def assert_runs(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Let a process go on for a moment; it must not end."""
    with suppress(subprocess.TimeoutExpired):
        raise AssertionError(f"it ended: exit code {process.wait(timeout=0.02)}")


def end(server: Server, how: signal.Signals = signal.SIGINT) -> list[str]:
    """End a server that serves by now, and return the lines that it has written since they were last read."""
    get(f"{server.url}/_sandbox/health")
    server.process.send_signal(how)
    server.process.wait(timeout=TIMEOUT)
    # What `readline` has taken out of the pipe already is seen by the file alone, not by `communicate`.
    return rest(server)


def rest(server: Server) -> list[str]:
    """Return the lines of a server that has ended."""
    assert server.process.stdout is not None
    return server.process.stdout.read().splitlines()
