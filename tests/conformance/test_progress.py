"""What is said while a run goes on, and what its files say when it stopped early."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.conformance.checks import all_checks
from sandbox.conformance.preparation import RunPlan
from sandbox.conformance.run import run_conformance
from sandbox.contract import load
from tests.conformance.conform_runs import conform, ours
from tests.conformance.wire import Answer, Ask, Request
from tests.support.constants import ROOT
from tests.support.running import running

pytestmark = pytest.mark.fuzz

CHECKS = all_checks()


def test_both_phases_say_how_far_they_are() -> None:
    noted: list[str] = []
    with running(ours()) as origin:
        run_conformance(RunPlan(url=origin, quick=True, read_only=True), load(), lambda _: None, noted.append)
    first = [int(found[1].replace(",", "")) for text in noted if (found := re.match("fuzz phase: ([0-9,]+) req", text))]
    assert first[0] < first[-1]
    assert first == sorted(first)
    assert noted[-1] == f"check phase: {CHECKS[-1].id}, {len(CHECKS)} of {len(CHECKS)}"


def test_a_log_that_is_no_terminal_is_told_only_what_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    with running(ours()) as origin:
        said = conform(capsys, origin, "--check", "APP-1")
    assert said.err.splitlines() == [f"checking {origin}/v1, app app_conform_1, the sandbox", "check phase: one check"]


def test_who_reads_no_further_ends_nothing_with_a_traceback() -> None:
    command = [sys.executable, "-m", "sandbox", "conform", "--list"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:  # noqa: S603
        assert listing.stdout
        assert listing.stderr
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 0


def test_a_run_that_stopped_early_is_no_green_in_junit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def busy(request: Request, ask: Ask) -> Answer:
        answer = await ask(request)
        return replace(answer, status=429, headers=((b"retry-after", b"61"),)) if request.creates else answer

    with running(ours(busy)) as origin:
        said = conform(capsys, origin, "--check", "CREATE-1", "--junit", str(tmp_path / "conform.xml"))
    assert said.code == 3
    (error,) = ElementTree.parse(tmp_path / "conform.xml").iter("error")  # noqa: S314 - our own
    assert "retry after 61 s" in error.get("message", "")
