"""What is no server of this API: said in one line, before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.conform_runs import Foreign, conform, ours
from tests.conformance.wire import Answer, Ask, Request
from tests.support.running import running

pytestmark = pytest.mark.fuzz

MINE = ("--app", "app_theirs", "--key", "sk_live_4242424242")


async def files(request: Request, ask: Ask) -> Answer:
    """Answer as a server of files does that has none of these."""
    return Answer(404, ((b"content-type", b"text/html"),), b"<h1>Not Found</h1>")


def test_a_server_of_something_else_is_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    with running(ours(files)) as origin:
        said = conform(capsys, origin, *MINE)
    assert said.code == 3
    assert "nothing of this API is at /v1 (404)" in said.err


def test_a_server_that_limits_even_reading_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    async def limited(request: Request, ask: Ask) -> Answer:
        return Answer(429, ((b"retry-after", b"60"),), b"")

    with running(ours(limited)) as origin:
        said = conform(capsys, origin, *MINE, "--max-wait", "1")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "429, retry after 60 s" in said.err


def test_a_report_that_could_not_be_written_is_said_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server = Foreign()
    with running(ours(server)) as origin:
        said = conform(capsys, origin, *MINE, "--junit", str(tmp_path / "nowhere" / "conform.xml"))
    assert said.code == 2
    assert "nowhere/conform.xml: can't be written: there is no such folder" in said.err
    assert server.heard == []
