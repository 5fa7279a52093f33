"""The fixtures, in runs of pytest as a user starts them: which server they find, what they leave behind."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from pytest_dimedove import DimedoveError
from pytest_dimedove.server import Process, connect_to_running
from tests.plugin.running import PLUGIN, Ran, RunTests, run_in
from tests.support.constants import ROOT
from tests.support.environments import environ
from tests.support.processes import Server

IN_TWO_WORKERS = ("-p", "xdist", "-n", "2")
PASSES = "def test_it(dimedove_app): dimedove_app.settings(framing='crlf')"
NOTES_ITS_APP = """
    import pathlib, pytest

    @pytest.mark.parametrize("word", ["one", "two", "Zoé/β"])
    def test_it(dimedove_app, word):
        with pathlib.Path("noted").open("a") as noted:
            print(dimedove_app.base_url, dimedove_app.app_id, file=noted)
"""


def noted(folder: Path) -> tuple[list[str], list[str]]:
    """Return the base URLs and the app ids that the tests of `NOTES_ITS_APP` had."""
    lines = [line.split() for line in (folder / "noted").read_text(encoding="utf-8").splitlines()]
    return [url for url, _ in lines], [app_id for _, app_id in lines]


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What three tests noted in one run, and again in another."""
    folder = tmp_path_factory.mktemp("twice")
    assert [run_in(folder, NOTES_ITS_APP).counts() for _ in range(2)] == [{"passed": 3}] * 2
    return noted(folder)


def test_a_session_has_one_server_and_each_test_an_app(two_runs: tuple[list[str], list[str]]) -> None:
    urls, apps = two_runs
    assert len(set(urls[:3])) == 1
    assert len(set(apps[:3])) == 3


def test_the_server_ends_with_the_session(two_runs: tuple[list[str], list[str]]) -> None:
    with pytest.raises(URLError, match="refused"):
        urlopen(f"{two_runs[0][0]}/apps/app_x/config")  # noqa: S310 - our own server


def test_an_app_is_named_after_its_test_and_is_the_same_in_every_run(two_runs: tuple[list[str], list[str]]) -> None:
    _, apps = two_runs
    assert apps[:3] == apps[3:]
    assert [app.rpartition("_")[0] for app in apps[:3]] == [
        "app_test_it_one",
        "app_test_it_two",
        "app_test_it_Zo_xe9_u03b2",
    ]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run of tests that look at what they find."""
    text = """
        import sys
        import pytest

        @pytest.fixture
        def apps(dimedove):
            return lambda: [app["app_id"] for app in dimedove.control("GET", "/apps")["data"]]

        def test_that_fails(dimedove_app, apps):
            dimedove_app.settings(framing="crlf")
            assert apps() == ["app_demo"]

        def test_after_it(apps):
            assert apps() == ["app_demo"]

        def test_what_is_loaded(dimedove_app):
            dimedove_app.populate(3)
            loaded = {name.partition(".")[0] for name in sys.modules}
            assert not loaded & {"sandbox", "starlette", "uvicorn", "faker", "httpx", "jsonschema"}
    """
    return run_in(tmp_path_factory.mktemp("session"), text)


def test_a_test_that_failed_leaves_nothing_to_the_next(session: Ran) -> None:
    assert "FAILED test_inner.py::test_that_fails" in session.output
    assert "PASSED test_inner.py::test_after_it" in session.output


def test_nothing_of_ours_comes_into_the_test_process(session: Ran) -> None:
    assert "PASSED test_inner.py::test_what_is_loaded" in session.output


def test_a_run_that_is_interrupted_together_with_its_server_ends_quietly(run_tests: RunTests) -> None:
    ran = run_tests("""
        import pytest_dimedove

        def test_it(dimedove_app, pytestconfig):
            pytestconfig.stash[pytest_dimedove._PROCESS].stop()
            raise KeyboardInterrupt
    """)
    assert "KeyboardInterrupt" in ran.output
    assert "DimedoveError" not in ran.output


def test_workers_have_a_server_each_and_send_their_reports(run_tests: RunTests, tmp_path: Path) -> None:
    noting = NOTES_ITS_APP.replace("[", "[*'abcdef', ")
    ran = run_tests(f"{noting}\n    def test_that_fails(dimedove_app): assert dimedove_app.requests()", *IN_TWO_WORKERS)
    urls, apps = noted(tmp_path)
    assert ran.counts() == {"passed": 9, "failed": 1}
    assert (len(set(urls)), len(set(apps))) == (2, 9)
    assert ran.section(r"Dimedove requests of app_test_that_fails_\w{8}") == ["no request came"]


def test_runs_and_workers_share_a_server_that_runs_already(run_tests: RunTests, tmp_path: Path, server: Server) -> None:
    for flags in (IN_TWO_WORKERS, (), ()):
        assert run_tests(NOTES_ITS_APP, *flags, DIMEDOVE_SANDBOX_URL=server.url).counts() == {"passed": 3}
    urls, apps = noted(tmp_path)
    assert set(urls) == {f"{server.url}/v1"}
    assert len(set(apps)) == 9
    assert {app.split("_")[-2] for app in apps} <= {"gw0", "gw1", "main"}


def test_a_server_of_another_installation_is_started_by_its_command(run_tests: RunTests, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other installation"
    elsewhere.write_text(f'#!/bin/sh\necho Welcome\nexec {sys.executable} -P -m sandbox "$@"\n', encoding="utf-8")
    elsewhere.chmod(0o755)
    text = """
        def test_it(dimedove_app, tmp_path_factory):
            dimedove_app.settings(framing="crlf")
            assert "Welcome" in (tmp_path_factory.getbasetemp() / "dimedove0" / "sandbox.log").read_text()
    """
    assert run_tests(text, DIMEDOVE_SANDBOX_COMMAND=shlex.quote(str(elsewhere))).counts() == {"passed": 1}


def test_what_is_the_developer_s_own_does_not_lead_astray(run_tests: RunTests, tmp_path: Path) -> None:
    """Neither their settings, nor a folder with our name where Python looks for modules."""
    config = tmp_path / "sandbox.toml"
    config.write_text('seed = 7\ncontrol = "off"\n', encoding="utf-8")
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "__init__.py").write_text("MINE = True", encoding="utf-8")
    ran = run_tests(
        "import sandbox\ndef test_it(dimedove_app): assert sandbox.MINE and dimedove_app.faults() == []",
        PYTHONPATH=f":.:{ROOT}",
        DIMEDOVE_SANDBOX_CONFIG=str(config),
        DIMEDOVE_SANDBOX_CONTROL="off",
        DIMEDOVE_SANDBOX_DATA=str(tmp_path / "no folder" / "data"),
        DIMEDOVE_SANDBOX_SEED="tulip",
        DIMEDOVE_SANDBOX_HOST="0.0.0.0",  # noqa: S104 - never bound: that is the point
        DIMEDOVE_SANDBOX_PORT="1",
        DIMEDOVE_SANDBOX_CONTROL_TOKEN="secret",
        http_proxy="http://127.0.0.1:1",
    )
    assert ran.counts() == {"passed": 1}


def test_a_run_without_the_fixtures_pays_for_nothing(tmp_path: Path, subtests: pytest.Subtests) -> None:
    def loaded(begins: str = "", plugin: Sequence[str] = PLUGIN) -> set[str]:
        text = f"{begins}\nimport sys\ndef test_it(): print('loaded', *sorted(sys.modules))"
        return set(run_in(tmp_path, text, plugin=plugin).section("Captured stdout call")[0].split())

    without = loaded(plugin=())
    with subtests.test("pytest loads the plugin in every run"):
        assert loaded() - without == {"pytest_dimedove"}
    with subtests.test("so does a conftest.py that names its types; no network and no process is needed for that"):
        needs = ("app", "control", "fields", "report")
        more = loaded("from pytest_dimedove import DimedoveApp") - without
        assert more == {"pytest_dimedove", *(f"pytest_dimedove.{name}" for name in needs)}


def test_a_server_that_can_not_be_had_is_said_so(run_tests: RunTests) -> None:
    ran = run_tests(PASSES, DIMEDOVE_SANDBOX_URL="http://127.0.0.1:1")
    assert ran.counts() == {"error": 1}
    assert "DIMEDOVE_SANDBOX_URL=http://127.0.0.1:1: " in ran.output


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        # no such command
        ({"DIMEDOVE_SANDBOX_COMMAND": "/no/such/command"}, ["/no/such/command serve --host 127.0.0.1"]),
        # a command that ends; what it said is shown
        (
            {"DIMEDOVE_SANDBOX_COMMAND": "sh -c 'echo out of order; exit 5'"},
            ["--port 0: exit code 5\n", "\nout of order"],
        ),
        # a server that refuses its settings
        ({"DIMEDOVE_SANDBOX_CONFIG": "/no/such/file"}, ["/no/such/file: can't be read"]),
    ],
)
def test_a_server_that_does_not_start_says_why(env: dict[str, str], expected: Sequence[str], tmp_path: Path) -> None:
    with pytest.raises(DimedoveError) as caught:
        Process(environ(PYTHONPATH=str(ROOT), **env), tmp_path / "log")
    assert [text for text in expected if text not in str(caught.value)] == []


@pytest.fixture
def stranger() -> Iterator[str]:
    """Some other server, that answers everything with JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ok"}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever).start()
        yield f"http://127.0.0.1:{other.server_port}"
        other.shutdown()


def test_what_is_no_sandbox_is_not_used(stranger: str) -> None:
    for url, expected in ((stranger, "this is not a Dimedove Sandbox"), ("somewhere", "unknown url type")):
        with pytest.raises(DimedoveError, match=f"^DIMEDOVE_SANDBOX_URL={url}: .*{expected}"):
            connect_to_running({"DIMEDOVE_SANDBOX_URL": url})
