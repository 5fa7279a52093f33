"""HEAD answers wherever GET does outside the API: the same status and headers, no body. In the API it is 405 (4.6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.server import inspector
from tests.support.processes import Server, serving
from tests.support.raw_connection import RawConnection, head, open_connection

PAGES = ("/", "/docs", "/openapi.json", "/schemas/openapi.json", "/_sandbox/", "/nothing", "/_sandbox/nothing")
VALUES = {
    "app_id": "app_demo",
    "request_id": "req_nobody",
    "fault_id": "flt_nobody",
    "reply_id": "rpl_nobody",
    "conversation_id": "nobody",
}
# What each answer has of its own.
OWN = {"date", "sandbox-request-id"}
# The one answer that never ends.
EVENTS = "/_sandbox/events"
CONTROL = {op.path.format_map(VALUES) for op in load(control_folder()).operations if op.method == "GET"} - {EVENTS}


@pytest.fixture(scope="module")
def fresh() -> Iterator[Server]:
    """A server with a short journal: the one that tests share may have megabytes to answer with."""
    with serving("--quiet") as running:
        yield running


def both(wire: RawConnection, path: str) -> list[tuple[int, dict[str, str]]]:
    answers = []
    for method in ("GET", "HEAD"):
        wire.send(head(method, path))
        answer = wire.answer(method)
        answers.append((answer.status_code, {name: of for name, of in answer.headers.items() if name not in OWN}))
    return answers


def test_head_has_the_status_and_the_headers_of_get(fresh: Server) -> None:
    with open_connection(fresh.url) as wire:
        found = {path: both(wire, path) for path in (*PAGES, *inspector.paths(), *sorted(CONTROL))}
    assert {path: answers for path, answers in found.items() if answers[0] != answers[1]} == {}
    assert found["/_sandbox/health"][1][0] == 200


def test_head_of_live_events_ends(fresh: Server) -> None:
    with open_connection(fresh.url) as wire:
        wire.send(head("HEAD", EVENTS))
        assert wire.answer("HEAD").headers["content-type"].startswith("text/event-stream")
        assert wire.still_answers()


def test_where_get_is_allowed_head_is_too(fresh: Server) -> None:
    with open_connection(fresh.url) as wire:
        wire.send(head("PATCH", "/_sandbox/health"))
        assert wire.answer().headers["allow"] == "GET, HEAD"
