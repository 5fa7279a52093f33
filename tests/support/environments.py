"""Fresh places: a copy of the clone, an empty environment, a server started by a command as a person types it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.constants import ROOT

# What a clone does not have: all that .gitignore names, and git's own folder.
_NOT_CLONED = (
    ".git",
    ".venv",
    "__pycache__",
    "*.egg-info",
    ".*_cache",
    ".hypothesis",
    ".schemathesis",
    "build",
    "dist",
    "node_modules",
)
_LONGEST_START = 240


@dataclass(frozen=True)
class Started:
    """A server that a command started: its base URL, what it said up to there and what it went on to say."""

    url: str
    process: subprocess.Popen[str]
    said: str

    def stop(self) -> str:
        """End it as Ctrl-C does and return all that it wrote to stdout."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.said + self.process.communicate()[0]


def clone(target: Path) -> Path:
    """Copy the working tree as a clone would have it."""
    return Path(shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_NOT_CLONED)))


def environment(folder: Path, *, pip: bool = True) -> Path:
    """Make an empty environment, with pip at most, and return its folder of programs."""
    run([sys.executable, "-m", "venv", *([] if pip else ["--without-pip"]), str(folder)], cwd=folder.parent)
    return folder / "bin"


def environ(**more: str) -> dict[str, str]:
    """Return this process's environment without what could lend a new one our packages, and with `more`."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    quick = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_COMPILE": "1"}
    return {**kept, **quick, **more}


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command that must succeed and return what it printed."""
    done = subprocess.run(  # noqa: S603 - commands of this repository
        command, cwd=cwd, env=env or environ(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def starting(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Iterator[Started]:
    """Run a command that ends in a server, wait for its greeting, and end it with the block."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(  # noqa: S603 - commands of this repository
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
        # Nothing waits for this in a good run: it turns a command that hangs into one that failed.
        too_long = threading.Timer(_LONGEST_START, process.kill)
        too_long.start()
        assert process.stdout is not None
        first = process.stdout.readline()
        too_long.cancel()
        found = re.search(r"http://\S+?(?=/v1)", first)
        if found is None:
            process.kill()
            errors.seek(0)
            raise AssertionError(f"no server came up: {first}{process.communicate()[0]}{errors.read()}")
        started = Started(found.group(), process, first)
        try:
            yield started
        finally:
            if process.stdout and not process.stdout.closed:
                started.stop()
