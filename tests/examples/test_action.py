"""`action.yml`: what it declares, and its shell steps as GitHub would run them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.examples.actions import Job, read_yaml
from tests.support.constants import ROOT
from tests.support.environments import clone
from tests.support.requirements import requires_curl, requires_packages

ACTION = read_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, START = ACTION["runs"]["steps"]

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(tmp_path: Path) -> Iterator[MakeJob]:
    """Return a function that begins a job; what the job leaves running is ended with the test."""
    requires_curl()
    jobs: list[Job] = []

    def make(*, action_path: Path = ROOT, **inputs: str) -> Job:
        jobs.append(Job(ACTION, tmp_path, inputs, action_path))
        return jobs[-1]

    yield make
    for job in jobs:
        job.end()


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The outputs of the first step, with the sandbox of this run."""
    command = tmp_path / "dimedove-sandbox"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m sandbox "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return {"command": str(command)}


def get(url: str) -> Any:
    with urlopen(url) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def until_the_log_has(word: str, job: Job) -> str:
    """Return the log once a word is in it, or after a thousand further requests: lines are written a moment later."""
    log = Path(job.outputs["log"])
    for _ in range(1_000):
        if word in log.read_text(encoding="utf-8"):
            break
        get(f"{job.outputs['url']}/_sandbox/health")
    return log.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_everything_is_described(kind: str) -> None:
    assert all(entry["description"] for entry in ACTION[kind].values())


def test_it_needs_no_other_action_and_runs_in_one_shell_everywhere() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert [(step["shell"], "uses" in step) for step in ACTION["runs"]["steps"]] == [("bash", False)] * 2


@pytest.mark.parametrize("step", ACTION["runs"]["steps"], ids=lambda step: step["id"])
def test_what_a_user_gives_never_becomes_part_of_a_script(step: dict[str, Any]) -> None:
    assert "${{" not in step["run"]


def test_it_installs_itself_and_serves(make_job: MakeJob, tmp_path: Path) -> None:
    requires_packages()
    job = make_job(action_path=clone(tmp_path / "clone"), python=sys.executable)
    assert [job.run(step) for step in (INSTALL, START)] == [0, 0], job.output
    assert get(f"{job.outputs['url']}/_sandbox/health")["sandbox"] is True


def test_it_says_where_the_server_is(make_job: MakeJob, installed: dict[str, str]) -> None:
    job = make_job()
    job.steps["install"] = installed
    assert job.run(START) == 0, job.output
    url = job.outputs["url"]
    assert job.environment == {"DIMEDOVE_SANDBOX_URL": url}
    assert (job.outputs["base-url"], job.output) == (f"{url}/v1", f"Dimedove Sandbox on {url}/v1\n")


def test_a_config_file_sets_the_server_and_the_log_has_its_requests(
    make_job: MakeJob, installed: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sandbox.toml").write_text('[apps.app_mine]\nframing = "crlf"\n', encoding="utf-8")
    job = make_job(config="sandbox.toml")
    job.steps["install"] = installed
    assert job.run(START) == 0, job.output
    assert get(f"{job.outputs['url']}/_sandbox/apps/app_mine")["settings"]["framing"] == "crlf"
    assert "/_sandbox/apps/app_mine" in until_the_log_has("app_mine", job)


def test_a_server_that_does_not_start_fails_the_step_with_its_reason(
    make_job: MakeJob, installed: dict[str, str]
) -> None:
    job = make_job(port="a lot")
    job.steps["install"] = installed
    assert job.run(START) == 1
    assert job.output.startswith(
        "::error::The sandbox did not start.\ndimedove-sandbox: --port: expected a whole number"
    )


def test_a_machine_without_a_new_python_is_told_what_to_do(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bash").symlink_to("/bin/bash")
    monkeypatch.setenv("PATH", str(tmp_path))
    job = make_job()
    assert job.run(INSTALL) == 1
    assert job.output == "::error::The sandbox needs Python 3.11 or later; actions/setup-python brings one.\n"
