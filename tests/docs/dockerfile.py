"""Reads a Dockerfile of one stage and plays it without Docker: a folder for its root, an environment for its Python."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.environments import environ, environment, run


@dataclass(frozen=True)
class Step:
    """One instruction: its keyword and what follows it, continued lines joined."""

    keyword: str
    rest: str

    @property
    def words(self) -> Sequence[str]:
        """The rest of an instruction in exec form, or of one whose words are set apart by spaces."""
        words: list[str] = json.loads(self.rest) if self.rest.startswith("[") else self.rest.split()
        return words


@dataclass
class Played:
    """What a build leaves: the image's root, its environment variables, where and as whom it runs."""

    root: Path
    programs: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: int = 0

    @property
    def cwd(self) -> Path:
        """The working directory."""
        return self.root / self.folder.lstrip("/")

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands."""
        return environ(**{**self.variables, "PATH": f"{self.programs}:/usr/bin:/bin"})


def read_steps(text: str) -> list[Step]:
    """Return the instructions of a Dockerfile."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    pairs = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [Step(keyword.upper(), rest.strip()) for keyword, rest in pairs]


def the(keyword: str, steps: Sequence[Step]) -> Step:
    """Return the one instruction with a keyword."""
    [step] = [step for step in steps if step.keyword == keyword]
    return step


def health_command(steps: Sequence[Step]) -> Sequence[str]:
    """Return the command of the health check."""
    options, _, command = the("HEALTHCHECK", steps).rest.partition("CMD ")
    assert all(word.startswith("--") for word in options.split())
    return Step("CMD", command).words


def build(steps: Sequence[Step], context: Path, root: Path) -> Played:
    """Play every instruction that builds; one that is unknown here is an error."""
    root.mkdir()
    played = Played(root, environment(root / "python"))
    for step in steps:
        _play(step, context, played)
    return played


def _play(step: Step, context: Path, played: Played) -> None:
    match step.keyword:
        case "RUN" if step.rest.startswith("chown ") and os.geteuid() != 0:
            pass  # only root gives files away
        case "RUN":
            run(["sh", "-ec", step.rest], cwd=played.cwd, env=played.env)
        case "COPY":
            source, target = step.words
            shutil.copytree(context / source, played.cwd / target, dirs_exist_ok=True)
        case "WORKDIR":
            played.folder = step.rest
            played.cwd.mkdir(parents=True, exist_ok=True)
        case "ENV":
            played.variables |= {name: value for name, _, value in (word.partition("=") for word in step.words)}
        case "USER":
            played.user = int(step.rest.split(":")[0])
        case "FROM" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
            pass
        case unknown:
            raise AssertionError(f"{unknown} can't be played")


def context_of(clone: Path, ignored: str, target: Path) -> Path:
    """Copy what `.dockerignore` lets through, where it first takes all and then gives names back."""
    lines = [line for line in ignored.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    inside = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
    assert len(kept) + len(inside) + 1 == len(lines)
    target.mkdir()
    for name in kept:
        if (clone / name).is_dir():
            shutil.copytree(clone / name, target / name, ignore=shutil.ignore_patterns(*inside))
        else:
            shutil.copy(clone / name, target / name)
    return target
