"""A server with a store: what outlives it, whom it lets in, and what it says when the store is in trouble."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2
import pytest
from redis import Redis

from sandbox.redis_store.opening import VERSION
from tests.support.api import Api
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW, ROOT
from tests.support.errors import assert_error
from tests.support.processes import http_client, run, serving
from tests.support.redis_server import RedisServer, requires_redis_server

HEALTH = "/_sandbox/health"
LIST = "apps_api_list_conversations"
PREFIX = "team-a"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with closing(RedisServer(requires_redis_server())) as server:
        yield server


@contextmanager
def served(redis: RedisServer, *flags: str) -> Iterator[AppDriver]:
    """Serve with the store; give an app of that server."""
    place = ("--store", redis.url, "--store-prefix", PREFIX)
    with serving("--now", str(NOW), *place, *flags) as server, http_client(server) as client:
        yield AppDriver(client, "app_kept")


def keys(redis: RedisServer) -> list[str]:
    with look(redis) as client:
        return sorted(key.decode() for key in client.scan_iter())


@contextmanager
def look(redis: RedisServer) -> Iterator[Redis]:
    with closing(redis.client()) as client:
        yield client


# What outlives the server


def test_a_restarted_server_goes_on_where_the_last_one_stopped(redis: RedisServer) -> None:
    with served(redis, "--seed", "3") as app:
        app.set(titles="after_first_exchange", stream=True)
        app.freeze(NOW + 5)
        app.call("POST", "/faults", {"kind": "status", "status": 503, "times": 2, "operation": LIST})
        assert app.api.list().status_code == 503
        first = app.api.created(title="First")
        listed, shown = app.call("GET", "/faults").text, app.call("GET").json()["settings"]
    with served(redis, "--seed", "4") as app:
        assert (app.call("GET", "/faults").text, app.call("GET").json()["settings"]) == (listed, shown)
        app.call("DELETE", "/faults")
        assert app.api.get(first).json()["title"] == "First"
        second = app.api.create().json()
    with served(redis, "--seed", "3") as app:
        app.call("DELETE")
        app.freeze(NOW + 5)
        app.set(titles="after_first_exchange")
        assert [app.api.created(), app.api.create().json()] == [first, second]


def test_a_reset_reaches_its_own_prefix_alone(redis: RedisServer) -> None:
    with look(redis) as client:
        client.set("{team-b:app_kept}:meta", "theirs")
        client.set("team-a", "also")
    with served(redis) as app:
        app.api.created()
        app.client.post("/_sandbox/reset")
        assert keys(redis) == ["team-a", "{team-a}:version", "{team-b:app_kept}:meta"]
        assert app.api.list().json()["data"] == []


# Who is let in


def test_a_store_that_is_not_there_ends_the_start_with_one_line() -> None:
    ended = run("serve", "--port", "0", "--store", "redis://:s3cret-password@127.0.0.1:1")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (3, "", 1)
    assert "--store: can't be used" in ended.stderr
    assert "s3cret" not in ended.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--store", "http://:s3cret-password@localhost"), "--store: expected a URL of redis://, rediss:// or unix://"),
        (("--store", "redis://localhost:port"), "--store: expected a URL of a Redis"),
        (("--store", "redis://localhost", "--data", "file"), "--data and --store exclude each other"),
        (("--store", "redis://localhost", "--max-bytes", "9"), "--max-bytes is for apps in memory"),
        (("--store", "redis://localhost", "--store-prefix", "a:b"), "--store-prefix: expected 1 to 64 letters"),
    ],
)
def test_a_wrong_setting_is_named(flags: tuple[str, ...], message: str) -> None:
    ended = run("serve", "--port", "0", *flags)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert message in ended.stderr
    assert "s3cret" not in ended.stderr


def test_servers_on_one_prefix_have_the_same_apps(redis: RedisServer) -> None:
    with served(redis) as one, served(redis) as other:
        conversation = one.api.created(title="Shared")
        assert other.api.get(conversation).json()["title"] == "Shared"
        other.freeze(NOW + 60)
        assert one.api.create().json()["created_at"] == NOW + 60
        # Numbered over both, in the order in which they came.
        assert [row["id"][-2:] for row in one.requests()] == ["03", "02", "01"]
        assert one.requests() == other.requests()


def test_a_prefix_that_a_server_uses_is_not_wiped(redis: RedisServer) -> None:
    with served(redis) as app, served_elsewhere(redis) as other:
        app.client.get(HEALTH)
        wiped = run("store", "wipe", "--store", redis.url, "--prefix", PREFIX)
        assert other.client.get(HEALTH).json()["store"] == "redis"
    assert (wiped.returncode, wiped.stderr.count("\n")) == (3, 1)
    assert "a server uses the prefix team-a" in wiped.stderr


@contextmanager
def served_elsewhere(redis: RedisServer) -> Iterator[AppDriver]:
    with serving("--store", redis.url, "--store-prefix", "team-b") as server, http_client(server) as client:
        yield AppDriver(client, "app_kept")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("{team-a}:version", b"dimedove-sandbox 0", "is of another version"),
        ("{team-a:app_x}:meta", b"?", "no sandbox wrote"),
    ],
)
def test_what_another_wrote_is_refused_until_it_is_wiped(
    redis: RedisServer, key: str, value: bytes, message: str
) -> None:
    with look(redis) as client:
        client.mset({key: value, "{team-ab}:version": VERSION})
    refused = run("serve", "--port", "0", "--store", redis.url, "--store-prefix", PREFIX)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert message in refused.stderr
    assert "dimedove-sandbox store wipe --prefix team-a" in refused.stderr

    wiped = run("store", "wipe", "--prefix", PREFIX, env={"DIMEDOVE_SANDBOX_STORE": redis.url})

    assert (wiped.returncode, wiped.stdout) == (0, "keys deleted under the prefix team-a: 1\n")
    assert keys(redis) == ["{team-ab}:version"]


def test_a_server_without_a_store_loads_nothing_of_redis() -> None:
    code = "import sys; from sandbox import create_app; create_app().preload(); print('redis' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout == "False\n"


# The store's own trouble


def assert_unavailable(answer: httpx2.Response) -> None:
    assert_error(answer, 503, "internal_error", code="store_unavailable")


def test_a_store_that_ends_and_comes_back_needs_no_restart(redis: RedisServer) -> None:
    with served(redis) as app:
        first = app.api.created()
        redis.kill()
        for answer in (app.api.create(), app.api.get(first), app.client.get(HEALTH), app.call("GET")):
            assert_unavailable(answer)
        redis.start()
        assert app.client.get(HEALTH).status_code == 200
        # It had kept nothing on a disk: the app is as before its first use.
        assert app.api.create().json()["id"] == first
        assert app.api.transport.request("GET", "/v1/apps/app_demo/conversations").json()["data"] != []


def test_a_store_that_is_silent_is_waited_for_a_second_and_nothing_is_done_twice(redis: RedisServer) -> None:
    with served(redis) as app:
        app.api.created()
        redis.pause()
        assert_unavailable(app.api.create())
        assert_unavailable(app.client.get(HEALTH))
        redis.resume()
        assert app.client.get(HEALTH).status_code == 200
        # What came before the silence was noticed may have been done; no more than that.
        assert len(app.api.list().json()["data"]) in (1, 2)


def test_a_full_store_refuses_whole_steps_and_answers_reads(redis: RedisServer) -> None:
    with served(redis) as app, look(redis) as client:
        conversation = app.api.created()
        app.set(rate_limit={"per_minute": 9})
        before = app.call("GET", "/snapshot").text
        client.config_set("maxmemory", 1)
        for answer in (
            app.call("PATCH", body={"rate_limit": {"per_minute": 5}}),
            app.call("POST", "/faults", {"kind": "reset"}),
            app.call("PUT", "/snapshot", app.call("GET", "/snapshot").json()),
            app.client.get(HEALTH),
        ):
            assert_unavailable(answer)
            assert "maxmemory" in answer.json()["error"]["message"]
        assert app.call("GET", "/snapshot").text == before
        client.config_set("maxmemory", 0)
        assert app.api.send(conversation, "Hello").status_code == 200


def test_a_read_only_replica_refuses_writes_until_it_is_none(redis: RedisServer) -> None:
    with served(redis) as app, look(redis) as client:
        conversation = app.api.created()
        client.replicaof("127.0.0.1", "1")
        assert_unavailable(app.api.create())
        assert_unavailable(app.client.get(HEALTH))
        assert app.api.get(conversation).status_code == 200
        client.replicaof("NO", "ONE")
        assert app.api.create().status_code == 200


def test_what_needs_a_history_is_refused(redis: RedisServer) -> None:
    with served(redis) as app:
        assert_error(app.call("GET", "/bundle"), 409, "invalid_request_error")


def test_an_app_of_the_server_is_an_app_of_the_api(redis: RedisServer) -> None:
    with served(redis) as app:
        api = Api(app.client, "app_kept")
        conversation = api.created()
        for text in ("Hello", "[[fail]]", "Bonjour"):
            api.send(conversation, text)
        assert api.roles(conversation) == "uauua"
