"""Clients that offer HTTP/2 with every request, as Java's own and curl do: each body arrives, each answer comes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from httpx2 import Client

from tests.support import requirements
from tests.support.constants import AUTH
from tests.support.processes import Server
from tests.support.raw_connection import TIMEOUT

JAVA_PROGRAM = Path(__file__).parent / "Client.java"


def said(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # noqa: S603 - found on the PATH
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_javas_client(server: Server) -> None:
    lines = said(requirements.requires_java(), str(JAVA_PROGRAM), server.url)
    assert [line.split()[1] for line in lines] == ["200"] * 8
    assert ["of a known length" in lines[0], "in chunks" in lines[1]] == [True, True]
    assert "event: response.completed" in lines[3]
    left = json.loads(lines[-1].split(maxsplit=2)[2])
    assert [each["title"] for each in left["data"]] == ["in chunks"]
    with Client(base_url=server.url) as client:
        entries = client.get("/_sandbox/requests?app_id=app_java").json()["data"]
    assert {entry["headers"].get("upgrade") for entry in entries} == {"h2c"}


def test_curl_with_http2(server: Server) -> None:
    path = f"{server.url}/v1/apps/app_curl/conversations"
    sent = ["-sS", "--http2", "-H", f"Authorization: {AUTH['Authorization']}", "-H", "Content-Type: application/json"]
    chunked: Sequence[Sequence[str]] = ([], ["-H", "Transfer-Encoding: chunked"])
    for extra in chunked:
        (answer,) = said(requirements.requires_curl(), *sent, *extra, "-d", '{"title": "of curl"}', path)
        assert json.loads(answer)["title"] == "of curl"


def test_curl_reads_a_stream_by_http_1_0(server: Server) -> None:
    path = f"{server.url}/v1/apps/app_curl/completions"
    sent = ["-sS", "--http1.0", "-H", f"Authorization: {AUTH['Authorization']}", "-H", "Content-Type: application/json"]
    lines = said(requirements.requires_curl(), *sent, "-d", '{"prompt": "hello", "stream": true}', path)
    assert lines[0] == "event: response.created"
