"""What a test needs beyond Python and pip, and how many examples a search tries.

A test that lacks something is skipped, with the reason. Where SANDBOX_DEMAND_ALL is set (`.ci/run` installs everything)
a skip is a failure, and searches try all their examples. This module is a pytest plugin.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "SANDBOX_DEMAND_ALL"
DEMANDS_ALL = bool(os.environ.get(VARIABLE))
NODE_VERSION = 20
JAVA_VERSION = 17


def examples(full: int, *, quick: int) -> int:
    """Return how many examples a search tries: `full` where everything is demanded, else `quick`."""
    return full if DEMANDS_ALL else quick


def requires_curl() -> str:
    """Return the path of curl."""
    return shutil.which("curl") or pytest.skip("needs curl, which is not installed")


def requires_openssl() -> str:
    """Return the path of openssl, which makes certificates."""
    return shutil.which("openssl") or pytest.skip("needs openssl, which is not installed")


def requires_node() -> str:
    """Return the path of a Node.js that is new enough."""
    node = shutil.which("node")
    if node is None or _node_version(node) < NODE_VERSION:
        pytest.skip(f"needs Node.js {NODE_VERSION} or later, which is not installed")
    return node


def link_npm_packages(folder: Path, *names: str) -> None:
    """Let a program in a folder import packages of npm: those in the `node_modules` that SANDBOX_NODE_MODULES has."""
    packages = Path(os.environ.get("SANDBOX_NODE_MODULES", ""), "node_modules")
    missing = [name for name in names if not (packages / name).is_dir()]
    if missing or "SANDBOX_NODE_MODULES" not in os.environ:
        pytest.skip(f"needs {', '.join(names)} from npm, which is in no folder that SANDBOX_NODE_MODULES names")
    (folder / "node_modules").symlink_to(packages)


def requires_java() -> str:
    """Return the path of a Java that is new enough, with its compiler: it runs a program from its source."""
    java = shutil.which("java")
    if java is None or _java_version(java) < JAVA_VERSION:
        pytest.skip(f"needs a JDK {JAVA_VERSION} or later, which is not installed")
    return java


def requires_packages() -> None:
    """Make sure that fresh environments are wanted, and that pip reaches the index that fills them."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"fills fresh environments for a minute or more; {VARIABLE}=1 asks for it, as .ci/run does")
    if not _pip_reaches_an_index():
        pytest.skip("needs an index of packages, and pip reaches none")


def requires_mounts() -> Sequence[str]:
    """Return the command that gives another one mounts of its own."""
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    trial = [*command, "mount", "--bind", tempfile.gettempdir(), tempfile.gettempdir()]
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode:  # noqa: S603 - of this machine
        pytest.skip("needs mounts of its own, which this machine doesn't let it make")
    return command


@functools.cache
def _node_version(node: str) -> int:
    command = [node, "-p", "process.versions.node.split('.')[0]"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on the PATH
    return int(said.stdout) if said.returncode == 0 else 0


@functools.cache
def _java_version(java: str) -> int:
    """Return the version of the JDK; 0 where there is a runtime alone."""
    command = [java, "--describe-module", "jdk.compiler"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on the PATH
    found = re.match(r"jdk\.compiler@([0-9]+)", said.stdout)
    return int(found[1]) if found and said.returncode == 0 else 0


@functools.cache
def _pip_reaches_an_index() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-cache-dir",
            "-d",
            folder,
            "hatchling",
        ]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - pip


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skipped itself."""
    report = yield
    _demand(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that skipped itself."""
    report = yield
    _demand(report)
    return report


def _demand(report: Any) -> None:
    if report.outcome == "skipped" and os.environ.get(VARIABLE):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{VARIABLE} is set, and this was skipped: {reason}"
