"""Bundles, and what `replay` makes of them: in this process where that says as much as the command does."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sandbox import create_app
from sandbox.cli import main
from sandbox.cli.replay import settings_of
from sandbox.replay.bundle import load_bundle
from sandbox.replay.run import Replay
from sandbox.replay.transport import Address
from sandbox.server.protocol import SandboxProtocol
from tests.support.app_driver import AppDriver
from tests.support.processes import run
from tests.support.running import running


@dataclass(frozen=True)
class Replayed:
    """What came of a bundle: the exit code, the lines of its steps, and the last one, which sums up."""

    code: int
    steps: Sequence[str]
    end: str

    @property
    def verdicts(self) -> Sequence[str]:
        """The first word of each step."""
        return [line.split()[0] for line in self.steps]


def bundle(driver: AppDriver) -> bytes:
    answer = driver.call("GET", "/bundle")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


def part(content: bytes, name: str) -> Any:
    return json.loads(ZipFile(BytesIO(content)).read(name))


def changed(content: bytes, name: str, old: str, new: str) -> bytes:
    """Return a bundle with another text in one of its files."""
    out, source = BytesIO(), ZipFile(BytesIO(content))
    with ZipFile(out, "w") as archive:
        for each in source.namelist():
            text = source.read(each).decode()
            assert each != name or old in text
            archive.writestr(each, text.replace(old, new) if each == name else text)
    return out.getvalue()


def replay(content: bytes, folder: Path) -> Replayed:
    """Repeat a bundle as the command does, on a server of the same settings in this process."""
    recorded = load_bundle(stored(content, folder))
    lines: list[str] = []
    with running(create_app(settings_of(recorded, 0)), http=SandboxProtocol) as origin:
        host, port = origin.removeprefix("http://").split(":")
        differing = Replay(recorded, Address(host, int(port)), lines.append).run()
    return Replayed(1 if differing else 0, lines[:-1], lines[-1])


def command(content: bytes, folder: Path) -> Replayed:
    """Run the command, which ends by itself."""
    done = run("replay", str(stored(content, folder)))
    assert done.stderr == ""
    _, *lines = done.stdout.splitlines()
    return Replayed(done.returncode, lines[:-1], lines[-1])


def refused(content: bytes, folder: Path) -> str:
    """Return the one line in which the command refuses a bundle before it starts a server."""
    return refusal_of(stored(content, folder))


def refusal_of(path: Path) -> str:
    """Return the one line in which the command refuses a path before it starts a server."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["replay", str(path)], {})
    assert (code, out.getvalue(), err.getvalue().count("\n")) == (2, "", 1), out.getvalue() + err.getvalue()
    return err.getvalue()


def stored(content: bytes, folder: Path) -> Path:
    """Return the file of a bundle."""
    file = folder / "failure.zip"
    file.write_bytes(content)
    return file


def assert_same(done: Replayed) -> None:
    assert set(done.verdicts) <= {"same", "set"}, done.steps
    assert done.end.endswith("all the same")
    assert done.code == 0
