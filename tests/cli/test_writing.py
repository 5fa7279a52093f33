"""What a running server writes of its requests, and what it keeps to itself."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.constants import AUTH
from tests.support.plain_http import get, post
from tests.support.processes import Server, end, serving


def ask(server: Server) -> None:
    """Send what ends up in the log: ordinary requests, slips of the pen, and what could fool a terminal."""
    api = f"{server.url}/v1/apps"
    get(f"{api}/app_x/config", headers={"Authorization": "Bearer sk_test_tell_nobody"})
    get(f"{server.url}/nothing")
    for app_id in ("app_demp", "app_demp", "app_quite_another", "app_missing"):
        post(f"{api}/{app_id}/conversations", headers=AUTH, json={})
    for app_id in ("%1B%5B31m", "%E2%80%AE", "%C2%9B31m", "%E2%80%A8", "%0A"):
        get(f"{api}/{app_id}/config", headers=AUTH)
    for origin in (b"https://shop.example", b"https://\x9b31m", "https://\u202e".encode()):
        get(f"{server.url}/", headers={b"Origin": origin})


@pytest.fixture(scope="module")
def text() -> list[str]:
    """The lines of a server for people, after its greeting."""
    with serving() as server:
        ask(server)
        lines = end(server)
    return lines[next(index for index, line in enumerate(lines) if "Ctrl-C" in line) + 1 :]


@pytest.fixture(scope="module")
def objects() -> list[str]:
    """The lines of a server for programs, after its greeting."""
    with serving("--log-format", "json") as server:
        ask(server)
        lines = end(server)
    return lines[next(index for index, line in enumerate(lines) if "Ctrl-C" in line) + 1 :]


def test_a_line_a_request(text: list[str]) -> None:
    [line] = [line for line in text if "app_x" in line]
    assert re.search(r"GET +/v1/apps/app_x/config +200 ", line)
    assert [line for line in text if re.search(r"GET +/nothing +404 ", line)]


def test_a_line_for_programs_is_an_object(objects: list[str]) -> None:
    entries = [json.loads(line) for line in objects if line.startswith("{")]
    assert {"/v1/apps/app_x/config": 200, "/nothing": 404}.items() <= {e["path"]: e["status"] for e in entries}.items()


def test_no_client_can_write_on_the_terminal(text: list[str]) -> None:
    assert [line for line in text if not line.isprintable()] == []


def test_nor_in_a_line_for_programs(objects: list[str]) -> None:
    assert [line for line in objects if not line.isprintable()] == []


def test_no_key_is_written(text: list[str], objects: list[str]) -> None:
    assert [line for line in text + objects if "tell_nobody" in line] == []


def test_a_slip_of_the_pen_is_noticed_once(text: list[str]) -> None:
    [line] = [line for line in text if "did you mean" in line and "app_de" in line]
    assert "app_demp" in line
    assert "did you mean app_demo?" in line


def test_an_app_that_is_no_slip_is_not_mentioned(text: list[str]) -> None:
    assert [line for line in text if "did you mean" in line and "app_demp" not in line] == []


@pytest.mark.clause("4.9")
def test_a_refused_origin_is_told_with_the_flag_that_allows_it(text: list[str]) -> None:
    assert [line for line in text if "--cors-origin https://shop.example" in line]


def test_quiet_says_where_it_is_and_no_more() -> None:
    with serving("--quiet") as server:
        ask(server)
        lines = end(server)
    assert server.url in server.banner
    assert lines == []
