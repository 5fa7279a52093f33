"""Which fault acts on which request: the queue, its rules, and the header with which a request asks for its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.calls import Api
from tests.conftest import AUTH
from tests.control.driver import World
from tests.depth import up_to
from tests.envelope import assert_error
from tests.server.requests import GOOD, LIMITED

CONFIG, CREATE, SEND = "apps_api_get_app_config", "apps_api_create_conversation", "apps_api_send_message"
COMPLETE = "apps_api_create_completion"


def statuses(world: World, requests: int) -> list[int]:
    return [world.api.config().status_code for _ in range(requests)]


def test_a_fault_acts_once_and_is_gone(world: World) -> None:
    world.fault("status", status=503)
    assert statuses(world, 2) == [503, 200]
    assert world.faults == []


def test_a_fault_acts_as_often_as_it_says(world: World) -> None:
    world.fault("status", status=503, times=3)
    assert statuses(world, 4) == [503, 503, 503, 200]


def test_a_fault_without_an_end_acts_until_it_is_removed(world: World) -> None:
    fault = world.fault("status", status=503, times=None)
    assert statuses(world, 3) == [503] * 3
    assert world.call("DELETE", f"/faults/{fault['id']}").status_code == 204
    assert statuses(world, 1) == [200]


def test_skip_lets_the_first_ones_pass(world: World) -> None:
    world.fault("status", status=503, skip=2, times=2)
    assert statuses(world, 5) == [200, 200, 503, 503, 200]


def test_skip_counts_matching_requests_alone(world: World) -> None:
    world.fault("status", status=503, skip=1, operation=CONFIG)
    assert world.api.metrics().status_code == 200
    assert statuses(world, 2) == [200, 503]


def test_the_oldest_acts_first(world: World) -> None:
    for status in (500, 502, 503):
        world.fault("status", status=status)
    assert statuses(world, 4) == [500, 502, 503, 200]


def test_while_the_oldest_skips_the_next_one_acts(world: World) -> None:
    world.fault("status", status=500, skip=1)
    world.fault("status", status=502)
    assert statuses(world, 3) == [502, 500, 200]


def test_a_fault_of_one_operation_waits_for_it(world: World) -> None:
    world.fault("status", status=503, operation=CREATE)
    assert statuses(world, 1) == [200]
    assert world.api.create().status_code == 503


def test_a_fault_of_another_app_does_nothing_here(world: World) -> None:
    World(world.client, f"{world.app_id}.beside").fault("status", status=503)
    assert statuses(world, 1) == [200]


def test_a_probability_hits_its_share_by_lots_of_the_seed(world: World) -> None:
    world.fault("status", status=503, probability=0.5, times=None)
    seen = statuses(world, 60)
    assert 15 < seen.count(503) < 45
    world.call("DELETE")
    world.fault("status", status=503, probability=0.5, times=None)
    assert statuses(world, 60) == seen


def test_a_probability_that_misses_uses_nothing(world: World) -> None:
    world.fault("status", status=503, probability=0.3, times=5)
    seen = statuses(world, 200)
    assert seen.count(503) == 5


@pytest.mark.parametrize(("probability", "seen"), [(0, [200, 200]), (1, [503, 503])])
def test_a_probability_of_none_and_of_all(world: World, probability: int, seen: list[int]) -> None:
    world.fault("status", status=503, probability=probability, times=None)
    assert statuses(world, 2) == seen


def test_what_waits_is_listed_oldest_first_with_what_is_left_of_it(world: World) -> None:
    first = world.fault("status", status=503, times=3, skip=1, headers={"Retry-After": "1"})
    second = world.fault("latency", ms=1, times=None)
    assert first["operation"] is None
    statuses(world, 3)  # the second acts on the first request, which the first one lets pass
    assert [fault["id"] for fault in world.faults] == [first["id"], second["id"]]
    left, other = world.faults
    assert (left["times"], left["skip"], left["used"]) == (1, 0, 2)
    assert left["headers"] == {"Retry-After": "1"}
    assert (other["times"], other["used"]) == (None, 1)


def test_all_can_be_removed(world: World) -> None:
    world.fault("reset")
    world.fault("hang")
    assert world.call("DELETE", "/faults").status_code == 204
    assert world.faults == []
    assert world.call("DELETE", "/faults").status_code == 204


def test_one_that_is_gone_cannot_be_removed(world: World) -> None:
    fault = world.fault("status", status=503)
    statuses(world, 1)
    assert_error(world.call("DELETE", f"/faults/{fault['id']}"), 404, "not_found", param="fault_id")


# What uses none up: nothing but a request that matches an operation and has a good key.

ELSEWHERE: dict[str, dict[str, Any]] = {
    "a preflight": {
        "method": "OPTIONS",
        "headers": {"Origin": "http://localhost", "Access-Control-Request-Method": "GET"},
    },
    "another method": {"method": "PUT"},
    "a wrong path": {"path": "/configs"},
    "a trailing slash": {"path": "/config/"},
    "no key": {"headers": {"Authorization": ""}},
    "a bad key": {"headers": {"Authorization": "Bearer sk_test_invalid"}},
    "a foreign host": {"headers": {"Host": "evil.example"}},
}


@pytest.mark.parametrize("case", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_matches_nothing_uses_none_up(world: World, case: dict[str, Any]) -> None:
    world.fault("status", status=418)
    path = f"/v1/apps/{world.app_id}{case.get('path', '/config')}"
    answer = world.client.request(case.get("method", "GET"), path, headers=case.get("headers", {}))
    assert answer.status_code != 418
    assert statuses(world, 1) == [418]


@pytest.mark.parametrize("operation", GOOD)
def test_a_fault_acts_on_every_operation(world: World, operation: str) -> None:
    conversation = world.api.created()
    world.fault("status", status=418, operation=f"apps_api_{operation}")
    assert world.ask(GOOD[operation], conversation).status_code == 418
    assert world.ask(GOOD[operation], conversation).status_code == 200


# Which one can act: a fault of streams waits for a stream, one of JSON bodies for a JSON body.

STREAM_FAULTS = [("stream_cut", {}), ("stream_fail", {}), ("stream_garble", {}), ("stream_stall", {"ms": 0})]


@pytest.mark.parametrize(("kind", "fields"), STREAM_FAULTS)
def test_a_fault_of_streams_waits_for_a_stream(world: World, kind: str, fields: dict[str, int]) -> None:
    conversation = world.api.created()
    world.fault(kind, **fields)
    assert world.api.send(conversation, "Hello").json()["status"] == "completed"
    assert [fault["kind"] for fault in world.faults] == [kind]


@pytest.mark.parametrize("kind", ["truncate", "contract"])
def test_a_fault_of_json_waits_for_json(world: World, kind: str) -> None:
    conversation = world.api.created()
    world.fault(kind, operation=SEND)
    assert world.api.stream(conversation, "Hello")[-1].name == "response.completed"
    assert [fault["kind"] for fault in world.faults] == [kind]


def test_the_apps_default_decides_what_is_a_stream(world: World) -> None:
    world.set(stream=True)
    conversation = world.api.created()
    world.fault("stream_fail", operation=SEND)
    assert "response.failed" in world.api.send(conversation, "Hello").text
    assert world.faults == []


def test_a_completion_streams_when_it_says_so_alone(world: World) -> None:
    """The app's default is for messages; a completion that doesn't ask is JSON (clause 6.1)."""
    world.set(stream=True)
    world.fault("stream_fail", operation=COMPLETE)
    world.fault("contract", operation=COMPLETE, path="text")
    assert not isinstance(world.api.complete("Hello").json().get("text"), str)
    assert [fault["kind"] for fault in world.faults] == ["stream_fail"]


# Rate limits

NO_WORK = {
    "status": {"status": 503},
    "malformed": {},
    "wrong_type": {},
    "hang": {"ms": 0},
    "reset": {},
}
WORK = {"after": {"status": 503}, "latency": {"ms": 0}, "truncate": {}, "contract": {}}


@pytest.mark.parametrize("operation", LIMITED)
@pytest.mark.parametrize(("kind", "counts"), [*((k, False) for k in NO_WORK), *((k, True) for k in WORK)])
def test_what_does_no_work_counts_in_no_limit(world: World, operation: str, kind: str, counts: bool) -> None:
    world.set(rate_limit={"per_minute": 1})
    world.fault(kind, operation=f"apps_api_{operation}", **{**NO_WORK, **WORK}[kind])
    conversation = world.api.created()
    try:
        world.ask(LIMITED[operation], conversation)
    except httpx2.RemoteProtocolError:
        assert kind in ("truncate", "hang")
    except (httpx2.ReadError, httpx2.WriteError):
        assert kind == "reset"
    assert world.ask(LIMITED[operation], conversation).status_code == (429 if counts else 200)


def test_a_fault_acts_before_the_limit_is_looked_at(world: World) -> None:
    world.set(rate_limit={"per_minute": 0})
    world.fault("status", status=503)
    assert world.api.complete("Hello").status_code == 503
    assert world.api.complete("Hello").status_code == 429


# The header


def asking(world: World, header: str, method: str = "GET", path: str = "/config", **more: Any) -> httpx2.Response:
    return world.client.request(
        method, f"/v1/apps/{world.app_id}{path}", headers={"Sandbox-Fault": header, **AUTH}, **more
    )


# Each row: how the header may be written, and the status that it asks for.
SPELLINGS = [
    ("status; status=418", 418),
    ("status;status=418", 418),
    ("status ;  status = 418", 418),
    ('status; status=418; headers={"X-A": "b"}', 418),
    ("wrong_type", 502),
    ("malformed; status=502", 502),
]


@pytest.mark.parametrize(("header", "status"), SPELLINGS)
def test_a_request_can_ask_for_a_fault_of_its_own(world: World, header: str, status: int) -> None:
    assert asking(world, header).status_code == status


def test_a_header_can_hold_a_body_with_semicolons(world: World) -> None:
    answer = asking(world, 'status; status=502; body={"detail": "a; b=c"}')
    assert (answer.status_code, answer.json()) == (502, {"detail": "a; b=c"})


def test_a_header_uses_none_of_the_queue(world: World) -> None:
    world.fault("status", status=503)
    assert asking(world, "status; status=418").status_code == 418
    assert statuses(world, 2) == [503, 200]


def test_a_header_needs_a_good_key(world: World) -> None:
    path = f"/v1/apps/{world.app_id}/config"
    headers = {"Sandbox-Fault": "status; status=418", "Authorization": "Bearer pk_test_a"}
    assert world.client.get(path, headers=headers).status_code == 401


# Each row: a header that asks for nothing that there is, and the place that is named.
NONSENSE = [
    ("", "kind"),
    ("explode", "kind"),
    ("status", "status"),
    ("status; status=lots", "status"),
    ("status; status=600", "status"),
    ("latency", "ms"),
    ("latency; ms=600001", "ms"),
    ("latency; ms=-1", "ms"),
    ("reset; ms=5", "ms"),
    ("reset; nonsense=5", "nonsense"),
    ('status; status=500; headers={"Content-Length": "1"}', "headers"),
    ("status; status", None),
    (r'status; status=500; body="\ud800"', "body"),
    (r'status; status=500; body={"\udfff": 1}', "body"),
    ("status; status=500; body=" + "[" * 100 + "]" * 100, "body"),
    ("status; status=500; body=" + "[" * 20_000 + "]" * 20_000, "body"),
    ("status; status=99999999999999999999", "status"),
    ("status; status=" + "9" * 5_000, "status"),
    ("latency; ms=1e999", "ms"),
    ("latency; ms=NaN", "ms"),
    ("latency; ms=-Infinity", "ms"),
]


@pytest.mark.parametrize(("header", "param"), NONSENSE)
def test_a_wrong_header_is_refused_by_place(world: World, header: str, param: str | None) -> None:
    error = assert_error(asking(world, header), 422, "invalid_request_error", param=param)
    assert error["message"].startswith("Sandbox-Fault: ")


VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.sampled_from('";={}[]\\,:u0e9'))


@settings(max_examples=up_to(1_000, here=100))
@given(VALUES)
def test_no_value_in_a_header_breaks_it(sandbox: httpx2.Client, value: str) -> None:
    headers = {b"Sandbox-Fault": f"status; status=418; body={value}".strip(" ").encode("latin-1")}
    assert sandbox.get("/v1/apps/app_odd_headers/config", headers=headers).status_code in (418, 422)


@pytest.mark.parametrize("header", ["contract", "truncate; bytes=3"])
def test_a_header_that_cannot_act_on_a_stream_leaves_it_whole(world: World, header: str) -> None:
    conversation = world.api.created()
    body = {"message": {"content": "Hello"}, "stream": True}
    answer = asking(world, header, "POST", f"/conversations/{conversation}", json=body)
    assert answer.status_code == 200
    assert "event: response.completed" in answer.text
    assert world.entry(answer)["fault"] is None


def test_a_header_that_cannot_act_on_json_leaves_it_whole(world: World) -> None:
    answer = asking(world, "stream_cut")
    assert answer.json()["app_id"] == world.app_id
    assert world.entry(answer)["fault"] is None


def test_a_header_for_another_operation_does_not_act(world: World) -> None:
    assert asking(world, f"status; status=418; operation={SEND}").status_code == 200


# In parallel


@pytest.mark.parametrize("stream", [False, True])
def test_faults_are_counted_exactly_once_under_parallel_load(world: World, stream: bool) -> None:
    world.fault("status", status=503, times=20)
    world.fault("status", status=502, times=15, skip=10)
    fault = world.fault("latency", ms=1, times=None)

    def ask(_: int) -> int:
        return int(Api(world.client, world.app_id).complete("Hello", stream=stream).status_code)

    with ThreadPoolExecutor(16) as pool:
        seen = Counter(pool.map(ask, range(120)))
    assert seen == {503: 20, 502: 15, 200: 85}
    assert [(left["id"], left["used"]) for left in world.faults] == [(fault["id"], 85)]
