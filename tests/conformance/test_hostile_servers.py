"""Against a server that means harm a run ends, in time and in little memory, and tells what it has found by then."""

from __future__ import annotations

import asyncio
import json
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from sandbox.conformance.transport import MAX_BYTES
from tests.conformance.conform_runs import conform, ours
from tests.conformance.hostile import SAYING, hostile
from tests.conformance.test_checks import a_patch_is_forgotten
from tests.conformance.wire import Answer, Ask, Request
from tests.support.processes import measured
from tests.support.running import running

pytestmark = pytest.mark.fuzz

# Each row: what the server says, words of the command, the exit code, and why the run stopped.
FLOOD = "answers of more than 262,144 bytes came to more than 12,582,912 bytes in all"
RUNS = [
    ("endless", ("--check", "PAGE"), 3, FLOOD),
    ("bomb", ("--quick",), 3, FLOOD),
    ("events", ("--check", "STREAM", "--check", "MESSAGE"), 3, FLOOD),
    ("ints", ("--check", "CREATE"), 1, FLOOD),
]


@pytest.mark.parametrize(("says", "words", "code", "why"), RUNS, ids=[f"{row[0]}{row[1][0]}" for row in RUNS])
def test_a_run_is_bounded_and_tells_what_it_has(
    tmp_path: Path, says: str, words: tuple[str, ...], code: int, why: str
) -> None:
    files = ("--json", "report.json", "--junit", "junit.xml")
    with hostile(SAYING[says]) as origin:
        done = measured("conform", origin, *words, *files, folder=tmp_path)
    assert (done.code, "stopped early" in done.out) == (code, True), done
    assert done.megabytes < 400
    report = json.loads((tmp_path / "report.json").read_text())
    assert why in report["incomplete"]
    assert (report["findings"] != []) is (code == 1)
    assert "does not conform" in report["conclusion"] or code == 3
    ElementTree.parse(tmp_path / "junit.xml")  # noqa: S314 - our own


def test_after_the_deadline_it_tells_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    over = threading.Event()

    async def hang_later(request: Request, ask: Ask) -> Answer:
        if request.path.endswith("/completions"):
            await asyncio.to_thread(over.wait)
        return await a_patch_is_forgotten(request, ask)

    with running(ours(hang_later)) as origin:
        said = conform(capsys, origin, "--check", "UPDATE-2", "--check", "COMPLETION", "--deadline", "5")
        over.set()
    assert said.code == 1
    assert "does not conform: 1 finding; stopped early: the 5 s of --deadline are over\n" in said.out
    assert "finding 1 of 1: UPDATE-2" in said.out


@pytest.mark.parametrize("says", ["drip", "drip of headers", "drip of nothing"])
def test_an_answer_that_never_ends_is_broken_off(capsys: pytest.CaptureFixture[str], says: str) -> None:
    with hostile(SAYING[says]) as origin:
        said = conform(capsys, origin, "--check", "APP", "--deadline", "2")
    assert (said.code, said.err.count("dimedove-sandbox: "), said.out) == (3, 1, "")


def test_a_bomb_is_unpacked_as_far_as_an_answer_may_go(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with hostile(SAYING["bomb"]) as origin:
        assert conform(capsys, origin, "--check", "APP-1", "--json", str(report)).code == 1
    (finding,) = json.loads(report.read_text())["findings"]
    assert f"cut off after {MAX_BYTES:,} bytes" in finding["got"]
