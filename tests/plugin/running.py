"""Runs pytest with the plugin as a process of its own, as a user does."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from tests.support.constants import ROOT
from tests.support.environments import environ

PLUGIN = ("-p", "pytest_dimedove")
_FLAGS = ("-p", "no:cacheprovider", "-c", "/dev/null", "-W", "error", "-rA")


@dataclass(frozen=True)
class Ran:
    """What a run of pytest came to."""

    output: str
    folder: Path

    def counts(self) -> dict[str, int]:
        """Return how many tests passed, failed and so on."""
        last = self.output.rstrip().splitlines()[-1]
        return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", last)}

    def section(self, title: str) -> list[str]:
        """Return the lines of a report's section."""
        lines = self.output.splitlines()
        start = next(number for number, line in enumerate(lines) if re.fullmatch(f"-+ {title} -+", line))
        return list(takewhile(lambda line: not re.match("[-=_]{5}", line), lines[start + 1 :]))

    def failure(self, name: str) -> list[str]:
        """Return the lines of the failure of a test."""
        lines = self.output.splitlines()
        start = next(number for number, line in enumerate(lines) if re.fullmatch(f"_+ test_{name} _+", line))
        # What pytest says of its traceback comes last, in its newer versions; then the next failure begins.
        ends = re.compile("-----|_____|=====|All traceback entries")
        return [line.strip() for line in takewhile(lambda line: not ends.match(line), lines[start + 1 :])]


class RunTests(Protocol):
    """Runs the text of a test module."""

    def __call__(self, text: str, *flags: str, **env: str) -> Ran:
        """Return what the run came to."""
        ...


def run_in(
    folder: Path, text: str, *flags: str, plugin: Sequence[str] = PLUGIN, env: Mapping[str, str] | None = None
) -> Ran:
    """Run the text of a test module in a folder, with this plugin and no other."""
    (folder / "test_inner.py").write_text(textwrap.dedent(text), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", *plugin, *_FLAGS, "--rootdir", str(folder), *flags, "test_inner.py"]
    own = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(env or {})}
    done = subprocess.run(  # noqa: S603 - pytest
        command, cwd=folder, env=environ(**own), capture_output=True, text=True, check=False
    )
    return Ran(done.stdout + done.stderr, folder)
