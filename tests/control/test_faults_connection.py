"""Faults of the connection, over real sockets: what a client's transport layer meets."""

from __future__ import annotations

import signal
import socket

import pytest
from starlette.testclient import TestClient

from sandbox import Settings, create_app
from sandbox.server.response_timer import AbortConnection
from tests.support.app_driver import AppDriver, config_of, creation_in, message_to
from tests.support.constants import AUTH, NOW
from tests.support.processes import Server, http_client, serving
from tests.support.raw_connection import RawConnection, open_connection

# reset


def test_a_reset_is_a_reset_with_no_byte_of_an_answer(driver: AppDriver, server: Server) -> None:
    driver.fault("reset")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        with pytest.raises(ConnectionResetError):
            wire.socket.recv(1)


def test_a_reset_does_no_work(driver: AppDriver, server: Server) -> None:
    driver.fault("reset")
    with open_connection(server.url) as wire:
        wire.send(creation_in(driver))
        with pytest.raises(ConnectionResetError):
            wire.socket.recv(1)
    assert driver.counts["conversations"] == 0


def test_a_reset_ends_a_connection_that_was_used_before(driver: AppDriver, server: Server) -> None:
    driver.fault("reset", skip=1)
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        assert wire.answer("GET").status_code == 200
        wire.send(config_of(driver))
        with pytest.raises(ConnectionResetError):
            wire.socket.recv(1)


def test_the_journal_shows_a_reset_as_a_request_without_an_answer(driver: AppDriver, server: Server) -> None:
    driver.fault("reset")
    with open_connection(server.url) as wire:
        wire.send(creation_in(driver, title="lost"))
        with pytest.raises(ConnectionResetError):
            wire.socket.recv(1)
    (entry,) = driver.requests()
    assert (entry["status"], entry["response"], entry["ended"], entry["fault"]) == (None, None, "cut", "reset")
    assert entry["body"] == {"title": "lost"}


# stale


def test_a_stale_connection_closes_silently_after_a_good_answer(driver: AppDriver, server: Server) -> None:
    driver.fault("stale")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        answer = wire.answer("GET")
        assert answer.status_code == 200
        assert answer.json()["app_id"] == driver.app_id
        assert "connection" not in answer.headers  # nothing says that it will be closed
        assert wire.socket.recv(1) == b""


def test_a_request_on_a_stale_connection_is_lost(driver: AppDriver, server: Server) -> None:
    driver.fault("stale")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        wire.answer("GET")
        assert wire.socket.recv(1) == b""
        wire.send(creation_in(driver))
    assert driver.counts["conversations"] == 0
    assert len(driver.requests()) == 1


def test_a_stale_connection_has_had_an_answer_that_counts(driver: AppDriver, server: Server) -> None:
    conversation = driver.api.created()
    driver.set(rate_limit={"per_minute": 1})
    driver.fault("stale")
    with open_connection(server.url) as wire:
        wire.send(message_to(driver, conversation, "Hello", stream=False))
        assert wire.answer().status_code == 200
    assert driver.api.complete("Hello").status_code == 429


def test_a_stream_can_leave_a_stale_connection(driver: AppDriver, server: Server) -> None:
    conversation = driver.api.created()
    driver.fault("stale")
    with open_connection(server.url) as wire:
        wire.send(message_to(driver, conversation, "Hello"))
        received = rest_of(wire.socket)
    assert received.endswith(b"\r\n0\r\n\r\n")
    assert driver.requests()[0]["ended"] == "complete"


# truncate


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (1, 1), (20, 20)])
def test_a_truncated_body_is_shorter_than_its_length(driver: AppDriver, server: Server, asked: int, sent: int) -> None:
    driver.fault("truncate", bytes=asked)
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        head, _, body = rest_of(wire.socket).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert promised(head) > len(body) == sent


@pytest.mark.parametrize("asked", [10**9, None])
def test_a_truncated_body_is_never_whole(driver: AppDriver, server: Server, asked: int | None) -> None:
    driver.fault("truncate", **({} if asked is None else {"bytes": asked}))
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        head, _, body = rest_of(wire.socket).partition(b"\r\n\r\n")
    missing = promised(head) - len(body)
    assert missing == 1 if asked else 1 < missing < promised(head)


def test_the_work_of_a_truncated_answer_is_done(driver: AppDriver, server: Server) -> None:
    driver.fault("truncate")
    with open_connection(server.url) as wire:
        wire.send(creation_in(driver))
        rest_of(wire.socket)
    assert driver.counts["conversations"] == 1
    (entry,) = driver.requests()
    assert (entry["status"], entry["ended"], entry["fault"]) == (200, "cut", "truncate")


def promised(head: bytes) -> int:
    """Return the Content-Length."""
    lines = dict(each.split(b": ", 1) for each in head.lower().split(b"\r\n")[1:])
    return int(lines[b"content-length"])


# hang


def test_a_hang_ends_when_the_client_goes(driver: AppDriver, server: Server) -> None:
    with open_connection(server.url) as wire:
        hanging(driver, wire)
        # Nothing waits for the one that hangs.
        assert driver.api.config().status_code == 200
        assert [row["ended"] for row in driver.requests()] == ["complete", None]
    while not (hung := driver.requests()[1])["ended"]:
        pass
    assert (hung["status"], hung["response"], hung["ended"]) == (None, None, "client_gone")
    assert hung["fault"] == "hang"


def test_a_hang_that_is_over_ends_without_an_answer(driver: AppDriver, server: Server) -> None:
    driver.fault("hang", ms=1)
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        assert rest_of(wire.socket) == b""


def test_a_hang_ends_without_an_answer_when_its_app_is_deleted(driver: AppDriver, server: Server) -> None:
    with open_connection(server.url) as wire:
        hanging(driver, wire)
        driver.call("DELETE")
        assert rest_of(wire.socket) == b""


def test_a_hang_ends_without_an_answer_when_the_server_stops() -> None:
    with serving() as server, http_client(server) as client, open_connection(server.url) as wire:
        hanging(AppDriver(client, "app_hangs"), wire)
        server.process.send_signal(signal.SIGINT)
        assert rest_of(wire.socket) == b""
        assert server.process.wait(10) == 0


# Called in process, as by Starlette's TestClient, there is no connection to break: the break is raised.


@pytest.mark.parametrize("kind", ["reset", "truncate", "stale", "hang; ms=0"])
def test_where_there_is_no_connection_a_break_is_raised(kind: str) -> None:
    client = TestClient(create_app(Settings(now=NOW)), base_url="http://127.0.0.1", headers=AUTH)
    with pytest.raises(AbortConnection):
        client.get("/v1/apps/app_x/config", headers={"Sandbox-Fault": kind})


def hanging(driver: AppDriver, wire: RawConnection) -> None:
    """Send a request that hangs; come back when the server has it."""
    driver.fault("hang")
    wire.send(config_of(driver))
    while driver.faults:
        pass


def rest_of(connection: socket.socket) -> bytes:
    """Read a connection to its end."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received
