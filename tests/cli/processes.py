"""Runs the command as a process of its own, and reads what it wrote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx

from tests.conftest import ROOT, Server
from tests.wire.sockets import PATIENCE

VARIABLE = "DIMEDOVE_SANDBOX_"


def run(*words: str, env: dict[str, str] | None = None, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself; `path` is where the package stands."""
    environ = {**os.environ, "PYTHONPATH": str(path), **(env or {})}
    command = [sys.executable, "-P", "-m", "sandbox", *words]
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, env=environ, cwd=path, timeout=PATIENCE, check=False
    )


def end(server: Server, how: signal.Signals = signal.SIGINT) -> list[str]:
    """End a server that serves by now, and return the lines that it has written since they were last read."""
    httpx.get(f"{server.url}/_sandbox/health", trust_env=False)
    server.process.send_signal(how)
    server.process.wait(timeout=PATIENCE)
    # What `readline` has taken out of the pipe already is seen by the file alone, not by `communicate`.
    return rest(server)


def rest(server: Server) -> list[str]:
    """Return the lines of a server that has ended."""
    assert server.process.stdout is not None
    return server.process.stdout.read().splitlines()
