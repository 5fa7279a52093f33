"""Which fault acts on which request: the queue, its rules, and the header with which a request asks for its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api import Api
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH
from tests.support.errors import assert_error
from tests.support.request_spec import GOOD, LIMITED
from tests.support.requirements import examples

CONFIG, CREATE, SEND = "apps_api_get_app_config", "apps_api_create_conversation", "apps_api_send_message"
COMPLETE = "apps_api_create_completion"


def statuses(driver: AppDriver, requests: int) -> list[int]:
    return [driver.api.config().status_code for _ in range(requests)]


def test_a_fault_acts_once_and_is_gone(driver: AppDriver) -> None:
    driver.fault("status", status=503)
    assert statuses(driver, 2) == [503, 200]
    assert driver.faults == []


def test_a_fault_acts_as_often_as_it_says(driver: AppDriver) -> None:
    driver.fault("status", status=503, times=3)
    assert statuses(driver, 4) == [503, 503, 503, 200]


def test_a_fault_without_an_end_acts_until_it_is_removed(driver: AppDriver) -> None:
    fault = driver.fault("status", status=503, times=None)
    assert statuses(driver, 3) == [503] * 3
    assert driver.call("DELETE", f"/faults/{fault['id']}").status_code == 204
    assert statuses(driver, 1) == [200]


def test_skip_lets_the_first_ones_pass(driver: AppDriver) -> None:
    driver.fault("status", status=503, skip=2, times=2)
    assert statuses(driver, 5) == [200, 200, 503, 503, 200]


def test_skip_counts_matching_requests_alone(driver: AppDriver) -> None:
    driver.fault("status", status=503, skip=1, operation=CONFIG)
    assert driver.api.metrics().status_code == 200
    assert statuses(driver, 2) == [200, 503]


def test_the_oldest_acts_first(driver: AppDriver) -> None:
    for status in (500, 502, 503):
        driver.fault("status", status=status)
    assert statuses(driver, 4) == [500, 502, 503, 200]


def test_while_the_oldest_skips_the_next_one_acts(driver: AppDriver) -> None:
    driver.fault("status", status=500, skip=1)
    driver.fault("status", status=502)
    assert statuses(driver, 3) == [502, 500, 200]


def test_a_fault_of_one_operation_waits_for_it(driver: AppDriver) -> None:
    driver.fault("status", status=503, operation=CREATE)
    assert statuses(driver, 1) == [200]
    assert driver.api.create().status_code == 503


def test_a_fault_of_another_app_does_nothing_here(driver: AppDriver) -> None:
    AppDriver(driver.client, f"{driver.app_id}.beside").fault("status", status=503)
    assert statuses(driver, 1) == [200]


def test_a_probability_hits_its_share_by_lots_of_the_seed(driver: AppDriver) -> None:
    driver.fault("status", status=503, probability=0.5, times=None)
    seen = statuses(driver, 60)
    assert 15 < seen.count(503) < 45
    driver.call("DELETE")
    driver.fault("status", status=503, probability=0.5, times=None)
    assert statuses(driver, 60) == seen


def test_a_probability_that_misses_uses_nothing(driver: AppDriver) -> None:
    driver.fault("status", status=503, probability=0.3, times=5)
    seen = statuses(driver, 200)
    assert seen.count(503) == 5


@pytest.mark.parametrize(("probability", "seen"), [(0, [200, 200]), (1, [503, 503])])
def test_a_probability_of_none_and_of_all(driver: AppDriver, probability: int, seen: list[int]) -> None:
    driver.fault("status", status=503, probability=probability, times=None)
    assert statuses(driver, 2) == seen


def test_what_waits_is_listed_oldest_first_with_what_is_left_of_it(driver: AppDriver) -> None:
    first = driver.fault("status", status=503, times=3, skip=1, headers={"Retry-After": "1"})
    second = driver.fault("latency", ms=1, times=None)
    assert first["operation"] is None
    statuses(driver, 3)  # the second acts on the first request, which the first one lets pass
    assert [fault["id"] for fault in driver.faults] == [first["id"], second["id"]]
    left, other = driver.faults
    assert (left["times"], left["skip"], left["used"]) == (1, 0, 2)
    assert left["headers"] == {"Retry-After": "1"}
    assert (other["times"], other["used"]) == (None, 1)


def test_all_can_be_removed(driver: AppDriver) -> None:
    driver.fault("reset")
    driver.fault("hang")
    assert driver.call("DELETE", "/faults").status_code == 204
    assert driver.faults == []
    assert driver.call("DELETE", "/faults").status_code == 204


def test_one_that_is_gone_cannot_be_removed(driver: AppDriver) -> None:
    fault = driver.fault("status", status=503)
    statuses(driver, 1)
    assert_error(driver.call("DELETE", f"/faults/{fault['id']}"), 404, "not_found", param="fault_id")


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
def test_what_matches_nothing_uses_none_up(driver: AppDriver, case: dict[str, Any]) -> None:
    driver.fault("status", status=418)
    path = f"/v1/apps/{driver.app_id}{case.get('path', '/config')}"
    answer = driver.client.request(case.get("method", "GET"), path, headers=case.get("headers", {}))
    assert answer.status_code != 418
    assert statuses(driver, 1) == [418]


@pytest.mark.parametrize("operation", GOOD)
def test_a_fault_acts_on_every_operation(driver: AppDriver, operation: str) -> None:
    conversation = driver.api.created()
    driver.fault("status", status=418, operation=f"apps_api_{operation}")
    assert driver.ask(GOOD[operation], conversation).status_code == 418
    assert driver.ask(GOOD[operation], conversation).status_code == 200


# Which one can act: a fault of streams waits for a stream, one of JSON bodies for a JSON body.

STREAM_FAULTS = [("stream_cut", {}), ("stream_fail", {}), ("stream_garble", {}), ("stream_stall", {"ms": 0})]


@pytest.mark.parametrize(("kind", "fields"), STREAM_FAULTS)
def test_a_fault_of_streams_waits_for_a_stream(driver: AppDriver, kind: str, fields: dict[str, int]) -> None:
    conversation = driver.api.created()
    driver.fault(kind, **fields)
    assert driver.api.send(conversation, "Hello").json()["status"] == "completed"
    assert [fault["kind"] for fault in driver.faults] == [kind]


@pytest.mark.parametrize("kind", ["truncate", "contract"])
def test_a_fault_of_json_waits_for_json(driver: AppDriver, kind: str) -> None:
    conversation = driver.api.created()
    driver.fault(kind, operation=SEND)
    assert driver.api.stream(conversation, "Hello")[-1].name == "response.completed"
    assert [fault["kind"] for fault in driver.faults] == [kind]


def test_the_apps_default_decides_what_is_a_stream(driver: AppDriver) -> None:
    driver.set(stream=True)
    conversation = driver.api.created()
    driver.fault("stream_fail", operation=SEND)
    assert "response.failed" in driver.api.send(conversation, "Hello").text
    assert driver.faults == []


def test_a_completion_streams_when_it_says_so_alone(driver: AppDriver) -> None:
    """The app's default is for messages; a completion that doesn't ask is JSON (clause 6.1)."""
    driver.set(stream=True)
    driver.fault("stream_fail", operation=COMPLETE)
    driver.fault("contract", operation=COMPLETE, path="text")
    assert not isinstance(driver.api.complete("Hello").json().get("text"), str)
    assert [fault["kind"] for fault in driver.faults] == ["stream_fail"]


# Rate limits

NO_WORK = {"status": {"status": 503}, "malformed": {}, "wrong_type": {}, "hang": {"ms": 0}, "reset": {}}
WORK = {"after": {"status": 503}, "latency": {"ms": 0}, "truncate": {}, "contract": {}}


@pytest.mark.parametrize("operation", LIMITED)
@pytest.mark.parametrize(("kind", "counts"), [*((k, False) for k in NO_WORK), *((k, True) for k in WORK)])
def test_what_does_no_work_counts_in_no_limit(driver: AppDriver, operation: str, kind: str, counts: bool) -> None:
    driver.set(rate_limit={"per_minute": 1})
    driver.fault(kind, operation=f"apps_api_{operation}", **{**NO_WORK, **WORK}[kind])
    conversation = driver.api.created()
    try:
        driver.ask(LIMITED[operation], conversation)
    except httpx2.RemoteProtocolError:
        assert kind in ("truncate", "hang")
    except (httpx2.ReadError, httpx2.WriteError):
        assert kind == "reset"
    assert driver.ask(LIMITED[operation], conversation).status_code == (429 if counts else 200)


def test_a_fault_acts_before_the_limit_is_looked_at(driver: AppDriver) -> None:
    driver.set(rate_limit={"per_minute": 0})
    driver.fault("status", status=503)
    assert driver.api.complete("Hello").status_code == 503
    assert driver.api.complete("Hello").status_code == 429


# The header


def asking(driver: AppDriver, header: str, method: str = "GET", path: str = "/config", **more: Any) -> httpx2.Response:
    return driver.client.request(
        method, f"/v1/apps/{driver.app_id}{path}", headers={"Sandbox-Fault": header, **AUTH}, **more
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
def test_a_request_can_ask_for_a_fault_of_its_own(driver: AppDriver, header: str, status: int) -> None:
    assert asking(driver, header).status_code == status


def test_a_header_can_hold_a_body_with_semicolons(driver: AppDriver) -> None:
    answer = asking(driver, 'status; status=502; body={"detail": "a; b=c"}')
    assert (answer.status_code, answer.json()) == (502, {"detail": "a; b=c"})


def test_a_header_uses_none_of_the_queue(driver: AppDriver) -> None:
    driver.fault("status", status=503)
    assert asking(driver, "status; status=418").status_code == 418
    assert statuses(driver, 2) == [503, 200]


def test_a_header_needs_a_good_key(driver: AppDriver) -> None:
    path = f"/v1/apps/{driver.app_id}/config"
    headers = {"Sandbox-Fault": "status; status=418", "Authorization": "Bearer pk_test_a"}
    assert driver.client.get(path, headers=headers).status_code == 401


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
def test_a_wrong_header_is_refused_by_place(driver: AppDriver, header: str, param: str | None) -> None:
    error = assert_error(asking(driver, header), 422, "invalid_request_error", param=param)
    assert error["message"].startswith("Sandbox-Fault: ")


VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.sampled_from('";={}[]\\,:u0e9'))


@settings(max_examples=examples(1_000, quick=100))
@given(VALUES)
def test_no_value_in_a_header_breaks_it(sandbox: httpx2.Client, value: str) -> None:
    headers = {b"Sandbox-Fault": f"status; status=418; body={value}".strip(" ").encode("latin-1")}
    assert sandbox.get("/v1/apps/app_odd_headers/config", headers=headers).status_code in (418, 422)


@pytest.mark.parametrize("header", ["contract", "truncate; bytes=3"])
def test_a_header_that_cannot_act_on_a_stream_leaves_it_whole(driver: AppDriver, header: str) -> None:
    conversation = driver.api.created()
    body = {"message": {"content": "Hello"}, "stream": True}
    answer = asking(driver, header, "POST", f"/conversations/{conversation}", json=body)
    assert answer.status_code == 200
    assert "event: response.completed" in answer.text
    assert driver.entry(answer)["fault"] is None


def test_a_header_that_cannot_act_on_json_leaves_it_whole(driver: AppDriver) -> None:
    answer = asking(driver, "stream_cut")
    assert answer.json()["app_id"] == driver.app_id
    assert driver.entry(answer)["fault"] is None


def test_a_header_for_another_operation_does_not_act(driver: AppDriver) -> None:
    assert asking(driver, f"status; status=418; operation={SEND}").status_code == 200


# In parallel


@pytest.mark.parametrize("stream", [False, True])
def test_faults_are_counted_exactly_once_under_parallel_load(driver: AppDriver, stream: bool) -> None:
    driver.fault("status", status=503, times=20)
    driver.fault("status", status=502, times=15, skip=10)
    fault = driver.fault("latency", ms=1, times=None)

    def ask(_: int) -> int:
        return int(Api(driver.client, driver.app_id).complete("Hello", stream=stream).status_code)

    with ThreadPoolExecutor(16) as pool:
        seen = Counter(pool.map(ask, range(120)))
    assert seen == {503: 20, 502: 15, 200: 85}
    assert [(left["id"], left["used"]) for left in driver.faults] == [(fault["id"], 85)]
