"""The bundle and `replay`: whoever has the file sees the same failure, answer by answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from zipfile import ZipFile

import httpx2 as httpx
import pytest

from tests.cli.processes import end, run
from tests.conftest import AUTH, MakeClient, Server, serving
from tests.control.conftest import connected
from tests.control.driver import World
from tests.envelope import assert_error

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server whose time runs."""
    with serving("--quiet", "--seed", "5") as server:
        yield server


@pytest.fixture
def world(running: Server, request: pytest.FixtureRequest) -> Iterator[World]:
    """An app of this test's own."""
    with connected(running) as client:
        yield World(client, f"app_{hashlib.md5(request.node.nodeid.encode(), usedforsecurity=False).hexdigest()}")


def bundle(world: World) -> bytes:
    answer = world.call("GET", "/bundle")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


def part(content: bytes, name: str) -> Any:
    return json.loads(ZipFile(BytesIO(content)).read(name))


def replay(content: bytes, folder: Path, *flags: str) -> CompletedProcess[str]:
    file = folder / "failure.zip"
    file.write_bytes(content)
    return run("replay", str(file), *flags)


def verdicts(done: CompletedProcess[str]) -> Sequence[str]:
    """Return the first word of each line but the first and the last."""
    return [line.split()[0] for line in done.stdout.splitlines()[1:-1]]


def assert_same(done: CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(verdicts(done)) <= {"same", "set"}
    assert done.stdout.endswith("all the same\n")


def test_a_stream_that_the_journal_has_not_whole_is_the_same_as_far_as_it_goes(world: World, tmp_path: Path) -> None:
    world.api.send(world.api.created(), "[[long]]", stream=True)
    assert_same(replay(bundle(world), tmp_path))


def test_a_request_that_was_held_until_it_was_released_is_not_held_again(world: World, tmp_path: Path) -> None:
    fault = world.fault("latency", until="released")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(world.api.config)
        while world.call("POST", f"/faults/{fault['id']}/release").status_code != 204:
            pass
        assert held.result().status_code == 200
    assert_same(replay(bundle(world), tmp_path))


def test_what_a_client_did_is_done_again(world: World, tmp_path: Path) -> None:
    one = world.api.created(external_user_id="ada", metadata={"first_name": "Ada"})
    world.api.send(one, "I'd like an appointment [[tool]]", stream=True)
    world.api.get(one)
    world.api.list_of_user("a/b ü")
    world.api.create(title=5)
    world.api.delete(one)
    world.api.get(one)
    world.client.post(world.api.url(one), content=b'{"message": {\xff', headers=HEADERS)
    done = replay(bundle(world), tmp_path)
    assert_same(done)
    assert len(verdicts(done)) == 8


def test_what_a_test_set_between_the_requests_is_set_again(world: World, tmp_path: Path) -> None:
    world.set(titles="after_first_exchange", keys=["sk_test_spec"], rate_limit={"per_minute": 2})
    world.fault("status", status=503, probability=0.5, times=None, operation="apps_api_get_app_config")
    world.reply({"type": "message", "text": "Aye."}, times=2)
    for _ in range(6):
        world.api.config()
    world.freeze(1_790_000_000)
    one = world.api.created()
    world.advance(59)
    for _ in range(3):
        world.api.send(one, "Hello")
    world.call("POST", "/populate", {"conversations": 3})
    world.call("DELETE", "/faults")
    world.call("DELETE", "/clock")
    world.api.list()
    assert_same(replay(bundle(world), tmp_path))


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
def test_a_broken_answer_breaks_again(world: World, tmp_path: Path, fault: dict[str, Any]) -> None:
    world.fault(**fault)
    with suppress(httpx.TransportError):
        world.api.create()
    try:
        world.api.list()
    except httpx.TransportError:  # sent on the connection that was closed a moment ago: nobody has heard it
        world.api.list()
    assert_same(replay(bundle(world), tmp_path))


@pytest.mark.parametrize("kind", ["stream_cut", "stream_fail", "stream_garble"])
def test_a_broken_stream_breaks_at_the_same_place(world: World, tmp_path: Path, kind: str) -> None:
    one = world.api.created()
    world.fault(kind, events=3)
    with suppress(httpx.TransportError):
        world.api.send(one, "Hello", stream=True)
    world.api.get(one)
    assert_same(replay(bundle(world), tmp_path))


def test_a_client_that_went_away_goes_away_again(world: World, tmp_path: Path) -> None:
    one = world.api.created()
    with pytest.raises(httpx.ReadTimeout):
        world.client.post(world.api.url(one), json={"message": {"content": "[[slow 60000]]"}}, timeout=0.2)
    while len(world.requests()) < 2:
        assert world.counts["requests"] <= 2
    world.api.get(one)
    done = replay(bundle(world), tmp_path)
    assert_same(done)
    assert "the client goes away" in done.stdout


def test_it_begins_where_a_snapshot_was_put_back(world: World, tmp_path: Path) -> None:
    world.api.created(title="Before")
    snapshot = world.call("GET", "/snapshot").content
    world.client.put(f"/_sandbox/apps/{world.app_id}/snapshot", content=snapshot, headers=HEADERS)
    world.api.list()
    done = replay(bundle(world), tmp_path)
    assert_same(done)
    assert len(verdicts(done)) == 1


def test_it_begins_where_the_journal_was_emptied(world: World, tmp_path: Path) -> None:
    world.fault("status", status=503, skip=1)
    world.api.created(title="Before")
    world.client.delete("/_sandbox/requests", params={"app_id": world.app_id})
    world.api.list()
    world.api.list()
    done = replay(bundle(world), tmp_path)
    assert_same(done)
    assert [line.rsplit(maxsplit=1)[1] for line in done.stdout.splitlines()[1:-1]] == ["503", "200"]


def test_it_begins_with_the_conversations_of_app_demo(running: Server, tmp_path: Path) -> None:
    with connected(running) as client:
        world = World(client, "app_demo")
        world.api.list(limit=100)
        world.api.metrics()
        assert_same(replay(bundle(world), tmp_path))


def test_it_begins_with_what_was_loaded_from_a_file(tmp_path: Path) -> None:
    flags = ("--data", str(tmp_path / "data"), "--quiet")
    with serving(*flags) as server, connected(server) as client:
        World(client, "app_kept").api.created(title="Kept")
    with serving(*flags) as server, connected(server) as client:
        world = World(client, "app_kept")
        world.api.list()
        content = bundle(world)
    assert part(content, "steps.json")[0]["answer"]["status"] == 200
    assert_same(replay(content, tmp_path))


def test_another_server_s_settings_are_used_again(tmp_path: Path) -> None:
    with serving("--quiet", "--like-production", "--validation-status", "400") as server, connected(server) as client:
        world = World(client, "app_demo")
        world.api.create(title=5)
        world.api.create()
        assert_same(replay(bundle(world), tmp_path))


# What differs


def changed(content: bytes, name: str, old: str, new: str) -> bytes:
    """Return a bundle with another text in one of its files."""
    out, source = BytesIO(), ZipFile(BytesIO(content))
    with ZipFile(out, "w") as archive:
        for each in source.namelist():
            text = source.read(each).decode()
            assert each != name or old in text
            archive.writestr(each, text.replace(old, new) if each == name else text)
    return out.getvalue()


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
def test_where_an_answer_differs_is_said(world: World, tmp_path: Path, old: str, new: str, said: str) -> None:
    one = world.client.post(f"/v1/apps/{world.app_id}/conversations", json={"title": "Mine"}).json()["id"]
    world.api.delete(one)
    done = replay(changed(bundle(world), "steps.json", old, new), tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert said in done.stdout
    assert "differ" in done.stdout.splitlines()[-1]


def test_a_time_is_told_again_but_for_the_seconds_that_an_answer_took(world: World, tmp_path: Path) -> None:
    created = world.api.create().json()["created_at"]
    content = bundle(world)
    for late, code in ((1, 0), (5, 1)):
        moved = changed(content, "steps.json", rf"\"created_at\":{created}", rf"\"created_at\":{created + late}")
        assert replay(moved, tmp_path).returncode == code


# What can't be replayed


def refused(content: bytes, folder: Path) -> str:
    done = replay(content, folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stdout + done.stderr
    return done.stderr


def test_requests_that_are_gone_are_said_and_refused(make_client: MakeClient, tmp_path: Path) -> None:
    """The journal holds 64 MB."""
    world = World(make_client(), "app_spec")
    for _ in range(70):
        world.client.post("/v1/apps/app_spec/conversations", content=b"x" * 1_000_000, headers=HEADERS)
    content = bundle(world)
    assert part(content, "bundle.json")["complete"] is False
    assert "of its requests are not in the journal" in refused(content, tmp_path)


def test_a_reloaded_config_file_is_said_and_refused(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("[apps.app_set]\n")
    with serving("--quiet", "--config", str(config), "--reload") as server, connected(server) as client:
        world = World(client, "app_set")
        world.api.create()
        config.write_text("[apps.app_set]\nstream = true\n")
        while not world.settings["stream"]:
            assert server.process.poll() is None
        assert "reloaded" in refused(bundle(world), tmp_path)


def test_what_is_no_bundle_is_refused(world: World, tmp_path: Path) -> None:
    world.api.config()
    good = bundle(world)
    assert "no bundle" in refused(b"", tmp_path)
    assert "no bundle" in refused(good[: len(good) // 2], tmp_path)
    assert "version 2" in refused(changed(good, "bundle.json", '"version":1', '"version":2'), tmp_path)
    assert "no bundle" in refused(changed(good, "bundle.json", '"bundle"', '"parcel"'), tmp_path)
    assert "damaged" in refused(changed(good, "steps.json", '"kind"', '"kinds"'), tmp_path)
    assert "can't be read" in run("replay", str(tmp_path / "nowhere.zip")).stderr


def test_a_first_state_that_is_wrong_is_refused(world: World, tmp_path: Path) -> None:
    world.api.config()
    done = replay(changed(bundle(world), "baseline.json", '"version":1', '"version":9'), tmp_path)
    assert done.returncode == 2
    assert "version: expected 1, got 9" in done.stderr


@pytest.mark.parametrize("app_id", ["app_missing", "app_inactive", "app_no_agent", "app_error"])
def test_an_app_that_always_behaves_the_same_way_has_none(make_client: MakeClient, app_id: str) -> None:
    assert_error(World(make_client(), app_id).call("GET", "/bundle"), 409, "invalid_request_error")


# What is in it


def test_no_key_is_in_it(world: World) -> None:
    key = "sk_live_0123456789abcdef"
    world.set(keys=["sk_test_spec", key])
    one = world.api.created(metadata={"key": key})
    world.client.get(world.api.url(one), headers={"Authorization": f"Bearer {key}"})
    archive = ZipFile(BytesIO(bundle(world)))
    assert [name for name in archive.namelist() if b"0123456789" in archive.read(name)] == []


def test_requests_with_a_key_still_fit_the_settings(world: World, tmp_path: Path) -> None:
    world.set(keys=["sk_test_spec"])
    world.api.config()
    world.client.get(f"/v1/apps/{world.app_id}/config", headers={"Authorization": "Bearer sk_test_denied"})
    world.client.get(f"/v1/apps/{world.app_id}/config", headers={"Authorization": "Bearer sk_live_other"})
    done = replay(bundle(world), tmp_path)
    assert_same(done)
    assert [line.rsplit(maxsplit=1)[1] for line in done.stdout.splitlines()[2:-1]] == ["200", "403", "403"]


def test_its_journal_is_what_the_control_api_shows(world: World) -> None:
    world.api.config()
    content = bundle(world)
    assert part(content, "journal.json") == world.requests()
    assert len(part(content, "journal.har")["log"]["entries"]) == 1
    snapshot = world.call("GET", "/snapshot").json()
    quiet = {name: value for name, value in snapshot["settings"].items() if not name.startswith("webhook")}
    assert part(content, "snapshot.json") == {**snapshot, "settings": quiet}


def test_it_can_go_on_serving(world: World, tmp_path: Path) -> None:
    made = world.api.created(title="Look at me")
    (tmp_path / "failure.zip").write_bytes(bundle(world))
    with serving("replay", str(tmp_path / "failure.zip"), "--keep-serving", command=()) as server:
        assert server.process.stdout is not None
        assert "all the same" in "".join(server.process.stdout.readline() for _ in range(2))
        answer = httpx.get(f"{server.url}/v1/apps/{world.app_id}/conversations/{made}", headers=AUTH, trust_env=False)
        assert answer.json()["title"] == "Look at me"
        assert end(server) == []
    assert server.process.returncode == 0
