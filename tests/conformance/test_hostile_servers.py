"""Against a server that means harm a run ends, in time and in little memory, and tells what it has found by then."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.conformance.baseline import apply_baseline
from sandbox.conformance.preparation import RunPlan
from sandbox.conformance.reports import Report
from sandbox.conformance.run import RunResult, run_conformance
from sandbox.conformance.transport import MAX_BYTES, CannotRun
from sandbox.contract import load
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


DRIPS = ("drip", "drip of headers", "drip of nothing")
Waiting = Mapping[str, Future[RunResult]]


@pytest.fixture(scope="module", autouse=True)
def waiting() -> Iterator[Waiting]:
    """Runs that do nothing but wait: side by side, while other tests are at work."""
    with ExitStack() as servers, ThreadPoolExecutor() as pool:
        over = threading.Event()

        async def hang_later(request: Request, ask: Ask) -> Answer:
            if request.path.endswith("/completions"):
                await asyncio.to_thread(over.wait)
            return await a_patch_is_forgotten(request, ask)

        origins = {says: servers.enter_context(hostile(SAYING[says])) for says in DRIPS}
        plans = {says: RunPlan(url=origin, checks=("APP",), deadline=2) for says, origin in origins.items()}
        silent = servers.enter_context(socket.create_server(("127.0.0.1", 0)))
        plans["nothing"] = RunPlan(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        origin = servers.enter_context(running(ours(hang_later)))
        servers.callback(over.set)
        plans["a check that hangs"] = RunPlan(url=origin, checks=("UPDATE-2", "COMPLETION"), deadline=5)
        yield {name: pool.submit(run_conformance, plan, load(), lambda _: None) for name, plan in plans.items()}


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


def test_after_the_deadline_it_tells_what_it_has(waiting: Waiting) -> None:
    result = apply_baseline(waiting["a check that hangs"].result())
    report = "\n".join(Report(result, colour=False).lines())
    assert result.exit_code == 1
    assert report.endswith("does not conform: 1 finding; stopped early: the 5 s of --deadline are over")
    assert "finding 1 of 1: UPDATE-2" in report


@pytest.mark.parametrize("says", DRIPS)
def test_an_answer_that_never_ends_is_broken_off(waiting: Waiting, says: str) -> None:
    with pytest.raises(CannotRun, match=r"\Ahttp://\S+: the 2 s of --deadline are over\Z"):
        waiting[says].result()


def test_a_server_that_never_answers_is_given_up_after_its_first_silence(waiting: Waiting) -> None:
    with pytest.raises(CannotRun, match=r"\Acan't reach http://\S+: it listens, but no end within 5 s\Z"):
        waiting["nothing"].result()


def test_a_bomb_is_unpacked_as_far_as_an_answer_may_go(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with hostile(SAYING["bomb"]) as origin:
        assert conform(capsys, origin, "--check", "APP-1", "--json", str(report)).code == 1
    (finding,) = json.loads(report.read_text())["findings"]
    assert f"cut off after {MAX_BYTES:,} bytes" in finding["got"]
