"""Apps that nobody uses: which of them go, in every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import create_app
from sandbox.apps.registry import AppRegistry
from sandbox.errors import StoreFull
from sandbox.settings import Settings
from tests.apps.stores import Store
from tests.support.app_driver import AppDriver
from tests.support.processes import http_client, serving

# So long ago everything was used: in the future.
AT_ONCE = -10


def opened(store: Store, ttl: int) -> AppRegistry:
    registry = store.registry()
    registry._environment = replace(registry._environment, app_ttl=ttl)
    return registry


def used(store: Store, registry: AppRegistry, *names: str) -> None:
    for name in names:
        app = store.now(registry.get(name))
        assert app
        store.now(app.set_clock(1))


def deleted(store: Store, registry: AppRegistry) -> list[str]:
    return sorted(app.id for app in store.now(registry.delete_unused()))


def test_apps_that_nobody_uses_go_but_for_declared_ones(store: Store) -> None:
    registry = opened(store, AT_ONCE)
    used(store, registry, "app_a", "app_b", "app_declared")

    assert deleted(store, registry) == ["app_a", "app_b"]
    assert store.now(registry.ids()) == ["app_declared"]
    assert deleted(store, registry) == []


def test_apps_that_were_used_in_time_stay(store: Store) -> None:
    registry = opened(store, 1_000)
    used(store, registry, "app_a")
    assert [deleted(store, registry) for _ in range(2)] == [[], []]
    assert "app_a" in store.now(registry.ids())


def test_one_that_is_answering_stays(store: Store) -> None:
    registry = opened(store, AT_ONCE)
    used(store, registry, "app_a")
    registry.find("app_a").journal.under_way = 1
    assert deleted(store, registry) == []


def test_each_server_deletes_what_another_one_made(shared: Store) -> None:
    one, other = opened(shared, AT_ONCE), opened(shared, AT_ONCE)
    used(shared, one, "app_a")
    assert deleted(shared, other) == ["app_a"]
    assert deleted(shared, one) == []


def test_where_there_are_too_many_both_settings_are_named(store: Store) -> None:
    registry = store.registry(max_apps=1)
    used(store, registry, "app_a")
    with pytest.raises(StoreFull, match=r"--max-apps; --app-ttl"):
        used(store, registry, "app_b")


def test_a_server_deletes_what_nobody_uses_and_says_so() -> None:
    with serving("--app-ttl", "1") as server, http_client(server) as client:
        app = AppDriver(client, "app_shared")
        app.api.created()
        with client.stream("GET", "/_sandbox/events", params={"app_id": "app_shared"}) as answer:
            assert "event: state" in answer.iter_lines()
        assert app.counts["conversations"] == 0
        assert client.get("/v1/apps/app_demo/conversations").json()["data"] != []


def test_what_a_file_keeps_counts_as_used_when_it_is_loaded(tmp_path: Path) -> None:
    file = str(tmp_path / "apps.json")
    with serving("--data", file) as server, http_client(server) as client:
        AppDriver(client, "app_kept").api.created()

    registry = create_app(Settings(data=file, app_ttl=1_000))._registry
    assert asyncio.run(registry.delete_unused()) == []
    assert "app_kept" in asyncio.run(registry.ids())
