"""The checks as a library: a suite of somebody else's makes them on a server, a test a check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.conformance.library import CheckFailed, all_checks, connect
from sandbox.conformance.preparation import UsageError
from tests.conformance.conform_runs import Foreign, ours
from tests.conformance.test_checks import a_patch_is_forgotten, refuse
from tests.support.constants import ROOT
from tests.support.processes import serving
from tests.support.running import running

CHECKS = {check.id: check for check in all_checks()}


def test_the_example_holds_our_own_server_to_every_check(tmp_path: Path) -> None:
    with serving("--quiet") as server:
        done = suite(tmp_path, server.url)
    assert done.returncode == 0, done.stdout
    assert f"{len(CHECKS) - 1} passed, 1 skipped" in done.stdout


def test_a_broken_check_is_a_failed_test_that_says_how_to_repeat_it(tmp_path: Path) -> None:
    with running(ours(a_patch_is_forgotten)) as origin:
        done = suite(tmp_path, origin, "-k", "UPDATE-2 or UPDATE-1 or APP-1")
    assert done.returncode == 1
    assert "UPDATE-2 (clause 2.5): " in done.stdout
    assert "curl -sS" in done.stdout
    assert "1 failed, 2 passed" in done.stdout


def test_a_check_that_could_not_run_is_no_success() -> None:
    with running(ours(refuse("/conversations$"))) as origin:
        server = connect(origin)
        with pytest.raises(CheckFailed, match="PAGE-1"):
            server.run_check(CHECKS["PAGE-1"])


def test_a_server_that_is_not_the_sandbox_needs_permission() -> None:
    with running(ours(Foreign())) as origin:
        with pytest.raises(UsageError):
            connect(origin)
        server = connect(origin, app="app_x", key="sk_live_abc")
        assert server.skip_reason(CHECKS["CREATE-1"]) == "it writes; --allow-writes allows it"
        assert server.skip_reason(CHECKS["APP-1"]) is None


def suite(tmp_path: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the example's tests, as a project of its own."""
    example = (ROOT / "examples/conformance/test_my_server.py").read_text(encoding="utf-8")
    (tmp_path / "test_my_server.py").write_text(example, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "CONFORM_URL": url, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        ".",
        *words,
    ]
    return subprocess.run(  # noqa: S603 - pytest
        [*command, "test_my_server.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
