"""How `serve` ends: at once, whatever is open, and without a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import DEVNULL, Popen

import httpx2 as httpx
import pytest

from tests.support.constants import AUTH, ROOT
from tests.support.plain_http import get, post
from tests.support.processes import assert_runs, end, rest, serving, signals_heeded
from tests.support.raw_connection import TIMEOUT, RawConnection, head, open_connection


def begin(wire: RawConnection, prompt: str, *, stream: bool) -> None:
    body = json.dumps({"prompt": prompt, "stream": stream}).encode()
    wire.send(head("POST", "/v1/apps/app_x/completions", f"Content-Length: {len(body)}"), body)


@pytest.mark.clause("6.3")
def test_it_ends_at_once_whatever_is_open() -> None:
    with ExitStack() as open_lines:
        servers = {how: open_lines.enter_context(serving("--quiet")) for how in (signal.SIGINT, signal.SIGTERM)}
        for server in servers.values():
            lines = (open_lines.enter_context(open_connection(server.url)) for _ in range(5))
            talking, waiting, silent, half, idle = lines
            begin(talking, "[[long 20000]] [[slow 10]]", stream=True)
            assert talking.socket.recv(10_000).startswith(b"HTTP/1.1 200 OK")
            begin(waiting, "[[slow 600000]]", stream=False)
            begin(silent, "[[slow 600000]]", stream=True)
            half.send(head("POST", "/v1/apps/app_x/conversations", "Content-Length: 100"), b"{")
            assert idle.still_answers()
        for how, server in servers.items():
            server.process.send_signal(how)
        for how, server in servers.items():
            assert server.process.wait(timeout=TIMEOUT) in (0, -how)
            assert rest(server) == []


def test_ctrl_c_during_the_start_is_no_traceback() -> None:
    with serving("--quiet") as server:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=TIMEOUT)
        assert rest(server) == []


def test_ctrl_c_is_a_good_end() -> None:
    with serving("--quiet") as server:
        assert end(server) == []
    assert server.process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=lambda how: how.name)
def test_asked_again_and_again_it_saves_and_ends_well(how: signal.Signals, tmp_path: Path) -> None:
    """A closed terminal says so more than once, and so does who is impatient."""
    with serving("--quiet", "--data", str(tmp_path / "data")) as server:
        post(f"{server.url}/v1/apps/app_x/conversations", headers=AUTH, json={})
        while server.process.poll() is None:
            server.process.send_signal(how)
        assert (server.process.returncode, rest(server)) == (0, [])
    assert "app_x" in (tmp_path / "data").read_text()


def test_whoever_starts_it_with_nohup_wants_it_to_stay() -> None:
    with serving("--quiet", within=["nohup"]) as server:
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
            assert get(f"{server.url}/_sandbox/health").status_code == 200
        assert end(server) == []


@pytest.mark.parametrize("streams", [">/dev/full", ">&-", "2>&-", ">&- 2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_it_serves_whatever_becomes_of_what_it_says(streams: str, tmp_path: Path) -> None:
    """A stream that is closed lends its number to what is opened next: nothing is written into that."""
    url, data = f"http://127.0.0.1:{free_port()}", tmp_path / "data"
    command = [sys.executable, "-P", "-m", "sandbox", "serve", "--port", url.rpartition(":")[2], "--data", str(data)]
    shell = ["/bin/sh", "-c", f'exec "$0" "$@" {streams}']
    with signals_heeded():
        process = Popen([*shell, *command], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)  # noqa: S603 - our own
    while answers(url) is None:
        assert_runs(process)
    assert get(f"{url}/v1/apps/app_x/config", headers=AUTH).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=TIMEOUT) == 0
    assert data.read_text().startswith('{"object":"sandbox_data"')


def answers(url: str) -> httpx.Response | None:
    with suppress(httpx.ConnectError):
        return get(f"{url}/_sandbox/health")
    return None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def test_a_closed_pipe_does_not_end_it() -> None:
    """`dimedove-sandbox serve | head -1` closes the pipe after the first line."""
    with open(os.devnull) as nothing, serving() as server:  # noqa: PTH123 - read to its end by whoever ends the server
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.process.stdout = nothing
        for _ in range(3):
            assert get(f"{server.url}/v1/apps/app_x/config", headers=AUTH).status_code == 200


def test_it_can_end_with_its_standard_input_whatever_is_open() -> None:
    with (
        serving("--quiet", "--exit-on-stdin-close", stdin=subprocess.PIPE) as server,
        open_connection(server.url) as waiting,
    ):
        stdin = server.process.stdin
        assert stdin is not None
        stdin.write("What comes is not looked at.\n" * 10_000)
        begin(waiting, "[[slow 600000]]", stream=True)
        assert get(f"{server.url}/v1/apps/app_x/config", headers=AUTH).status_code == 200
        stdin.close()
        server.process.stdin = None
        assert server.process.wait(timeout=TIMEOUT) == 0
        assert rest(server) == []


def test_an_end_that_is_there_already_ends_it() -> None:
    with serving("--exit-on-stdin-close", stdin=subprocess.DEVNULL) as server:
        assert server.process.wait(timeout=TIMEOUT) == 0


def test_without_a_standard_input_there_is_no_end_to_wait_for() -> None:
    command = f"exec {sys.executable} -P -m sandbox serve --port 0 --exit-on-stdin-close <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603, S607
    assert done.returncode == 2
    assert done.stderr.startswith("dimedove-sandbox: --exit-on-stdin-close: expected an open standard input")
