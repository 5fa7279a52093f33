"""`dimedove-sandbox health`: finds the server by what it wrote, and says whether it is well."""

from __future__ import annotations

import subprocess
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from sandbox.cli import main
from tests.cli.test_ending import free_port
from tests.support.processes import VARIABLE, assert_runs, run, serving
from tests.support.requirements import requires_openssl


def health(*words: str, file: Path | None = None) -> tuple[int, str]:
    """Return the exit code and what was written to standard error: a line where there is a problem."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["health", *words], {VARIABLE + "URL_FILE": str(file or "")})
    assert out.getvalue() == ""
    assert err.getvalue().count("\n") == code
    return code, err.getvalue()


def test_the_command_says_so_by_its_exit_code() -> None:
    done = run("health", "http://127.0.0.1:x")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("flags", [[], ["--host", "::"], ["--host", "localhost", "--control", "off"]], ids=" ".join)
def test_it_finds_the_server_that_wrote_where_it_is(flags: list[str], tmp_path: Path) -> None:
    with serving(*flags, env={VARIABLE + "URL_FILE": str(tmp_path / "url")}) as server:
        while not (tmp_path / "url").exists():
            assert_runs(server.process)
        assert health(file=tmp_path / "url") == (0, "")
    assert "Connection refused" in health(file=tmp_path / "url")[1]
    assert [path.name for path in tmp_path.iterdir()] == ["url"]


def test_it_speaks_tls(tmp_path: Path) -> None:
    cert, key = str(tmp_path / "cert"), str(tmp_path / "key")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x"]
    made = [requires_openssl(), "req", "-x509", *new, "-keyout", key, "-out", cert]
    subprocess.run(made, check=True, capture_output=True)  # noqa: S603 - ours
    with serving("--tls-cert", cert, "--tls-key", key, "--url-file", str(tmp_path / "url")) as server:
        while not (tmp_path / "url").exists():
            assert_runs(server.process)
        assert health(file=tmp_path / "url") == (0, "")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://127.0.0.1:x", "nothing", "http://127.0.0.1:99999"])
def test_what_is_no_server_is_one_line(url: str) -> None:
    assert health(url)[0] == 1


def test_who_answers_must_be_a_sandbox(tmp_path: Path) -> None:
    assert health(file=tmp_path / "nowhere")[0] == 1
    assert health()[0] == 1
    assert health(f"http://127.0.0.1:{free_port()}")[0] == 1


def test_a_server_that_cannot_write_where_it_is_serves_all_the_same(tmp_path: Path) -> None:
    with serving("--url-file", str(tmp_path / "no" / "folder")) as server:
        assert health(server.url) == (0, "")
