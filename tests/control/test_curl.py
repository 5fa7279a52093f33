"""The curl of an entry, given to a real shell and a real curl: the same request comes again, byte by byte."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver
from tests.support.constants import KEY
from tests.support.processes import Server
from tests.support.raw_connection import full_request, head, open_connection
from tests.support.requirements import requires_curl

JSON = "Content-Type: application/json"
# What belongs to the connection and not to the request.
HOPS = {"host", "connection", "content-length", "transfer-encoding"}

# Each row: a path below the app, headers, a body; `None` is a request without.
CASES: dict[str, tuple[str, list[str], bytes | None]] = {
    "no body": ("/config", [], None),
    "plain": ("/conversations", [JSON], b'{"title": "x"}'),
    "single quotes": ("/conversations", [JSON], b"""{"title": "it's 'quoted'"}"""),
    "double quotes": ("/conversations", [JSON], rb'{"title": "\"a\" `b` $HOME $(id) \\n !x"}'),
    "at the beginning": ("/conversations", [JSON], b"@/etc/hostname"),
    "brackets and braces": ("/conversations", [JSON], b'[{"a": [1, {"b": "{c,d} [1-3] *?"}]}]'),
    "newlines": ("/conversations", [JSON], b'{\n\t"title": "a",\r\n "metadata": {}\n}\n\n'),
    "unicode": ("/conversations", [JSON], '{"title": "né 👩‍👩‍👧‍👦 שלום ’"}'.encode()),
    "a form": ("/conversations", ["Content-Type: application/x-www-form-urlencoded"], b"a=1&b=%20+c"),
    "no type": ("/conversations", [], b'{"title": "x"}'),
    "not UTF-8": ("/conversations", [JSON], b"\xff\x00\xfe%s%n\\x41\n"),
    "a zero byte": ("/conversations", [JSON], b'{"title": "a\x00b"}'),
    "a percent sign": ("/conversations", [JSON], b"100%d \\ \xc3"),
    "large": ("/conversations", [JSON], b'{"title": "' + b"x" * 200_000 + b'"}'),
    "a query": ("/conversations?limit=2&a[]=1&b={x,y}&c='q'&d=%20;&e", [], None),
    "a path as it is": ("/x/../config", [], None),
    "an encoded path": ("/users/a%2Fb%20c/conversations", [], None),
    "quotes in a path": ("/users/o'neil$HOME/conversations", [], None),
    "an empty header": ("/config", ["X-Empty:"], None),
    "quotes in a header": ("/config", ["""X-Odd: it's "$HOME" `id` @x; \\ y"""], None),
    "a header twice": ("/config", ["X-A: 1", "X-A: 2"], None),
    "its own agent": ("/config", ["User-Agent: sdk/1.0 (it's)", "Accept: text/event-stream"], None),
}


@pytest.mark.parametrize(("path", "headers", "body"), CASES.values(), ids=CASES)
def test_curl_repeats_a_request(
    driver: AppDriver, server: Server, path: str, headers: list[str], body: bytes | None
) -> None:
    path = f"/v1/apps/{driver.app_id}{path}"
    with open_connection(server.url) as wire:
        wire.send(head("GET", path, *headers) if body is None else full_request("POST", path, body, *headers))
        sent = at(server, wire.answer())
    assert_repeated(driver, sent)


@pytest.mark.parametrize("value", ["Zoé", "👋", "\u00e9".encode("latin-1").decode("utf-8", "surrogateescape")])
def test_curl_repeats_a_header_beyond_ascii(driver: AppDriver, server: Server, value: str) -> None:
    raw = value.encode("utf-8", "surrogateescape")
    with open_connection(server.url) as wire:
        wire.send(head("GET", f"/v1/apps/{driver.app_id}/config", "X-Name: @").replace(b"@", raw))
        sent = at(server, wire.answer("GET"))
    assert_repeated(driver, sent)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_curl_repeats_any_method(driver: AppDriver, method: str) -> None:
    path = f"/v1/apps/{driver.app_id}/conversations/none"
    answer = driver.client.request(method, path, json={"title": "x"})
    assert_repeated(driver, answer.headers["sandbox-request-id"])


def test_curl_repeats_a_head_request_without_a_body(driver: AppDriver) -> None:
    answer = driver.client.head(f"/v1/apps/{driver.app_id}/config")
    assert_repeated(driver, answer.headers["sandbox-request-id"])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_key_stands_in_a_variable(driver: AppDriver, scheme: str) -> None:
    path = f"/v1/apps/{driver.app_id}/config"
    answer = driver.client.get(path, headers={"Authorization": f"{scheme} {KEY}"})
    command = command_of(driver, answer.headers["sandbox-request-id"])
    assert f'"authorization: {scheme} $DIMEDOVE_API_KEY"' in command
    assert KEY not in command
    assert command.count("\n") == 1


def test_the_command_is_plain_text(driver: AppDriver) -> None:
    id_ = driver.api.config().headers["sandbox-request-id"]
    answer = driver.client.get(f"{REQUESTS}/{id_}/curl")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("curl --globoff --path-as-is -X GET ")


def test_a_request_over_https_is_repeated_over_https(make_driver: MakeDriver) -> None:
    client = make_driver().client
    answer = client.get("https://127.0.0.1/v1/apps/app_x/config")
    assert "https://127.0.0.1/v1/" in client.get(f"{REQUESTS}/{answer.headers['sandbox-request-id']}/curl").text


def at(server: Server, answer: Any) -> str:
    """Return the id of an answer's entry."""
    return str(answer.headers["sandbox-request-id"])


def command_of(driver: AppDriver, id_: str) -> str:
    return driver.client.get(f"{REQUESTS}/{id_}/curl").text


def assert_repeated(driver: AppDriver, id_: str) -> None:
    """Run the curl of an entry where it was sent, and hold what comes against what came."""
    requires_curl()
    base = str(driver.client.base_url).rstrip("/")
    command = command_of(driver, id_).replace("http://127.0.0.1/", f"{base}/")
    script = command.rstrip("\n") + " --silent --show-error --output /dev/null\n"
    done = subprocess.run(
        ["/bin/sh"],
        input=script.encode(),
        env={**os.environ, "DIMEDOVE_API_KEY": KEY},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    # Nobody else asks this server for anything meanwhile.
    second = driver.client.get(REQUESTS, params={"limit": 1}).json()["data"][0]
    first = driver.client.get(f"{REQUESTS}/{id_}").json()
    assert second["id"] != first["id"]
    for name in ("method", "path", "query", "body", "status", "operation"):
        assert second[name] == first[name], name
    assert without_hops(second["headers"]) == without_hops(first["headers"])


def without_hops(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in HOPS}
