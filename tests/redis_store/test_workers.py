"""Several servers on one store look like one: whichever answers, and whichever of them ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle

import httpx2
import pytest

from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.processes import Server, http_client, run, serving
from tests.support.redis_server import RedisServer, requires_redis_server
from tests.support.webhook_receiver import Receiver, receive_webhooks

LIST = "apps_api_list_conversations"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with closing(RedisServer(requires_redis_server())) as server:
        yield server


@pytest.fixture
def place(redis: RedisServer, app_id: str) -> tuple[str, ...]:
    """The flags of all servers of a test."""
    return ("--now", str(NOW), "--store", redis.url, "--store-prefix", app_id)


@pytest.fixture
def pair(place: tuple[str, ...]) -> Iterator[tuple[AppDriver, AppDriver]]:
    """The same app, by way of two servers."""
    with served(place) as one, served(place) as other:
        yield one, other


@contextmanager
def served(place: tuple[str, ...]) -> Iterator[AppDriver]:
    with serving(*place) as server, http_client(server) as client:
        yield AppDriver(client, "app_shared")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive_webhooks() as opened:
        yield opened


# Each sees what the other does


def test_the_journal_has_what_is_under_way_with_the_other(pair: tuple[AppDriver, AppDriver]) -> None:
    one, other = pair
    fault = one.fault("latency", until="released", operation=LIST)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(one.api.list)
        while not (rows := other.requests()):
            pass
        assert [(row["status"], row["ended"], row["operation"]) for row in rows] == [(None, None, LIST)]
        assert other.call("POST", f"/faults/{fault['id']}/release").status_code == 204
        assert held.result().status_code == 200
    assert [row["ended"] for row in other.requests()] == ["complete"]
    assert other.entry(held.result()) == one.entry(held.result())


def test_verify_waits_for_what_the_other_is_asked(pair: tuple[AppDriver, AppDriver]) -> None:
    one, other = pair
    with ThreadPoolExecutor() as pool:
        told = pool.submit(one.verify, operation=LIST, status=200, times=3, within_ms=60_000)
        for _ in range(3):
            other.api.list()
        assert told.result()["verified"] is True


def test_live_events_come_from_both(pair: tuple[AppDriver, AppDriver]) -> None:
    one, other = pair
    with one.client.stream("GET", "/_sandbox/events") as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("event: "))
        assert answer.status_code == 200
        other.set(stream=True)
        assert next(lines) == "event: state"
        other.api.list()
        # Its beginning and its end.
        assert [next(lines), next(lines)] == ["event: request"] * 2


def test_a_stream_ends_where_the_other_deletes_its_app(pair: tuple[AppDriver, AppDriver]) -> None:
    one, other = pair
    one.set(pace={"first_ms": 0, "delta_ms": 600_000})
    conversation = one.api.created()
    with one.open_stream("Hello", conversation) as stream:
        while not any(row["response"] for row in other.requests()[:1]):
            pass
        assert other.call("DELETE").status_code == 204
        assert b"response.failed" in stream.read_to_end().content


def test_a_fault_acts_once_over_both(pair: tuple[AppDriver, AppDriver]) -> None:
    pair[0].fault("status", status=418, times=5, operation=LIST)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda app: app.api.list().status_code, [*pair] * 20))
    assert sorted(answers) == [200] * 35 + [418] * 5


def test_coverage_counts_deleted_apps_of_both(pair: tuple[AppDriver, AppDriver]) -> None:
    for app in pair:
        app.api.list()
        app.call("DELETE")
    covered = [app.client.get("/_sandbox/coverage").json() for app in pair]
    assert covered[0] == covered[1]
    assert LIST in str(covered[0])


# Webhooks


def test_a_webhook_is_sent_once_and_known_to_both(pair: tuple[AppDriver, AppDriver], receiver: Receiver) -> None:
    one, other = pair
    one.set(webhooks=[receiver.hook("chat.ended")])
    for app in (one, other, one):
        app.call("POST", "/webhooks/send", {"type": "chat.ended"})
    ids = [receiver.next().body["id"] for _ in range(3)]
    while any(row["state"] == "waiting" for row in deliveries(other)):
        pass
    assert [row["id"] for row in deliveries(one)] == ids[::-1]
    assert deliveries(one) == deliveries(other)
    again = other.client.post(f"/_sandbox/webhooks/{ids[0]}/redeliver")
    assert (again.status_code, receiver.next().body["id"]) == (200, ids[0])
    assert receiver.came.empty()


def test_a_clock_that_one_moves_sends_what_waits_with_the_other(
    pair: tuple[AppDriver, AppDriver], receiver: Receiver
) -> None:
    one, other = pair
    one.set(webhooks=[receiver.hook("chat.ended")])
    receiver.statuses.put(500)
    one.freeze(NOW)
    one.call("POST", "/webhooks/send", {"type": "chat.ended"})
    first = receiver.next()
    while not deliveries(other)[0]["attempts"]:
        pass
    other.advance(1)
    assert receiver.next().raw == first.raw


def test_what_waits_with_a_server_that_is_killed_another_sends(place: tuple[str, ...], receiver: Receiver) -> None:
    with serving(*place) as server, http_client(server) as client:
        one = AppDriver(client, "app_shared")
        one.set(webhooks=[receiver.hook("chat.ended")])
        receiver.statuses.put(500)
        one.freeze(NOW)
        one.call("POST", "/webhooks/send", {"type": "chat.ended"})
        first = receiver.next()
        while not deliveries(one)[0]["attempts"]:
            pass
        server.process.kill()
        server.process.wait()
        with served(place) as other:
            other.advance(1)
            assert receiver.next().raw == first.raw


def deliveries(app: AppDriver) -> list[dict[str, object]]:
    found: list[dict[str, object]] = app.client.get("/_sandbox/webhooks", params={"app_id": app.app_id}).json()["data"]
    return found


# Workers


@pytest.fixture
def team(place: tuple[str, ...]) -> Iterator[Server]:
    with serving(*place, "--workers", "2", "--quiet") as server:
        yield server


def workers_of(server: Server) -> list[int]:
    listed = subprocess.run(["ps", "--ppid", str(server.process.pid), "-o", "pid="], capture_output=True, check=False)  # noqa: S603, S607
    return sorted(map(int, listed.stdout.split()))


def test_workers_answer_as_one(team: Server) -> None:
    with http_client(team) as client:
        app = AppDriver(client, "app_shared")
        made = [answer_on_own_connection(team, "POST").json()["id"] for _ in range(20)]
        assert {row["id"] for row in app.api.list(limit=100).json()["data"]} == set(made)
        assert len({row["id"] for row in app.requests()}) == 21


def answer_on_own_connection(server: Server, method: str) -> httpx2.Response:
    """Return an answer of whichever worker takes a new connection."""
    with http_client(server) as client:
        return AppDriver(client, "app_shared").api.create() if method == "POST" else client.get("/_sandbox/health")


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(team: Server) -> None:
    made = []
    for number in range(3):
        made.append(answer_on_own_connection(team, "POST").json()["id"])
        victim = workers_of(team)[number % 2]
        os.kill(victim, signal.SIGKILL)
        while len(workers := workers_of(team)) < 2 or victim in workers:
            pass
    with http_client(team) as client:
        listed = AppDriver(client, "app_shared").api.list().json()["data"]
    assert [row["id"] for row in listed] == made[::-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_workers_end_with_the_first_process_however_it_ends(place: tuple[str, ...], number: signal.Signals) -> None:
    with serving(*place, "--workers", "2", "--quiet") as server:
        answer_on_own_connection(server, "GET")
        workers = workers_of(server)
        assert len(workers) == 2
        server.process.send_signal(number)
        server.process.wait()
        while any(is_running(worker) for worker in workers):
            pass
        assert server.process.returncode == (0 if number != signal.SIGKILL else -signal.SIGKILL)


def is_running(process: int) -> bool:
    listed = subprocess.run(["ps", "-p", str(process), "-o", "stat="], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def test_more_workers_need_a_store() -> None:
    ended = run("serve", "--port", "0", "--workers", "2")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "--workers: expected 1 without --store" in ended.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_streams_complete_while_a_server_drains(place: tuple[str, ...], workers: str) -> None:
    with serving(*place, "--workers", workers, "--drain", "600", "--quiet") as server, http_client(server) as client:
        app = AppDriver(client, "app_shared")
        app.set(pace={"first_ms": 0, "delta_ms": 20})
        with app.open_stream("[[long 400]]") as stream, client.stream("GET", "/_sandbox/events") as events:
            lines = events.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            assert b"response.completed" in stream.read_to_end().content
        server.process.wait()
        assert server.process.returncode in (0, -signal.SIGTERM)


def test_a_second_signal_ends_the_draining(place: tuple[str, ...]) -> None:
    with serving(*place, "--drain", "600", "--quiet") as server, http_client(server) as client:
        app = AppDriver(client, "app_shared")
        app.set(pace={"first_ms": 0, "delta_ms": 600_000})
        with app.open_stream("Hello") as stream:
            signals = cycle((signal.SIGTERM, signal.SIGINT))
            while server.process.poll() is None:
                server.process.send_signal(next(signals))
            assert b"response.completed" not in stream.read_to_end().content


def test_metrics_are_those_of_all_workers(place: tuple[str, ...]) -> None:
    with serving(*place, "--workers", "2", "--metrics", "--quiet") as server:
        for _ in range(12):
            answer_on_own_connection(server, "POST")
        os.kill(workers_of(server)[0], signal.SIGKILL)
        with http_client(server) as client:
            text = client.get("/_sandbox/metrics").text
        # What the one that was killed has counted stays.
        assert 'requests_total{operation="apps_api_create_conversation",status="200"} 12.0' in text
        assert 'store_call_seconds_count{call="create"} 12.0' in text


def test_an_app_that_nobody_uses_goes(place: tuple[str, ...]) -> None:
    with serving(*place, "--app-ttl", "1") as server, http_client(server) as client:
        AppDriver(client, "app_shared").api.created()
        with client.stream("GET", "/_sandbox/events", params={"app_id": "app_shared"}) as answer:
            assert "event: state" in answer.iter_lines()
        assert AppDriver(client, "app_shared").counts["conversations"] == 0
