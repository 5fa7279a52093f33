"""Verify with `within_ms`: it waits for what the client has not done yet, and no longer than it can help."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sandbox.apps.watchers import MAX_WATCHERS
from tests.support.app_driver import REQUESTS, AppDriver, creation_in, message_to
from tests.support.in_process import AsgiClient, in_process
from tests.support.processes import Server
from tests.support.raw_connection import RawConnection, full_request, open_connection

CREATE, SEND = "apps_api_create_conversation", "apps_api_send_message"
LONG = 60_000


def asks(connection: RawConnection, driver: AppDriver, **wanted: Any) -> None:
    """Send a question that waits; the answer to another call says that it has come."""
    question = json.dumps({"app_id": driver.app_id, "within_ms": LONG, **wanted}).encode()
    connection.send(full_request("POST", f"{REQUESTS}/verify", question, "Content-Type: application/json"))
    assert driver.requests()


def in_two(request: bytes) -> tuple[bytes, bytes]:
    head, mark, body = request.partition(b"\r\n\r\n")
    return head + mark, body


def test_it_waits_for_requests_that_come_later() -> None:
    async def play(client: AsgiClient) -> tuple[dict[str, Any], int]:
        question = {"app_id": "app_w", "operation": CREATE, "times": 3, "within_ms": LONG}
        waiting, sent = asyncio.ensure_future(client.exchange("POST", f"{REQUESTS}/verify", json=question)), 0
        while not waiting.done():
            if sent < 3:
                await client.exchange("POST", "/v1/apps/app_w/conversations", json={})
                await client.exchange("POST", "/v1/apps/app_other/conversations", json={})
                sent += 1
            await asyncio.sleep(0)
        return waiting.result().json(), sent

    with in_process() as client:
        result, sent = client.run(play(client))
    assert (result["verified"], result["count"], sent) == (True, 3, 3)


def test_the_body_of_a_request_under_way_is_enough(driver: AppDriver, server: Server) -> None:
    driver.fault("latency", until="released")
    head, body = in_two(creation_in(driver, title="Hello"))
    with open_connection(server.url) as client, open_connection(server.url) as test:
        client.send(head)
        while not driver.requests():
            pass
        asks(test, driver, body={"title": "Hello"})
        client.send(body)
        assert test.answer().json()["verified"] is True
        assert driver.requests()[0]["ended"] is None


def test_the_status_of_a_stream_under_way_is_enough(driver: AppDriver, server: Server) -> None:
    conversation = driver.api.created()
    driver.set(pace={"delta_ms": 600_000})
    head, body = in_two(message_to(driver, conversation, "[[echo]] one two"))
    with open_connection(server.url) as client, open_connection(server.url) as test:
        client.send(head)
        while len(driver.requests()) < 2:
            pass
        asks(test, driver, operation=SEND, status=200)
        client.send(body)
        assert test.answer().json()["verified"] is True
        assert driver.requests()[0]["ended"] is None


# Each row: what is asked of an app that had one request, and what is certain at once.
SETTLED: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"times": 1}, True),
    ({"times": {"max": 1}}, True),
    ({"operation": SEND, "times": 0}, True),
    ({"times": 0}, False),
    ({"times": {"min": 3, "max": 2}}, False),
]


@pytest.mark.parametrize(("wanted", "verified"), SETTLED)
def test_what_is_certain_is_said_at_once(driver: AppDriver, wanted: dict[str, Any], verified: bool) -> None:
    driver.api.config()
    assert driver.verify(within_ms=LONG, **wanted)["verified"] is verified


def test_when_the_time_is_over_it_shows_the_closest(driver: AppDriver) -> None:
    driver.api.create(title="One")
    result = driver.verify(body={"title": "Two"}, within_ms=1)
    assert (result["verified"], result["closest"]["misses"][0]["got"]) == (False, "One")


def test_when_the_server_stops_it_says_what_is_so_by_then() -> None:
    async def play(client: AsgiClient) -> Any:
        question = {"app_id": "app_w", "within_ms": LONG}
        waiting = asyncio.ensure_future(client.exchange("POST", f"{REQUESTS}/verify", json=question))
        while not waiting.done():
            client.app.stop()
            await asyncio.sleep(0)
        return waiting.result()

    with in_process() as client:
        answer = client.run(play(client))
        assert (answer.status_code, answer.json()["verified"], client.open_tasks) == (200, False, 0)


@pytest.mark.one_process
def test_so_many_wait_at_once_and_who_leaves_makes_room() -> None:
    question = {"app_id": "app_w", "within_ms": LONG}

    async def play(client: AsgiClient) -> list[int]:
        async def ask() -> int:
            return (await client.exchange("POST", f"{REQUESTS}/verify", json=question)).status_code

        waiting = [asyncio.ensure_future(ask()) for _ in range(MAX_WATCHERS + 1)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await client.exchange("GET", "/v1/apps/app_w/config")
        return sorted(await asyncio.gather(*waiting))

    with in_process() as client:
        assert client.run(play(client)) == [200] * MAX_WATCHERS + [503]
        left = client.run(client.exchange("POST", f"{REQUESTS}/verify", json={**question, "times": 9}, leave_after=0))
        assert (left.status_code, client.open_tasks) == (0, 0)
        assert client.request("POST", f"{REQUESTS}/verify", json=question).status_code == 200
