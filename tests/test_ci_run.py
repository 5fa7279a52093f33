"""`.ci/run` names the stage that ended it, and what a signal ends leaves no process and no file behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.constants import ROOT

# A run inherits signals that are ignored (under nohup, say), and bash couldn't trap them.
RUN = "import os, signal, sys; [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 15)]; os.execvp('bash', sys.argv[1:])"
STAGE = "packages of npm that tests hold the sandbox against"


@contextmanager
def run_with_npm(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `.ci/run` with stand-ins for what it calls at first; npm, which its second stage calls, is `script`."""
    npm = f'[ "$1" = --version ] || {{ {script}; }}'
    programs = {"curl": "echo curl", "node": "echo 24", "npm": npm}
    # Nothing is installed by a test.
    programs |= dict.fromkeys(("openssl", "redis-server", "javac", "chromium", "apt-get"), "exit 1")
    (folder / "tmp").mkdir()
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TMPDIR": str(folder / "tmp")}
    command = [sys.executable, "-c", RUN, "bash", str(ROOT / ".ci" / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as run:  # noqa: S603 - ours
        yield run
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda sent: sent.name)
def test_a_signal_ends_the_stage_with_its_processes_and_is_named(sent: signal.Signals, tmp_path: Path) -> None:
    with run_with_npm("echo npm is $$; exec sleep 600", tmp_path) as run:
        assert run.stdout is not None
        npm = next(int(line.split()[-1]) for line in run.stdout if line.startswith("npm is "))
        run.send_signal(sent)
        output, _ = run.communicate(timeout=60)
    assert output.endswith(f"=== INTERRUPTED by {sent.name} in: {STAGE}\n")
    assert "passed" not in output
    assert run.returncode == 128 + sent
    with pytest.raises(ProcessLookupError):
        os.kill(npm, 0)


def test_a_stage_that_fails_is_named_with_its_exit_code(tmp_path: Path) -> None:
    with run_with_npm("exit 7", tmp_path) as run:
        output, _ = run.communicate(timeout=60)
    assert output.endswith(f"=== FAILED in: {STAGE} (exit code 7)\n")
    assert run.returncode == 7
