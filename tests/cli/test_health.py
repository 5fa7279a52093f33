"""`dimedove-sandbox health`: finds the server by what it wrote, and says whether it is well."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.test_ending import free_port
from tests.support.processes import VARIABLE, run, serving
from tests.support.requirements import requires_openssl


def health(*words: str, file: Path | None = None) -> tuple[int, str]:
    done = run("health", *words, env={VARIABLE + "URL_FILE": str(file or "")})
    assert done.stdout == ""
    assert done.stderr.count("\n") == done.returncode
    return done.returncode, done.stderr


@pytest.mark.parametrize("flags", [[], ["--host", "::"], ["--host", "localhost"], ["--control", "off"]], ids=" ".join)
def test_it_finds_the_server_that_wrote_where_it_is(flags: list[str], tmp_path: Path) -> None:
    with serving(*flags, env={VARIABLE + "URL_FILE": str(tmp_path / "url")}) as server:
        while not (tmp_path / "url").exists():
            assert server.process.poll() is None
        assert health(file=tmp_path / "url") == (0, "")
    assert "Connection refused" in health(file=tmp_path / "url")[1]
    assert [path.name for path in tmp_path.iterdir()] == ["url"]


def test_it_speaks_tls(tmp_path: Path) -> None:
    cert, key = str(tmp_path / "cert"), str(tmp_path / "key")
    made = [
        requires_openssl(),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        key,
        "-out",
        cert,
    ]
    subprocess.run(made, check=True, capture_output=True)  # noqa: S603 - ours
    with serving("--tls-cert", cert, "--tls-key", key, "--url-file", str(tmp_path / "url")):
        while not (tmp_path / "url").exists():
            pass
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
