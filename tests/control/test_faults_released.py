"""Faults that hold a request until they are released."""

from __future__ import annotations

import pytest

from tests.api.wire import asking
from tests.conftest import Server
from tests.control.driver import World
from tests.control.raw import config_of
from tests.envelope import assert_error
from tests.server.sockets import line
from tests.sse import read

STREAM = {"message": {"content": "[[echo]] one two three"}, "stream": True}


def test_a_stream_is_held_until_it_is_released(world: World, server: Server) -> None:
    fault = world.fault("stream_stall", until="released", events=2)
    with asking(server.url, world.api.url(world.api.created()), STREAM) as connection:
        connection.until(b'"delta":"one "')
        assert_error(world.call("POST", "/faults/fault_0/release"), 404, "not_found", param="fault_id")
        assert b'"delta":"two "' not in connection.received
        while held_by(world) != fault["id"]:
            pass
        assert release(world, fault) == 204
        assert read(connection.whole().events).status == "completed"
    assert release(world, fault) == 404


@pytest.mark.parametrize("how", ["release", "take out", "take all out"])
def test_an_answer_is_held_until_it_is_released_or_its_fault_taken_out(world: World, server: Server, how: str) -> None:
    fault = world.fault("latency", until="released", times=3)
    with line(server) as one, line(server) as other:
        for each in (one, other):
            each.send(config_of(world))
        while world.faults[0]["used"] < 2:
            pass
        path = {"release": f"/{fault['id']}/release", "take out": f"/{fault['id']}", "take all out": ""}[how]
        assert world.call("POST" if how == "release" else "DELETE", f"/faults{path}").status_code == 204
        assert [each.answer("GET").status_code for each in (one, other)] == [200, 200]
    assert len(world.faults) == (how == "release")


def test_a_used_up_fault_can_still_be_taken_out_while_it_holds(world: World, server: Server) -> None:
    fault = world.fault("latency", until="released")
    with line(server) as wire:
        wire.send(config_of(world))
        while held_by(world) is None:
            pass
        assert (held_by(world), world.faults) == (fault["id"], [])
        assert world.call("DELETE", f"/faults/{fault['id']}").status_code == 204
        assert wire.answer("GET").status_code == 200
    assert held_by(world) is None
    assert world.call("DELETE", f"/faults/{fault['id']}").status_code == 404


def test_a_held_stream_of_an_app_that_is_deleted_fails(world: World, server: Server) -> None:
    world.fault("stream_stall", until="released", events=2)
    with asking(server.url, world.api.url(world.api.created()), STREAM) as connection:
        connection.until(b'"delta":"one "')
        assert world.call("DELETE").status_code == 204
        assert connection.whole().events[-1].name == "response.failed"


@pytest.mark.parametrize(
    ("fields", "param"),
    [({}, "ms"), ({"ms": 1, "until": "released"}, "ms"), ({"until": "noon"}, "until")],
)
def test_it_waits_for_a_time_or_for_a_release(world: World, fields: dict[str, object], param: str) -> None:
    for kind in ("latency", "stream_stall"):
        answer = world.call("POST", "/faults", {"kind": kind, **fields})
        assert_error(answer, 422, "invalid_request_error", param=param)


def test_a_header_has_no_id_to_be_released_by(world: World) -> None:
    headers = {"Sandbox-Fault": "latency; until=released"}
    answer = world.client.get(f"/v1/apps/{world.app_id}/config", headers=headers)
    assert_error(answer, 422, "invalid_request_error", param="until")


def release(world: World, fault: dict[str, object]) -> int:
    return world.call("POST", f"/faults/{fault['id']}/release").status_code


def held_by(world: World) -> object:
    """Which fault holds the app's newest request."""
    rows = world.requests()
    return rows[0]["held_by"] if rows else None
