"""Live events: what happens is told as it happens, to everyone who listens."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from sandbox.apps.journal import Journal
from sandbox.apps.limits import SharedUsage
from sandbox.apps.responses import OpenResponses
from sandbox.clock import SystemClock
from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.redaction import Redactor
from sandbox.server.context import UnrecordedContext
from sandbox.server.control_pipeline import COMMENT_INTERVAL, ControlDeps, run_control_stages
from sandbox.server.recording import RequestRecorder
from sandbox.server.response_timer import ClientDisconnected
from tests.support.app_driver import AppDriver
from tests.support.errors import assert_error
from tests.support.in_process import scope_of
from tests.support.processes import http_client, serving

EVENTS = "/_sandbox/events"
CONTRACT = load(control_folder())
STATE, REQUEST = CONTRACT.schema("StateEvent"), CONTRACT.schema("RequestEntry")


class Ear:
    """Reads one stream of events, blocking until the next one is there."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.iter_lines()
        assert next(self._lines) == ": listening"
        assert next(self._lines) == ""

    def next(self) -> tuple[str, Any]:
        name, data, end = next(self._lines), next(self._lines), next(self._lines)
        assert (name[:7], data[:6], end) == ("event: ", "data: ", "")
        return name[7:], json.loads(data[6:])


@contextmanager
def listening(driver: AppDriver, *, to_all: bool = False) -> Iterator[Ear]:
    """Listen to this app, or to all, until the block ends."""
    query = {} if to_all else {"app_id": driver.app_id}
    with driver.client.stream("GET", EVENTS, params=query) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Ear(answer)


def test_a_request_is_told_when_it_begins_and_with_its_whole_entry_when_it_is_over(driver: AppDriver) -> None:
    with listening(driver) as ear:
        answer = driver.api.create(titel="x")
        (one, begun), (other, over) = ear.next(), ear.next()
    assert (one, other) == ("request", "request")
    assert REQUEST.is_valid(begun)
    assert (begun["id"], begun["ended"], begun["status"]) == (answer.headers["sandbox-request-id"], None, None)
    assert over == driver.entry(answer)


# Each row: a control call, and what has changed by it.
CHANGES: list[tuple[str, str, Any, str]] = [
    ("PATCH", "", {"stream": True}, "settings"),
    ("POST", "/faults", {"kind": "reset"}, "faults"),
    ("DELETE", "/faults", None, "faults"),
    ("POST", "/replies", {"output": []}, "replies"),
    ("DELETE", "/replies", None, "replies"),
    ("PUT", "/clock", {"now": 5}, "clock"),
    ("POST", "/clock/advance", {"seconds": 5}, "clock"),
    ("DELETE", "/clock", None, "clock"),
    ("POST", "/populate", {"conversations": 1}, "data"),
    ("DELETE", "", None, "deleted"),
]


@pytest.mark.parametrize(("method", "path", "body", "change"), CHANGES)
def test_a_change_is_told(driver: AppDriver, method: str, path: str, body: Any, change: str) -> None:
    with listening(driver) as ear:
        driver.call(method, path, body)
        name, data = ear.next()
    assert STATE.is_valid(data)
    assert (name, data) == ("state", {"app_id": driver.app_id, "change": change})


def test_what_is_refused_and_what_only_reads_is_not_told(driver: AppDriver) -> None:
    with listening(driver) as ear:
        driver.set(streams=True)
        driver.call("GET")
        driver.requests()
        driver.fault("reset")
        assert ear.next() == ("state", {"app_id": driver.app_id, "change": "faults"})


@pytest.mark.one_process
def test_a_fault_that_is_used_up_is_told_with_the_request(driver: AppDriver) -> None:
    driver.fault("status", status=503)
    with listening(driver) as ear:
        driver.api.config()
        assert [ear.next()[1]["fault"] for _ in range(2)] == [None, "status"]


def test_a_listener_of_one_app_hears_nothing_of_another(driver: AppDriver) -> None:
    beside = AppDriver(driver.client, f"{driver.app_id}.beside")
    with listening(driver) as ear:
        beside.api.config()
        beside.set(stream=True)
        driver.set(stream=True)
        assert ear.next()[1]["app_id"] == driver.app_id


def test_no_secret_is_told(driver: AppDriver) -> None:
    with listening(driver) as ear:
        headers = {"Authorization": "Bearer sk_live_0123456789WXYZ"}
        driver.client.get(f"/v1/apps/{driver.app_id}/config", headers=headers)
        assert ear.next()[1]["headers"]["authorization"] == "Bearer sk_…WXYZ"


def test_a_wrong_question_is_refused(driver: AppDriver) -> None:
    assert_error(driver.client.get(EVENTS, params={"app_id": "a b"}), 422, "invalid_request_error", param="app_id")


def test_no_proxy_is_to_hold_events_back(driver: AppDriver) -> None:
    with driver.client.stream("GET", EVENTS) as answer:
        assert answer.headers["x-accel-buffering"] == "no"


def test_a_silent_stream_has_a_comment_now_and_then() -> None:
    """Fifteen seconds apart, but here."""
    assert COMMENT_INTERVAL == 15
    assert asyncio.run(pieces_of(4)) == [b": listening\n\n", *[b": nothing new\n\n"] * 3]


class Silence:
    """Nothing ever happens."""

    async def next(self) -> bytes:
        return await asyncio.Future()

    def close(self) -> None:
        """Nobody noticed."""


async def silent(*_: Any) -> Silence:
    return Silence()


async def pieces_of(count: int) -> list[bytes]:
    """Listen in this process until so many pieces came, then leave."""
    pieces, gone = list[bytes](), asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if "body" in message:
            pieces.append(message["body"])
        if len(pieces) == count:
            gone.set()

    scope = scope_of("GET", EVENTS, EVENTS.encode(), b"", [])
    ctx = UnrecordedContext(scope, {}, receive, send, RequestRecorder(Journal(str), SystemClock(), None))
    ctx.operation = next(one for one in CONTRACT.operations if one.path == EVENTS)
    listeners = OpenResponses(SharedUsage())
    with suppress(ClientDisconnected):
        await run_control_stages(
            ctx, ControlDeps(run=silent, redactor=Redactor(), listeners=listeners, comment_interval=0.001)
        )
    return pieces


# On a server of their own: what concerns all.


@pytest.fixture(scope="module")
def alone() -> Iterator[AppDriver]:
    """An app of a server that no other test listens to."""
    with serving("--quiet") as server, http_client(server) as client:
        yield AppDriver(client, "app_alone")


@pytest.mark.one_process
def test_whoever_names_no_app_hears_of_all_and_of_none(alone: AppDriver) -> None:
    with listening(alone, to_all=True) as ear:
        alone.client.get("/nowhere")
        AppDriver(alone.client, "app_other").set(stream=True)
        assert [ear.next()[1]["path"] for _ in range(2)] == ["/nowhere"] * 2
        assert ear.next()[1] == {"app_id": "app_other", "change": "settings"}


def test_a_reset_is_told_to_the_listeners_of_every_app(alone: AppDriver) -> None:
    with listening(alone, to_all=True) as all_ears, listening(alone) as ear:
        alone.client.post("/_sandbox/reset")
        assert all_ears.next() == ("state", {"app_id": None, "change": "reset"})
        alone.fault("reset")  # so that there is something to hear for one who missed it
        assert ear.next() == ("state", {"app_id": None, "change": "reset"})


@pytest.mark.one_process
def test_a_hundred_listen_and_no_more(alone: AppDriver) -> None:
    with ExitStack() as ears:
        heard = [ears.enter_context(listening(alone)) for _ in range(100)]
        error = assert_error(alone.client.get(EVENTS), 503, "internal_error")
        assert "100" in error["message"]
        alone.set(stream=True)
        assert [ear.next()[0] for ear in heard] == ["state"] * 100
    # Those who left make room, as soon as they are missed.
    while not admitted(alone):
        pass


def admitted(driver: AppDriver) -> bool:
    with driver.client.stream("GET", EVENTS) as answer:
        return answer.status_code == 200


def test_listeners_end_when_the_server_stops_and_nothing_is_complained_of() -> None:
    with serving("--quiet") as server, http_client(server) as client:
        with listening(AppDriver(client, "app_x")) as ear:
            server.process.send_signal(signal.SIGINT)
            with pytest.raises((httpx2.RemoteProtocolError, StopIteration)):
                ear.next()
        assert server.process.wait(10) == 0
        assert server.process.stdout
        assert server.process.stdout.read() == ""
