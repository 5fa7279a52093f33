"""A failing test leaves a file behind with which a colleague sees the same failure."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zipfile import ZipFile

from pytest_dimedove import DimedoveApp
from tests.plugin.client import Client
from tests.plugin.running import Ran, RunTests
from tests.support.processes import run

TESTS = """
    import pathlib, pytest
    from contextlib import closing
    from tests.plugin.client import Client

    @pytest.fixture
    def client(dimedove_app):
        dimedove_app.fault("status", status=503)
        with closing(Client(dimedove_app)) as client:
            yield client

    @pytest.fixture
    def taken():
        place = pathlib.Path("out")
        place.write_text("no folder")
        yield
        place.unlink()

    def test_where_there_is_no_folder(client, taken): assert 0

    def test_fails(client):
        client.create(title="Mine")
        client.create(title="Mine")
        assert 0

    def test_passes(client): client.create()
    def test_without_an_app(): assert 0
"""


def commands(ran: Ran) -> list[str]:
    """Return what the reports say of bundles, a line each."""
    return re.findall(r"-+ Dimedove bundle of \w+ -+\n(.*)", ran.output)


def test_a_failing_test_leaves_its_bundle(run_tests: RunTests, tmp_path: Path) -> None:
    ran = run_tests(TESTS, "--dimedove-bundle", "out/bundles")
    assert ran.counts() == {"failed": 3, "passed": 1}
    [file] = (tmp_path / "out" / "bundles").iterdir()
    problem, command = commands(ran)
    assert problem.startswith("not written: ")
    assert command == f"dimedove-sandbox replay {file}"
    done = run("replay", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.rsplit(maxsplit=1)[1] for line in done.stdout.splitlines()[2:-1]] == ["503", "200"]


def test_the_ini_file_asks_for_it_too(run_tests: RunTests, tmp_path: Path) -> None:
    ran = run_tests(TESTS, "-o", "dimedove_bundle=kept", "-k", "test_fails")
    [file] = (tmp_path / "kept").iterdir()
    assert commands(ran) == [f"dimedove-sandbox replay {file}"]


def test_a_test_can_write_one_by_itself(app: DimedoveApp, client: Client, tmp_path: Path) -> None:
    client.create(title="Mine")
    path = app.bundle(tmp_path / "new" / "mine.zip")
    with ZipFile(path) as archive:
        [step] = json.loads(archive.read("steps.json"))
    assert json.loads(step["body"]["text"]) == {"title": "Mine"}


def test_help_tells_of_it(run_tests: RunTests) -> None:
    output = run_tests("", "--help").output
    assert "--dimedove-bundle=DIR" in output
    assert "dimedove_bundle (string)" in output
