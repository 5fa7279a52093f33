"""Faults that hold a request until they are released."""

from __future__ import annotations

import pytest

from tests.support.app_driver import AppDriver, config_of
from tests.support.errors import assert_error
from tests.support.processes import Server
from tests.support.raw_connection import open_connection
from tests.support.sse import read

TEXT = "[[echo]] one two three"


def test_a_stream_is_held_until_it_is_released(driver: AppDriver) -> None:
    fault = driver.fault("stream_stall", until="released", events=2)
    with driver.open_stream(TEXT) as connection:
        connection.read_until(b'"delta":"one "')
        assert_error(driver.call("POST", "/faults/fault_0/release"), 404, "not_found", param="fault_id")
        assert b'"delta":"two "' not in connection.received
        while held_by(driver) != fault["id"]:
            pass
        assert release(driver, fault) == 204
        assert read(connection.read_to_end().events).status == "completed"
    assert release(driver, fault) == 404


@pytest.mark.parametrize("how", ["release", "take out", "take all out"])
def test_an_answer_is_held_until_it_is_released_or_its_fault_taken_out(
    driver: AppDriver, server: Server, how: str
) -> None:
    fault = driver.fault("latency", until="released", times=3)
    with open_connection(server.url) as one, open_connection(server.url) as other:
        for each in (one, other):
            each.send(config_of(driver))
        while driver.faults[0]["used"] < 2:
            pass
        path = {"release": f"/{fault['id']}/release", "take out": f"/{fault['id']}", "take all out": ""}[how]
        assert driver.call("POST" if how == "release" else "DELETE", f"/faults{path}").status_code == 204
        assert [each.answer("GET").status_code for each in (one, other)] == [200, 200]
    assert len(driver.faults) == (how == "release")


def test_a_used_up_fault_can_still_be_taken_out_while_it_holds(driver: AppDriver, server: Server) -> None:
    fault = driver.fault("latency", until="released")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        while held_by(driver) is None:
            pass
        assert (held_by(driver), driver.faults) == (fault["id"], [])
        assert driver.call("DELETE", f"/faults/{fault['id']}").status_code == 204
        assert wire.answer("GET").status_code == 200
    assert held_by(driver) is None
    assert driver.call("DELETE", f"/faults/{fault['id']}").status_code == 404


def test_a_held_stream_of_an_app_that_is_deleted_fails(driver: AppDriver) -> None:
    driver.fault("stream_stall", until="released", events=2)
    with driver.open_stream(TEXT) as connection:
        connection.read_until(b'"delta":"one "')
        assert driver.call("DELETE").status_code == 204
        assert connection.read_to_end().events[-1].name == "response.failed"


@pytest.mark.parametrize(
    ("fields", "param"), [({}, "ms"), ({"ms": 1, "until": "released"}, "ms"), ({"until": "noon"}, "until")]
)
def test_it_waits_for_a_time_or_for_a_release(driver: AppDriver, fields: dict[str, object], param: str) -> None:
    for kind in ("latency", "stream_stall"):
        answer = driver.call("POST", "/faults", {"kind": kind, **fields})
        assert_error(answer, 422, "invalid_request_error", param=param)


def test_a_header_has_no_id_to_be_released_by(driver: AppDriver) -> None:
    headers = {"Sandbox-Fault": "latency; until=released"}
    answer = driver.client.get(f"/v1/apps/{driver.app_id}/config", headers=headers)
    assert_error(answer, 422, "invalid_request_error", param="until")


def release(driver: AppDriver, fault: dict[str, object]) -> int:
    return driver.call("POST", f"/faults/{fault['id']}/release").status_code


def held_by(driver: AppDriver) -> object:
    """Which fault holds the app's newest request."""
    rows = driver.requests()
    return rows[0]["held_by"] if rows else None
