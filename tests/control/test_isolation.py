"""Many clients at once, each with an app of its own that it fills, breaks, freezes and forgets: each apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.processes import Server, http_client, serving
from tests.support.requirements import examples
from tests.support.sse import read

CLIENTS, ROUNDS = examples(50, quick=16), 2
VOLATILE = ("date", "connection")


def story(driver: AppDriver, number: int) -> list[Any]:
    """Live in an app for a while; return everything that was answered, and end with a fresh app."""
    seen: list[Any] = []

    def note(answer: httpx2.Response) -> httpx2.Response:
        headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
        seen.append((answer.status_code, headers, answer.content))
        return answer

    note(driver.set(titles="after_first_exchange", agent={"name": f"Agent {number}"}, rate_limit={"per_minute": 4}))
    note(driver.call("PUT", "/clock", {"now": NOW + number}))
    note(driver.call("POST", "/faults", {"kind": "status", "status": 500 + number, "skip": 1, "times": 2}))
    note(
        driver.call("POST", "/replies", {"contains": "mine", "output": [{"type": "message", "text": f"No. {number}"}]})
    )
    statuses = [note(driver.api.create(external_user_id=f"user_{number}")).status_code for _ in range(4)]
    conversation = note(driver.api.list()).json()["data"][0]["id"]
    note(driver.api.send(conversation, "mine", stream=True))
    note(driver.api.send(conversation, "I'd like an appointment on Tuesday", metadata={"first_name": f"N{number}"}))
    note(driver.api.get(conversation))
    note(driver.call("POST", "/populate", {"conversations": 3}))
    note(driver.api.list(limit=100))
    note(driver.advance(60))
    note(driver.api.complete("Hello"))
    note(driver.call("GET"))
    entries = driver.requests()
    seen.append([(row["id"], row["at"], row["status"], row["body"], row["fault"]) for row in entries])
    assert {row["app_id"] for row in entries} == {driver.app_id}
    assert statuses == [200, 500 + number, 500 + number, 200]
    note(driver.call("DELETE"))
    return seen


def test_nobody_sees_anything_of_another(server: Server, sandbox: httpx2.Client, driver: AppDriver) -> None:
    """A stream is open all along. Ids and texts are those of a run alone, on a server without other clients."""
    drivers = [AppDriver(sandbox, f"{driver.app_id}_{number}") for number in range(CLIENTS)]
    driver.set(pace={"first_ms": 0, "delta_ms": 1_000})
    with driver.open_stream() as slow:
        slow.read_until(b"event: response.created")
        with ThreadPoolExecutor(CLIENTS) as pool:
            together = [list(pool.map(story, drivers, range(CLIENTS))) for _ in range(ROUNDS)]
        driver.set(pace=None)
        assert b"event: response.completed" not in slow.received
        assert [row["ended"] for row in driver.requests(operation="apps_api_send_message")] == [None]
    assert together[0] == together[1]
    with serving("--now", str(NOW), "--quiet") as other, http_client(other) as client:
        alone = [story(AppDriver(client, drivers[number].app_id), number) for number in (7, CLIENTS - 1)]
    assert alone == [together[0][7], together[0][-1]]


def test_a_stream_that_is_open_all_along_is_whole_in_the_end(driver: AppDriver) -> None:
    driver.set(pace={"delta_ms": 5})
    beside = [AppDriver(driver.client, f"{driver.app_id}_{number}") for number in range(10)]
    with driver.open_stream("[[long 40]]") as slow:
        slow.read_until(b"event: response.created")
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(story, beside, range(10)))
        raw = slow.read_to_end()
    assert raw.is_complete
    assert read(raw.events).status == "completed"
