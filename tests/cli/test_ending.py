"""How `serve` ends: at once, whatever is open, and without a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import httpx2 as httpx
import pytest

from tests.cli.processes import end, rest
from tests.conftest import AUTH, ROOT, serving
from tests.wire.sockets import PATIENCE, Line, head, line


def begin(wire: Line, prompt: str, *, stream: bool) -> None:
    body = json.dumps({"prompt": prompt, "stream": stream}).encode()
    wire.send(head("POST", "/v1/apps/app_x/completions", f"Content-Length: {len(body)}"), body)


@pytest.mark.clause("6.3")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_ends_at_once_whatever_is_open(how: signal.Signals) -> None:
    with serving("--quiet") as server, ExitStack() as open_lines:
        talking, waiting, silent, half, idle = (open_lines.enter_context(line(server)) for _ in range(5))
        begin(talking, "[[long 20000]] [[slow 10]]", stream=True)
        assert talking.socket.recv(10_000).startswith(b"HTTP/1.1 200 OK")
        begin(waiting, "[[slow 600000]]", stream=False)
        begin(silent, "[[slow 600000]]", stream=True)
        half.send(head("POST", "/v1/apps/app_x/conversations", "Content-Length: 100"), b"{")
        assert idle.still_answers()
        server.process.send_signal(how)
        server.process.wait(timeout=PATIENCE)
        assert server.process.returncode in (0, -how)
        assert rest(server) == []


def test_ctrl_c_during_the_start_is_no_traceback() -> None:
    with serving("--quiet") as server:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=PATIENCE)
        assert rest(server) == []


def test_ctrl_c_is_a_good_end() -> None:
    with serving("--quiet") as server:
        assert end(server) == []
    assert server.process.returncode == 0


def test_a_closed_pipe_does_not_end_it() -> None:
    """`dimedove-sandbox serve | head -1` closes the pipe after the first line."""
    with open(os.devnull) as nothing, serving() as server:  # noqa: PTH123 - read to its end by whoever ends the server
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.process.stdout = nothing
        for _ in range(3):
            assert httpx.get(f"{server.url}/v1/apps/app_x/config", headers=AUTH).status_code == 200


def test_it_can_end_with_its_standard_input_whatever_is_open() -> None:
    with serving("--quiet", "--exit-on-stdin-close", stdin=subprocess.PIPE) as server, line(server) as waiting:
        stdin = server.process.stdin
        assert stdin is not None
        stdin.write("What comes is not looked at.\n" * 10_000)
        begin(waiting, "[[slow 600000]]", stream=True)
        assert httpx.get(f"{server.url}/v1/apps/app_x/config", headers=AUTH).status_code == 200
        stdin.close()
        server.process.stdin = None
        assert server.process.wait(timeout=PATIENCE) == 0
        assert rest(server) == []


def test_an_end_that_is_there_already_ends_it() -> None:
    with serving("--exit-on-stdin-close", stdin=subprocess.DEVNULL) as server:
        assert server.process.wait(timeout=PATIENCE) == 0


def test_without_a_standard_input_there_is_no_end_to_wait_for() -> None:
    command = f"exec {sys.executable} -P -m sandbox serve --port 0 --exit-on-stdin-close <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603, S607
    assert done.returncode == 2
    assert done.stderr.startswith("dimedove-sandbox: --exit-on-stdin-close: expected an open standard input")
