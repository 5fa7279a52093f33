"""Plays the steps of a composite GitHub Action as far as a machine without GitHub allows: the shell steps, for real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped] # comes with schemathesis, its types don't

from tests.support.environments import environ

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


def read_yaml(text: str) -> dict[str, Any]:
    """Return a document that is a mapping."""
    value: dict[str, Any] = yaml.safe_load(text)
    return value


@dataclass
class Job:
    """A job in which an action runs: its folder for passing things, and what was said so far."""

    action: Mapping[str, Any]
    folder: Path
    inputs: Mapping[str, str]
    action_path: Path
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    output: str = ""
    groups: list[int] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What later steps find in their environment."""
        return _pairs(self.folder / "env")

    @property
    def outputs(self) -> dict[str, str]:
        """What the action hands on."""
        return {name: self._filled(output["value"]) for name, output in self.action["outputs"].items()}

    def run(self, step: Mapping[str, Any]) -> int:
        """Run one step and return its exit code."""
        output = self.folder / f"output_{step['id']}"
        output.touch()
        own = {name: self._filled(value) for name, value in step.get("env", {}).items()}
        process = subprocess.Popen(  # noqa: S603 - the shell that GitHub takes, with its flags
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # noqa: S607
            cwd=self.folder,
            env=environ(GITHUB_OUTPUT=str(output), GITHUB_ENV=str(self.folder / "env"), **own),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.groups.append(process.pid)
        self.output += process.communicate()[0]
        self.steps[step["id"]] = _pairs(output)
        return process.returncode

    def end(self) -> None:
        """End what the steps left running, as the end of a job does."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        """Return the first of `a || b` that isn't empty."""
        return next(filter(None, (self._looked_up(name.strip()) for name in expression.split("||"))), "")

    def _looked_up(self, name: str) -> str:
        match name.split("."):
            case ["inputs", key]:
                default: str = self.action["inputs"][key]["default"]
                return self.inputs.get(key, default)
            case ["steps", step, "outputs", key]:
                return self.steps[step].get(key, "")
            case ["github", "action_path"]:
                return str(self.action_path)
            case ["runner", "temp"]:
                return str(self.folder)
        raise AssertionError(f"no such value: {name}")


def _pairs(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)
