"""A readable line a request, in which no client can fool the terminal or the reader."""

from __future__ import annotations

import asyncio
import io
import json
import re
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from sandbox import Settings, create_app
from sandbox.apps.request_record import RequestRecord
from sandbox.server.access_log import AccessLog, for_stream, text_line
from tests.support.constants import AUTH, NOW
from tests.support.in_process import client_of
from tests.support.journal_entries import entry


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(log: AccessLog, out: io.StringIO, *requests: tuple[str, str], **headers: str) -> list[str]:
    """Send requests to a server that logs, and return the lines."""
    client = client_of(create_app(Settings(now=NOW), log=log))
    for method, path in requests:
        client.request(method, path, headers={**AUTH, **headers})
    log.close()
    return out.getvalue().splitlines()


def test_a_line_says_what_came_what_went_and_how_long_it_took() -> None:
    out = io.StringIO()
    [line] = logged(for_stream(out, "text"), out, ("GET", "/v1/apps/app_x/config"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d  GET +/v1/apps/app_x/config  200  \d+ ms", line)


def test_each_request_has_a_line() -> None:
    out = io.StringIO()
    asked = [("GET", "/"), ("PUT", "/v1/apps/app_x/config"), ("GET", "/v1/nothing"), ("OPTIONS", "/")]
    lines = logged(for_stream(out, "text"), out, *asked)
    assert [line.split()[3] for line in lines] == ["200", "405", "404", "405"]


# Each row: a request, and the reason of its error.
REASONS = [
    (("GET", "/v1/apps/app_missing/config"), "not_found: "),
    (("POST", "/v1/apps/app_x/conversations"), "invalid_request_error: "),
    (("DELETE", "/v1/apps/app_x/config"), "method_not_allowed: DELETE is not allowed on this path; it takes GET."),
    (("GET", "/_sandbox/apps/app_x/nothing"), "not_found: "),
    (("GET", "/nothing"), "not_found: "),
]


@pytest.mark.parametrize(("asked", "reason"), REASONS)
def test_an_error_says_why(asked: tuple[str, str], reason: str) -> None:
    text, program = io.StringIO(), io.StringIO()
    [line] = logged(for_stream(text, "text"), text, asked)
    assert f" ms  {reason}" in line
    [written] = logged(for_stream(program, "json"), program, asked)
    error = json.loads(written)["error"]
    assert f"{error['type']}: {error['message']}".startswith(reason)


def test_a_reply_that_failed_is_said_to() -> None:
    out = io.StringIO()
    log = for_stream(out, "text")
    client_of(create_app(Settings(now=NOW), log=log)).post(
        "/v1/apps/app_x/completions", json={"prompt": "[[fail]]", "stream": True}, headers=AUTH
    )
    log.close()
    assert out.getvalue().rstrip().endswith(" ms  failed")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reason_is_masked_before_it_is_shortened_and_can_fool_nobody(form: str) -> None:
    out = io.StringIO()
    log = for_stream(out, form)
    reason = "\x1b[2J" + "x" * 260 + " sk_test_" + "0123456789" * 9 + " " + "x" * 60_000
    body = b'{"error": {"type": "internal_error", "message": %b}}' % json.dumps(reason).encode()

    async def scene() -> None:
        log(entry(status=500, response_body=body))

    asyncio.run(scene())
    log.close()
    line = out.getvalue().rstrip("\n")
    assert line.isprintable()
    assert ("0123" not in line, len(line) < 600) == (True, True)


def test_a_line_of_a_program_is_an_object() -> None:
    out = io.StringIO()
    [line] = logged(for_stream(out, "json"), out, ("GET", "/v1/apps/app_x/config?limit=1"))
    entry: dict[str, Any] = json.loads(line)
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/v1/apps/app_x/config", 200)
    assert entry["duration_ms"] >= 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_key_is_in_no_line(form: str) -> None:
    out = io.StringIO()
    logged(for_stream(out, form), out, ("GET", "/v1/apps/app_x/config"), Authorization="Bearer sk_test_tell_nobody")
    assert "tell_nobody" not in out.getvalue()


@pytest.mark.parametrize(("out", "coloured"), [(io.StringIO(), False), (Terminal(), True)])
def test_colour_is_for_terminals(out: io.StringIO, coloured: bool) -> None:
    logged(for_stream(out, "text"), out, ("GET", "/"))
    assert ("\033[" in out.getvalue()) is coloured


HOSTILE = {
    "escape": b"/\x1b[31mred",
    "C1 escape": b"/\x9b31mred",
    "line feed": b"/a\n12:00:00  GET    /faked  200  1 ms",
    "carriage return": b"/a\r12:00:00",
    "backspace": b"/a\x08\x08",
    "delete": b"/\x7f",
    "next line": b"/\x85",
    "soft hyphen": b"/\xad",
    "NUL": b"/\x00",
}


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_what_could_fool_a_terminal_is_spelled_out(path: bytes) -> None:
    line = text_line(colour=False, redact=str)(answered(path))
    assert line.isprintable()


def test_no_request_can_write_it_into_a_line(subtests: pytest.Subtests) -> None:
    for form, place, character in product(
        ["text", "json"],
        ["/v1/apps/{}/config", "/v1/apps/a/users/{}/conversations", "/{}"],
        ["\x1b", "\x9b", "\n", "\x85", "\u202e", "\u2066", "\u2028", "\u200d", "\ufeff"],
    ):
        with subtests.test(form=form, place=place, character=character):
            out = io.StringIO()
            [line] = logged(for_stream(out, form), out, ("GET", place.format(quote(character))))
            assert line.isprintable()


def test_spelling_out_keeps_what_was_there() -> None:
    line = text_line(colour=False, redact=str)(answered(b"/a\x1bb"))
    assert "/a\\u001bb" in line


def answered(path: bytes) -> RequestRecord:
    return entry(at=NOW, path=path, status=404)
