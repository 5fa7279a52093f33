"""The bundle and `replay`: whoever has the file sees the same failure, answer by answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx2 as httpx
import pytest

from sandbox.replay.bundle import BundleError
from tests.conftest import MakeClient
from tests.replay.replaying import assert_same, bundle, changed, command, part, refusal_of, refused, replay, stored
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH
from tests.support.errors import assert_error
from tests.support.processes import Server, end, http_client, serving

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server whose time runs."""
    with serving("--quiet", "--seed", "5") as server:
        yield server


@pytest.fixture
def driver(running: Server, app_id: str) -> Iterator[AppDriver]:
    """An app of this test's own."""
    with http_client(running) as client:
        yield AppDriver(client, app_id)


def test_a_stream_that_the_journal_has_not_whole_is_the_same_as_far_as_it_goes(
    driver: AppDriver, tmp_path: Path
) -> None:
    driver.api.send(driver.api.created(), "[[long]]", stream=True)
    assert_same(replay(bundle(driver), tmp_path))


def test_a_request_that_was_held_until_it_was_released_is_not_held_again(driver: AppDriver, tmp_path: Path) -> None:
    fault = driver.fault("latency", until="released")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(driver.api.config)
        while driver.call("POST", f"/faults/{fault['id']}/release").status_code != 204:
            pass
        assert held.result().status_code == 200
    assert_same(replay(bundle(driver), tmp_path))


def test_what_a_client_did_is_done_again(driver: AppDriver, tmp_path: Path) -> None:
    one = driver.api.created(external_user_id="ada", metadata={"first_name": "Ada"})
    driver.api.send(one, "I'd like an appointment [[tool]]", stream=True)
    driver.api.get(one)
    driver.api.list_of_user("a/b ü")
    driver.api.create(title=5)
    driver.api.delete(one)
    driver.api.get(one)
    driver.client.post(driver.api.url(one), content=b'{"message": {\xff', headers=HEADERS)
    done = command(bundle(driver), tmp_path)
    assert_same(done)
    assert len(done.steps) == 8


def test_what_a_test_set_between_the_requests_is_set_again(driver: AppDriver, tmp_path: Path) -> None:
    driver.set(titles="after_first_exchange", keys=["sk_test_spec"], rate_limit={"per_minute": 2})
    driver.fault("status", status=503, probability=0.5, times=None, operation="apps_api_get_app_config")
    driver.reply({"type": "message", "text": "Aye."}, times=2)
    for _ in range(6):
        driver.api.config()
    driver.freeze(1_790_000_000)
    one = driver.api.created()
    driver.advance(59)
    for _ in range(3):
        driver.api.send(one, "Hello")
    driver.call("POST", "/populate", {"conversations": 3})
    driver.call("DELETE", "/faults")
    driver.call("DELETE", "/clock")
    driver.api.list()
    assert_same(replay(bundle(driver), tmp_path))


BREAKS: list[dict[str, Any]] = [
    {"kind": "reset"},
    {"kind": "hang", "ms": 5},
    {"kind": "truncate"},
    {"kind": "stale"},
    {"kind": "wrong_type"},
    {"kind": "contract"},
    {"kind": "after", "status": 500},
]


@pytest.mark.parametrize("fault", BREAKS, ids=[fault["kind"] for fault in BREAKS])
def test_a_broken_answer_breaks_again(driver: AppDriver, tmp_path: Path, fault: dict[str, Any]) -> None:
    driver.fault(**fault)
    with suppress(httpx.TransportError):
        driver.api.create()
    try:
        driver.api.list()
    except httpx.TransportError:  # sent on the connection that was closed a moment ago: nobody has heard it
        driver.api.list()
    assert_same(replay(bundle(driver), tmp_path))


@pytest.mark.parametrize("kind", ["stream_cut", "stream_fail", "stream_garble"])
def test_a_broken_stream_breaks_at_the_same_place(driver: AppDriver, tmp_path: Path, kind: str) -> None:
    one = driver.api.created()
    driver.fault(kind, events=3)
    with suppress(httpx.TransportError):
        driver.api.send(one, "Hello", stream=True)
    driver.api.get(one)
    assert_same(replay(bundle(driver), tmp_path))


def test_a_client_that_went_away_goes_away_again(driver: AppDriver, tmp_path: Path) -> None:
    one = driver.api.created()
    with pytest.raises(httpx.ReadTimeout):
        driver.client.post(driver.api.url(one), json={"message": {"content": "[[slow 60000]]"}}, timeout=0.2)
    while len(driver.requests()) < 2:
        assert driver.counts["requests"] <= 2
    driver.api.get(one)
    done = replay(bundle(driver), tmp_path)
    assert_same(done)
    assert "the client goes away" in "".join(done.steps)


def test_it_begins_where_a_snapshot_was_put_back(driver: AppDriver, tmp_path: Path) -> None:
    driver.api.created(title="Before")
    snapshot = driver.call("GET", "/snapshot").content
    driver.client.put(f"/_sandbox/apps/{driver.app_id}/snapshot", content=snapshot, headers=HEADERS)
    driver.api.list()
    done = replay(bundle(driver), tmp_path)
    assert_same(done)
    assert len(done.steps) == 1


def test_it_begins_where_the_journal_was_emptied(driver: AppDriver, tmp_path: Path) -> None:
    driver.fault("status", status=503, skip=1)
    driver.api.created(title="Before")
    driver.client.delete("/_sandbox/requests", params={"app_id": driver.app_id})
    driver.api.list()
    driver.api.list()
    done = replay(bundle(driver), tmp_path)
    assert_same(done)
    assert [line.rsplit(maxsplit=1)[1] for line in done.steps] == ["503", "200"]


def test_it_begins_with_the_conversations_of_app_demo(running: Server, tmp_path: Path) -> None:
    with http_client(running) as client:
        driver = AppDriver(client, "app_demo")
        driver.api.list(limit=100)
        driver.api.metrics()
        assert_same(replay(bundle(driver), tmp_path))


def test_it_begins_with_what_was_loaded_from_a_file(tmp_path: Path) -> None:
    flags = ("--data", str(tmp_path / "data"), "--quiet")
    with serving(*flags) as server, http_client(server) as client:
        AppDriver(client, "app_kept").api.created(title="Kept")
    with serving(*flags) as server, http_client(server) as client:
        driver = AppDriver(client, "app_kept")
        driver.api.list()
        content = bundle(driver)
    assert part(content, "steps.json")[0]["answer"]["status"] == 200
    assert_same(replay(content, tmp_path))


def test_another_server_s_settings_are_used_again(make_client: MakeClient, tmp_path: Path) -> None:
    driver = AppDriver(make_client(now=None, like_production=True, validation_status="400"), "app_demo")
    driver.api.create(title=5)
    driver.api.create()
    assert_same(command(bundle(driver), tmp_path))


# What differs


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"\"title\":\"Mine\",", r"\"title\":\"Yours\",", '200: title: was "Yours", is "Mine"'),
        ('"status":200', '"status":201', "201: status: was 201, is 200"),
        ('"ended":"complete"', '"ended":"cut"', '200: end: was "cut", is "complete"'),
        ('"nosniff"', '"sniff"', '200: header x-content-type-options: was "sniff", is "nosniff"'),
        (r"\"deleted\"", r"\"erased\"", "200: erased: is gone"),
    ],
)
def test_where_an_answer_differs_is_said(driver: AppDriver, tmp_path: Path, old: str, new: str, said: str) -> None:
    one = driver.client.post(f"/v1/apps/{driver.app_id}/conversations", json={"title": "Mine"}).json()["id"]
    driver.api.delete(one)
    done = replay(changed(bundle(driver), "steps.json", old, new), tmp_path)
    assert done.code == 1
    assert said in "".join(done.steps)
    assert "differ" in done.end


def test_a_time_is_told_again_but_for_the_seconds_that_an_answer_took(driver: AppDriver, tmp_path: Path) -> None:
    created = driver.api.create().json()["created_at"]
    content = bundle(driver)
    one, five = (
        changed(content, "steps.json", rf"\"created_at\":{created}", rf"\"created_at\":{created + late}")
        for late in (1, 5)
    )
    assert replay(one, tmp_path).code == 0
    assert command(five, tmp_path).code == 1


# What can't be replayed


def test_requests_that_are_gone_are_said_and_refused(make_client: MakeClient, tmp_path: Path) -> None:
    """The journal holds 64 MB of all apps, and its oldest request goes first."""
    driver = AppDriver(make_client(), "app_spec")
    driver.api.config()
    for _ in range(70):
        driver.client.post("/v1/apps/app_other/conversations", content=b"x" * 1_000_000, headers=HEADERS)
    driver.api.config()
    content = bundle(driver)
    assert part(content, "bundle.json")["complete"] is False
    assert "of its requests are not in the journal" in refused(content, tmp_path)


def test_a_reloaded_config_file_is_said_and_refused(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("[apps.app_set]\n")
    with serving("--quiet", "--config", str(config), "--reload") as server, http_client(server) as client:
        driver = AppDriver(client, "app_set")
        driver.api.create()
        config.write_text("[apps.app_set]\nstream = true\n")
        while not driver.settings["stream"]:
            assert server.process.poll() is None
        assert "reloaded" in refused(bundle(driver), tmp_path)


def test_what_is_no_bundle_is_refused(driver: AppDriver, tmp_path: Path) -> None:
    driver.api.config()
    good = bundle(driver)
    assert "no bundle" in refused(b"", tmp_path)
    assert "no bundle" in refused(good[: len(good) // 2], tmp_path)
    assert "version 2" in refused(changed(good, "bundle.json", '"version":1', '"version":2'), tmp_path)
    assert "no bundle" in refused(changed(good, "bundle.json", '"bundle"', '"parcel"'), tmp_path)
    assert "damaged" in refused(changed(good, "steps.json", '"kind"', '"kinds"'), tmp_path)
    assert "can't be read" in refusal_of(tmp_path / "nowhere.zip")


def test_a_first_state_that_is_wrong_is_refused(driver: AppDriver, tmp_path: Path) -> None:
    driver.api.config()
    content = changed(bundle(driver), "baseline.json", '"version":1', '"version":9')
    with pytest.raises(BundleError, match="version: expected 1, got 9"):
        replay(content, tmp_path)


@pytest.mark.parametrize("app_id", ["app_missing", "app_inactive", "app_no_agent", "app_error"])
def test_an_app_that_always_behaves_the_same_way_has_none(make_client: MakeClient, app_id: str) -> None:
    assert_error(AppDriver(make_client(), app_id).call("GET", "/bundle"), 409, "invalid_request_error")


# What is in it


def test_no_key_is_in_it(driver: AppDriver) -> None:
    key = "sk_live_0123456789abcdef"
    driver.set(keys=["sk_test_spec", key])
    one = driver.api.created(metadata={"key": key})
    driver.client.get(driver.api.url(one), headers={"Authorization": f"Bearer {key}"})
    archive = ZipFile(BytesIO(bundle(driver)))
    assert [name for name in archive.namelist() if b"0123456789" in archive.read(name)] == []


def test_requests_with_a_key_still_fit_the_settings(driver: AppDriver, tmp_path: Path) -> None:
    driver.set(keys=["sk_test_spec"])
    driver.api.config()
    driver.client.get(f"/v1/apps/{driver.app_id}/config", headers={"Authorization": "Bearer sk_test_denied"})
    driver.client.get(f"/v1/apps/{driver.app_id}/config", headers={"Authorization": "Bearer sk_live_other"})
    done = replay(bundle(driver), tmp_path)
    assert_same(done)
    assert [line.rsplit(maxsplit=1)[1] for line in done.steps[1:]] == ["200", "403", "403"]


def test_its_journal_is_what_the_control_api_shows(driver: AppDriver) -> None:
    driver.api.config()
    content = bundle(driver)
    assert part(content, "journal.json") == driver.requests()
    assert len(part(content, "journal.har")["log"]["entries"]) == 1
    snapshot = driver.call("GET", "/snapshot").json()
    quiet = {name: value for name, value in snapshot["settings"].items() if not name.startswith("webhook")}
    assert part(content, "snapshot.json") == {**snapshot, "settings": quiet}


def test_it_can_go_on_serving(driver: AppDriver, tmp_path: Path) -> None:
    made = driver.api.created(title="Look at me")
    file = stored(bundle(driver), tmp_path)
    with serving("replay", str(file), "--keep-serving", command=()) as server:
        assert server.process.stdout is not None
        assert "all the same" in "".join(server.process.stdout.readline() for _ in range(2))
        answer = httpx.get(f"{server.url}/v1/apps/{driver.app_id}/conversations/{made}", headers=AUTH, trust_env=False)
        assert answer.json()["title"] == "Look at me"
        assert end(server) == []
    assert server.process.returncode == 0
