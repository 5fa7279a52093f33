"""Everything that is kept counts against `--max-bytes`, and what nobody uses is kept nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

import pytest
from httpx2 import Response

from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver
from tests.support.errors import assert_error

pytestmark = pytest.mark.memory

HOOK = {"url": "http://127.0.0.1:9/", "secret": None, "events": ["chat.ended"]}


def about(driver: AppDriver) -> dict[str, object]:
    with ZipFile(BytesIO(driver.call("GET", "/bundle").content)) as bundle:
        return dict(json.loads(bundle.read("bundle.json")))


def test_calls_about_apps_that_do_not_exist_leave_nothing(make_driver: MakeDriver) -> None:
    driver = make_driver(max_bytes=100_000)
    for number in range(300):
        app = f"/_sandbox/apps/app_new_{number}"
        for path in (f"{app}/faults", f"{app}/replies", f"{app}/clock", f"{REQUESTS}?app_id=app_new_{number}", app):
            assert driver.client.delete(path).status_code == 204
    assert driver.api.create().status_code == 200
    assert about(driver)["complete"] is True


def fill(driver: AppDriver, number: int) -> int:
    """Make calls of one kind until no more fits; return how many did."""
    driver = AppDriver(driver.client, f"app_{number}")
    driver.set(webhooks=[HOOK])
    calls: dict[int, Callable[[], Response]] = {
        0: lambda: driver.call("POST", "/faults", {"kind": "status", "status": 418, "body": {"x": "y" * 2_000}}),
        1: lambda: driver.call("POST", "/replies", {"output": [{"type": "message", "text": "y" * 2_000}]}),
        2: lambda: driver.call("POST", "/webhooks/send", {"type": "chat.ended"}),
        3: lambda: driver.set(agent={"name": "y" * 100}),
        4: lambda: driver.api.create(title="y" * 2_000),
    }
    done = 0
    while (answer := calls[number]()).is_success:
        done += 1
        assert done < 1_000, f"no bound on call {number}"
    assert "--max-bytes" in assert_error(answer, 503, "internal_error")["message"]
    return done


def test_each_kind_of_state_is_bounded_and_reset_frees_all_of_it(make_driver: MakeDriver) -> None:
    driver = make_driver(max_bytes=200_000)
    for number in range(5):
        first = fill(driver, number)
        assert first > 10
        assert driver.client.post("/_sandbox/reset").status_code == 204
        assert fill(driver, number) == first
        driver.client.post("/_sandbox/reset")


def test_deleting_an_app_frees_what_it_held(make_driver: MakeDriver) -> None:
    driver = make_driver(max_bytes=200_000)
    for number in range(5):
        first = fill(driver, number)
        assert driver.client.delete(f"/_sandbox/apps/app_{number}").status_code == 204
        assert fill(driver, number) == first
        driver.client.delete(f"/_sandbox/apps/app_{number}")


def test_apps_are_listed_page_by_page(make_driver: MakeDriver) -> None:
    driver = make_driver()
    wanted = sorted(f"app_{number}" for number in range(25))
    for app_id in wanted:
        AppDriver(driver.client, app_id).api.create()
    listed: list[str] = []
    query: dict[str, str | int] = {"limit": 10}
    while True:
        page = driver.client.get("/_sandbox/apps", params=query).json()
        ids = [app["app_id"] for app in page["data"]]
        assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
        listed += ids
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert listed == sorted([*wanted, "app_demo"])


def test_a_page_behind_the_last_app_is_empty(make_driver: MakeDriver) -> None:
    page = make_driver().client.get("/_sandbox/apps", params={"after": "zzz"}).json()
    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_thousands_of_unknown_fields_are_told_of_in_few_warnings(make_driver: MakeDriver) -> None:
    driver = make_driver()
    entry = driver.entry(driver.api.create(**{f"unknown_{number}": 0 for number in range(5_000)}))
    assert len(entry["warnings"]) == 16
    assert all(warning.startswith("unknown field") for warning in entry["warnings"])


def test_a_large_snapshot_is_refused_by_the_place_of_its_fault(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.call("POST", "/populate", {"conversations": 900, "messages": 4})
    snapshot = driver.client.get(f"/_sandbox/apps/{driver.app_id}/snapshot").json()
    assert len(json.dumps(snapshot)) > 1024**2
    snapshot["conversations"][800]["items"][1]["role"] = "robot"
    answer = driver.call("PUT", "/snapshot", snapshot)
    assert_error(answer, 422, "invalid_request_error", param="conversations[800].items[1].role")
    snapshot["conversations"][800]["items"][1]["role"] = "assistant"
    snapshot["clock"] = 1_790_000_000.0
    assert driver.call("PUT", "/snapshot", snapshot).status_code == 200
    assert driver.client.get(f"/_sandbox/apps/{driver.app_id}/snapshot").json() == snapshot


def test_a_stream_whose_reply_no_longer_fits_fails_and_ends(make_driver: MakeDriver) -> None:
    """It has begun: there is no other status to give it."""
    driver = make_driver(max_bytes=5_000)
    path = f"/v1/apps/{driver.app_id}/conversations/{driver.api.created()}"
    body = {"message": {"content": "x" * 5_000}, "stream": True}
    answer = driver.client.post(path, json=body)
    assert answer.status_code == 200
    assert "event: response.failed" in answer.text
    assert "--max-bytes" in answer.text
