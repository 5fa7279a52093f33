"""What becomes of a run that ends badly, of a server that does, and of a report where nothing can be shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from signal import Signals

import pytest

from tests.plugin.running import PLUGIN, RunTests
from tests.support.constants import ROOT
from tests.support.environments import environ
from tests.support.processes import signals_heeded
from tests.support.raw_connection import head, open_connection

SPOILED = """
    import http.client, pathlib, socket, subprocess
    import pytest

    PLACES = [(pathlib.Path, "read_bytes"), (pathlib.Path, "open"), (socket, "socket"), (subprocess.Popen, "poll"),
              (http.client.HTTPConnection, "request")]
    ERRORS = [RuntimeError("no"), pytest.fail.Exception("no"), SystemExit(5)]

    @pytest.fixture(params=PLACES, ids=[name for _, name in PLACES])
    def place(request): return request.param

    @pytest.fixture(params=ERRORS, ids=["error", "failure", "exit"])
    def spoil(request, place, monkeypatch):
        def spoiled(*_, **__): raise request.param
        return lambda: monkeypatch.setattr(*place, spoiled)

    def test_with_an_app(dimedove_app, spoil):
        spoil()
        assert 0

    def test_without_an_app(dimedove, spoil):
        spoil()
        assert 0
"""


def test_a_report_that_cannot_be_made_says_why_and_the_run_goes_on(run_tests: RunTests, tmp_path: Path) -> None:
    ran = run_tests(SPOILED, "--dimedove-bundle", str(tmp_path / "bundles"))
    assert ran.counts() == {"failed": 30}
    why = ran.section(r"Dimedove requests of app_test_with_an_app_error_socket_\w{8}")
    assert why == ["can't be shown: RuntimeError: no"]


WAITS = """
    import os, sys

    def test_it(dimedove_app):
        print(f"\\n{dimedove_app.base_url}", flush=True)
        match sys.stdin.readline().strip():
            case "exit":
                os._exit(1)
            case "fork" if os.fork() == 0:
                sys.stdin.readline()
                os._exit(0)
        print("\\nready", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("first", "how"),
    [
        ("nothing", Signals.SIGKILL),
        # a child that outlives the run
        ("fork", Signals.SIGKILL),
        ("fork", Signals.SIGTERM),
        ("fork", Signals.SIGHUP),
        # as a thread of pytest-timeout does, and a worker of xdist that crashes
        ("exit", None),
    ],
)
def test_the_server_ends_with_a_run_that_is_ended(first: str, how: Signals | None, tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(WAITS.replace("\n    ", "\n"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-s", *PLUGIN, "-p", "no:cacheprovider", "-c", "/dev/null", "."]
    env = environ(PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    with signals_heeded():
        process = subprocess.Popen(  # noqa: S603 - pytest
            command, cwd=tmp_path, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    with process as run:
        assert run.stdin
        assert run.stdout
        url = next(output for output in run.stdout if output.startswith("http")).strip().removesuffix("/v1")
        with open_connection(url) as wire:
            wire.send(head("GET", "/_sandbox/events"))
            assert wire.socket.recv(10_000)
            print(first, file=run.stdin, flush=True)
            if how:
                next(output for output in run.stdout if output == "ready\n")
                run.send_signal(how)
            while wire.socket.recv(10_000):
                pass


DIES = """
    import pytest, pytest_dimedove

    @pytest.fixture
    def kill(pytestconfig):
        process = pytestconfig.stash[pytest_dimedove._PROCESS]._process
        def kill():
            process.kill()
            process.wait()
        return kill

    @pytest.fixture(scope="session")
    def first_url(dimedove): return dimedove.url

    def test_dies_unseen(dimedove_app, kill, first_url): kill()
    def test_after_that(dimedove_app, first_url): assert dimedove_app.settings(stream=True)["stream"]
    def test_dies_and_fails(dimedove_app, kill):
        kill()
        dimedove_app.faults()
    def test_at_the_same_address(dimedove, dimedove_app, first_url):
        assert dimedove.url == first_url and dimedove_app.faults() == []
"""


def test_a_server_that_died_is_said_once_and_another_one_started(run_tests: RunTests) -> None:
    ran = run_tests(DIES)
    assert ran.counts() == {"failed": 1, "passed": 3, "error": 1}
    assert ran.section("Dimedove Sandbox")[0] == "The sandbox ended by itself: signal 9. The end of its log:"
    assert "ERROR at teardown of test_dies_unseen" in ran.output
    # pytest's summary repeats an error's first line where the environment says CI, else as much as the terminal holds.
    reports, _, _ = ran.output.partition("short test summary info")
    assert reports.count("The sandbox ended by itself: signal 9. The end of its log:") == 2


def test_a_server_that_died_between_two_tests_is_warned_of(run_tests: RunTests) -> None:
    ran = run_tests(
        DIES
        + """
    @pytest.fixture
    def late(kill):
        yield
        kill()

    def test_dies_late(dimedove, late): pass
    def test_next(dimedove_app): assert dimedove_app.faults() == []
    """,
        "-W",
        "default",
        "-k",
        "late or next",
    )
    assert ran.counts() == {"passed": 2}
    assert "PytestWarning: The sandbox ended by itself: signal 9" in ran.output
