"""`doctor`: names what is wrong on a machine, and what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandbox.cli import main


def doctor(capsys: pytest.CaptureFixture[str], *words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    code = main(["doctor", "--port", "0", *words], env or {})
    return code, capsys.readouterr().out


def test_on_a_good_machine_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = doctor(capsys)
    assert (code, out.count("!!")) == (0, 0)
    names = [line.split()[1] for line in out.splitlines()]
    assert names[:5] == ["Python", "packages", "port", "IPv4", "IPv6"]
    assert names[-5:] == ["clock", "temporary", "current", "proxy", "files"]


def test_a_port_that_is_taken_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out = doctor(capsys, "--port", str(port))
    assert code == 1
    assert f"!!  port       {port}: Address already in use\n" in out
    assert f"serve --port {port + 1}" in out


@pytest.mark.parametrize(
    ("env", "code"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, 1),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "example.com"}, 1),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localhost, 127.0.0.1"}, 0),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, 0),
        ({"NO_PROXY": "x"}, 0),
    ],
)
def test_a_proxy_that_would_get_the_requests(
    env: dict[str, str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out = doctor(capsys, env=env)
    assert found == code
    assert ("export NO_PROXY=127.0.0.1,localhost" in out) == bool(code)


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr("tempfile.tempdir", str(gone))
    code, out = doctor(capsys)
    assert code == 1
    assert f"!!  temporary  {gone}: No such file or directory" in out


def test_an_old_clock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sandbox.cli.doctor.SystemClock.now", lambda _: 86_400)
    code, out = doctor(capsys)
    assert code == 1
    assert "!!  clock      1970-01-02 00:00:00 UTC" in out
