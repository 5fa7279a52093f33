"""The examples do what they say, against a real server, with what their language brings and nothing else."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.constants import ROOT
from tests.support.environments import environ
from tests.support.processes import Server, serving
from tests.support.requirements import link_npm_packages, requires_curl, requires_node

EXAMPLES = ROOT / "examples"
SUITES = ("node/client.test.mjs", "webhooks/receiver.test.mjs")
TOUR = ["bash", str(EXAMPLES / "curl" / "tour.sh")]


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run_in(ROOT, *command, **env)


def run_in(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own examples
        command, cwd=folder, env=environ(**env), capture_output=True, text=True, check=False
    )


def test_every_folder_is_in_the_readme() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    folders = [path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "node_modules"]
    assert [name for name in folders if f"| `{name}` |" not in page or f"examples/{name}" not in page] == []


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """A copy of the examples beside the package for Node."""
    link_npm_packages(tmp_path, "dimedove-sandbox")
    for name in ("node", "webhooks"):
        shutil.copytree(EXAMPLES / name, tmp_path / name)
    return tmp_path


def test_the_suites_in_node_pass(server: Server, suites: Path) -> None:
    command = [requires_node(), "--test", "--test-reporter=tap", *SUITES]
    done = run_in(suites, *command, DIMEDOVE_SANDBOX_URL=server.url)
    assert re.findall(r"^not ok .*", done.stdout, re.MULTILINE) == []
    for name in ("a lost answer is not a second conversation", "each webhook is taken once: none"):
        assert re.search(rf"^ok [0-9]+ - {name}$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_node_suite_starts_a_server_where_it_finds_one(suites: Path) -> None:
    command = [requires_node(), "--test", SUITES[0]]
    mine = shlex.join([sys.executable, "-P", "-m", "sandbox"])
    started = run_in(suites, *command, PYTHONPATH=str(ROOT), DIMEDOVE_SANDBOX_COMMAND=mine)
    missed = run_in(suites, *command, DIMEDOVE_SANDBOX_URL="http://127.0.0.1:1")
    assert (started.returncode, missed.returncode) == (0, 1), started.stdout


def test_the_suites_in_python_pass() -> None:
    alone = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    flags = ["-p", "pytest_dimedove", "-p", "no:cacheprovider", "-c", "/dev/null", "-W", "error", "-rp"]
    done = run(sys.executable, "-m", "pytest", *flags, "examples/python", "examples/webhooks", **alone)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("test_dimedove_client.py", "test_receiver.py"):
        assert f"{name}::" in done.stdout


def test_the_tour_goes_through(server: Server) -> None:
    requires_curl()
    done = run(*TOUR, server.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "# Done. The app is forgotten; its next use starts afresh."


def test_the_tour_goes_through_where_a_token_is_asked_for(tmp_path: Path) -> None:
    requires_curl()
    with serving("--quiet", env={"DIMEDOVE_SANDBOX_CONTROL_TOKEN": "secret"}) as server:
        done = run(*TOUR, f"{server.url}/v1/", DIMEDOVE_SANDBOX_CONTROL_TOKEN="secret")
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_tour_stops_where_an_answer_is_not_as_it_says() -> None:
    requires_curl()
    with serving("--quiet", "--control", "off") as server:
        done = run(*TOUR, server.url)
    assert done.returncode == 1
    assert "expected: 201" in done.stderr
