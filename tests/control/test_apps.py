"""Apps: looked at, forgotten; how many there may be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import httpx2
import pytest

from sandbox import Settings, create_app
from tests.control.conftest import MakeDriver
from tests.support.app_driver import APPS, NOTHING, REQUESTS, AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of

MAGIC = ["app_missing", "app_inactive", "app_no_agent", "app_error"]

# Every call that writes to an app.
WRITES: dict[str, tuple[str, str, Any]] = {
    "settings": ("PATCH", "", {"stream": True}),
    "delete": ("DELETE", "", None),
    "populate": ("POST", "/populate", {"conversations": 1}),
    "fault": ("POST", "/faults", {"kind": "reset"}),
    "no faults": ("DELETE", "/faults", None),
    "no fault": ("DELETE", "/faults/fault_000000000000000000000000", None),
    "reply": ("POST", "/replies", {"output": []}),
    "no replies": ("DELETE", "/replies", None),
    "no reply": ("DELETE", "/replies/reply_000000000000000000000000", None),
    "clock": ("PUT", "/clock", {"now": 5}),
    "advance": ("POST", "/clock/advance", {"seconds": 5}),
    "real time": ("DELETE", "/clock", None),
}
READS: dict[str, tuple[str, str, Any]] = {
    "app": ("GET", "", None),
    "faults": ("GET", "/faults", None),
    "replies": ("GET", "/replies", None),
    "clock": ("GET", "/clock", None),
}


def known(client: httpx2.Client) -> list[str]:
    """Return the ids of the apps that are listed."""
    ids, after = list[str](), ""
    while page := client.get(APPS, params={"after": after} if after else {}).json():
        assert page["object"] == "list"
        ids += [app["app_id"] for app in page["data"]]
        if not page["has_more"]:
            break
        after = ids[-1]
    return ids


# Looked at


def test_a_read_shows_the_defaults_and_creates_nothing(driver: AppDriver) -> None:
    for method, path, _ in READS.values():
        assert driver.call(method, path).status_code == 200
    assert driver.counts == NOTHING
    assert driver.app_id not in known(driver.client)


def test_counts_are_what_the_app_has_had(driver: AppDriver) -> None:
    conversation = driver.api.created(external_user_id="ann")
    driver.api.created(external_user_id="ann")
    driver.api.send(conversation, "Hello")
    driver.api.delete(conversation)
    assert driver.counts == {"conversations": 2, "messages": 2, "users": 1, "requests": 4}


# What brings an app into being: its data, and whatever is set or queued for it.
FIRST_WRITES = {name: call for name, call in WRITES.items() if call[0] != "DELETE"}


@pytest.mark.parametrize("write", FIRST_WRITES.values(), ids=FIRST_WRITES)
def test_an_app_exists_from_its_first_write(driver: AppDriver, write: tuple[str, str, Any]) -> None:
    method, path, body = write
    assert driver.call(method, path, body).status_code in (200, 201)
    assert driver.app_id in known(driver.client)


def test_a_conversation_is_a_write_too(driver: AppDriver) -> None:
    driver.api.create()
    assert driver.app_id in known(driver.client)


def test_declared_apps_and_the_demo_are_listed_from_the_start(make_driver: MakeDriver) -> None:
    driver = make_driver(apps={"app_declared": {"stream": True}})
    assert known(driver.client) == ["app_declared", "app_demo"]


def test_an_id_that_cannot_be_is_not_found(sandbox: httpx2.Client, subtests: pytest.Subtests) -> None:
    rows: list[str] = ["a b", "é", "x" * 129, "a%2Fb", "a%00b"]
    for path, app_id in product(["", "/faults", "/clock"], rows):
        with subtests.test(path=path, app_id=app_id):
            assert_error(sandbox.get(f"{APPS}/{app_id}{path}"), 404, "not_found")


@pytest.mark.parametrize("app_id", ["x", "x" * 128, "a.b_c~d-e", "..."])
def test_an_id_that_can_be_is_found(sandbox: httpx2.Client, app_id: str) -> None:
    assert sandbox.get(f"{APPS}/{app_id}").json()["app_id"] == app_id


# Apps that always behave the same way


@pytest.mark.clause("10.2")
def test_magic_apps_cannot_be_changed(sandbox: httpx2.Client, subtests: pytest.Subtests) -> None:
    for (name, write), app_id in product(WRITES.items(), MAGIC):
        with subtests.test(name, app_id=app_id):
            method, path, body = write
            error = assert_error(
                AppDriver(sandbox, app_id).call(method, path, body), 409, "invalid_request_error", param="app_id"
            )
            assert app_id in error["message"]


# Only declared apps


@pytest.fixture(scope="module", params=["strict_apps", "like_production"])
def strict(request: pytest.FixtureRequest) -> httpx2.Client:
    """A client of a server on which `app_mine` and the demo alone exist."""
    settings: dict[str, Any] = {"now": NOW, "apps": {"app_mine": {}}, request.param: True}
    return client_of(create_app(Settings(**settings)), AUTH)


def test_where_only_declared_apps_exist_others_are_not_found(strict: httpx2.Client, subtests: pytest.Subtests) -> None:
    rows: list[tuple[str, str, Any]] = [*WRITES.values(), *READS.values()]
    for call in rows:
        with subtests.test(call=call):
            method, path, body = call
            assert_error(AppDriver(strict, "app_other").call(method, path, body), 404, "not_found", param="app_id")
            mine = AppDriver(strict, "app_mine").call(method, path, body)
            assert mine.is_success or "fault_0" in path or "reply_0" in path


# Bounds


@pytest.mark.parametrize("write", FIRST_WRITES.values(), ids=FIRST_WRITES)
def test_too_many_apps_are_refused_with_the_name_of_the_setting(
    make_driver: MakeDriver, write: tuple[str, str, Any]
) -> None:
    driver = make_driver(max_apps=2)
    for app_id in ("app_a", "app_b"):
        AppDriver(driver.client, app_id).set(stream=True)
    method, path, body = write
    error = assert_error(driver.call(method, path, body), 503, "internal_error")
    assert "--max-apps" in error["message"]
    assert known(driver.client) == ["app_a", "app_b", "app_demo"]


def test_too_many_apps_are_refused_to_clients_too(make_driver: MakeDriver) -> None:
    driver = make_driver(max_apps=1)
    AppDriver(driver.client, "app_a").api.create()
    assert "--max-apps" in assert_error(driver.api.create(), 503, "internal_error")["message"]
    AppDriver(driver.client, "app_a").call("DELETE")
    assert driver.api.create().status_code == 200


LARGE = "x" * 20_000
# Everything that an app keeps, by what a test can make it keep 20 kB of.
KEPT: dict[str, Any] = {
    "conversations": lambda driver: driver.api.create(metadata={"m": "x" * 16_000}),
    "titles": lambda driver: driver.api.create(title=LARGE),
    "users": lambda driver: driver.api.create(external_user_id=LARGE),
    "faults": lambda driver: driver.call("POST", "/faults", {"kind": "status", "status": 500, "body": LARGE}),
    "replies": lambda driver: driver.call("POST", "/replies", {"output": [{"type": "message", "text": LARGE}]}),
    "settings": lambda driver: driver.set(tools=[{"name": "x", "kind": "mapping", "arguments": {"x": LARGE}}] * 3),
}


@pytest.mark.memory
@pytest.mark.parametrize("write", KEPT.values(), ids=KEPT)
def test_too_many_bytes_are_refused_with_the_name_of_the_setting(make_driver: MakeDriver, write: Any) -> None:
    driver = make_driver(max_bytes=100_000)
    for number in range(12):
        answer = write(AppDriver(driver.client, f"app_{number}"))
        if not answer.is_success:
            break
    assert "--max-bytes" in assert_error(answer, 503, "internal_error")["message"]


@pytest.mark.memory
def test_what_was_full_takes_more_when_something_is_deleted(make_driver: MakeDriver) -> None:
    driver = make_driver(max_bytes=50_000)
    while driver.api.create(metadata={"m": "x" * 16_000}).is_success:
        pass
    driver.call("DELETE")
    assert driver.api.create().status_code == 200


# Forgotten


def life(driver: AppDriver) -> list[Any]:
    """Use an app in every way; return all that was answered."""
    conversation = driver.api.created(external_user_id="ann", metadata={"first_name": "Ann"})
    answers = [
        driver.api.get(conversation),
        driver.api.send(conversation, "I'd like an appointment on Tuesday"),
        driver.api.send(conversation, "[[tool]]", stream=True),
        driver.api.complete("Hello"),
        driver.api.config(),
        driver.call("POST", "/faults", {"kind": "status", "status": 503}),
        driver.call("POST", "/replies", {"output": []}),
        driver.api.metrics(),
        driver.call("POST", "/populate", {"conversations": 3}),
        driver.api.list(),
        driver.call("GET"),
    ]
    hops = ("date", "duration_ms", "at_ms")
    headers = [{name: value for name, value in answer.headers.items() if name not in hops} for answer in answers]
    return [*(answer.content for answer in answers), *headers]


def spoil(driver: AppDriver) -> None:
    """Leave behind whatever an app can have."""
    driver.set(stream=True, keys=["sk_test_spec"], agent={"name": "Zoé"}, rate_limit={"per_minute": 5})
    driver.freeze(1_000)
    driver.fault("reset", times=None)
    driver.reply({"type": "message", "text": "Hi"}, times=None)
    driver.call("POST", "/populate", {"conversations": 5})


@pytest.mark.parametrize("spoiled", [False, True])
def test_a_deleted_app_starts_afresh_byte_for_byte(driver: AppDriver, spoiled: bool) -> None:
    first = life(driver)
    if spoiled:
        spoil(driver)
    assert driver.call("DELETE").status_code == 204
    assert driver.counts == NOTHING
    assert driver.requests() == []
    assert driver.app_id not in known(driver.client)
    assert life(driver) == first


def test_deleting_leaves_every_other_app_alone(driver: AppDriver) -> None:
    beside = AppDriver(driver.client, f"{driver.app_id}.beside")
    life(beside)
    before = (beside.shown, beside.faults, beside.replies, beside.requests())
    life(driver)
    driver.call("DELETE")
    assert (beside.shown, beside.faults, beside.replies, beside.requests()) == before


def test_what_was_never_there_can_be_deleted(driver: AppDriver) -> None:
    assert driver.call("DELETE").status_code == 204
    assert driver.call("DELETE").content == b""


def test_an_open_stream_of_a_deleted_app_fails(driver: AppDriver) -> None:
    driver.set(pace={"delta_ms": 600_000})
    with driver.open_stream() as stream:
        stream.read_until(b"response.created")
        driver.call("DELETE")
        raw = stream.read_to_end()
    assert raw.is_complete
    assert [event.name for event in raw.events] == ["response.created", "response.failed"]
    assert driver.counts["messages"] == 0


def test_nothing_of_an_open_stream_is_left_in_the_journal(driver: AppDriver) -> None:
    """The stream ends after its app is forgotten; its entry must not come back under an id that is given again."""
    driver.set(pace={"delta_ms": 600_000})
    with driver.open_stream() as stream:
        stream.read_until(b"response.created")
        driver.call("DELETE")
        stream.read_to_end()
    assert driver.requests() == []
    again = [driver.api.create(), driver.api.complete("Hello")]
    ids = [entry["id"] for entry in driver.requests()]
    assert ids == [answer.headers["sandbox-request-id"] for answer in again[::-1]]
    assert driver.client.delete(REQUESTS, params={"app_id": driver.app_id}).status_code == 204


@pytest.mark.parametrize("stream", [False, True])
def test_a_waiting_answer_of_a_deleted_app_is_an_error(driver: AppDriver, stream: bool) -> None:
    driver.set(pace={"first_ms": 600_000})
    conversation = driver.api.created()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(driver.api.send, conversation, "Hello", stream=stream)
        while driver.counts["messages"] == 0:
            pass
        driver.call("DELETE")
        assert_error(waiting.result(), 404, "not_found", param="app_id")


# Reset


def test_a_reset_forgets_every_app(make_driver: MakeDriver) -> None:
    driver = make_driver(apps={"app_declared": {"stream": True}})
    declared, demo = (AppDriver(driver.client, app_id) for app_id in ("app_declared", "app_demo"))
    before = [each.shown["settings"] for each in (driver, declared, demo)]
    for each in (driver, declared, demo):
        spoil(each)
    assert driver.client.post("/_sandbox/reset").status_code == 204
    assert known(driver.client) == ["app_declared", "app_demo"]
    assert [each.shown["settings"] for each in (driver, declared, demo)] == before
    assert driver.client.get(REQUESTS).json()["data"] == []
    for each in (driver, declared, demo):
        assert (each.faults, each.replies) == ([], [])


@pytest.mark.parametrize("queue", ["faults", "replies"])
def test_a_reset_forgets_what_was_queued_for_an_app_that_did_nothing(make_driver: MakeDriver, queue: str) -> None:
    driver = make_driver()
    driver.fault("reset")
    driver.reply()
    driver.client.post("/_sandbox/reset")
    assert getattr(driver, queue) == []


def test_after_a_reset_the_demo_is_as_after_start(make_driver: MakeDriver) -> None:
    demo = make_driver("app_demo")
    before = demo.api.list(limit=100).json()
    assert len(before["data"]) > 20
    demo.api.create(title="mine")
    demo.call("POST", "/populate", {"conversations": 3})
    demo.client.post("/_sandbox/reset")
    assert demo.api.list(limit=100).json() == before


def test_a_deleted_demo_is_as_after_start(make_driver: MakeDriver) -> None:
    demo = make_driver("app_demo")
    before = demo.api.list().json()
    demo.api.delete(before["first_id"])
    demo.call("DELETE")
    assert demo.api.list().json() == before
