"""Counters for Prometheus: what is counted, under which labels, and by whom it may be read."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx2
import pytest

from sandbox import SettingsError, create_app
from sandbox.server import request_checks
from sandbox.settings import Settings
from tests.conftest import MakeClient
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of
from tests.support.webhook_receiver import receive_webhooks

METRICS = "/_sandbox/metrics"
LIST, SEND = "apps_api_list_conversations", "apps_api_send_message"

pytest.importorskip("prometheus_client")

# Each server counts what it was asked itself.
pytestmark = pytest.mark.one_process


@pytest.fixture
def driver(make_client: MakeClient) -> AppDriver:
    return AppDriver(make_client(metrics=True), "app_counted")


def counted(client: httpx2.Client) -> Mapping[str, float]:
    """Return every value by its name, without our prefix, and its labels."""
    answer = client.get(METRICS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name.removeprefix("dimedove_sandbox_"): float(value) for name, _, value in lines}


def test_requests_are_counted_by_operation_and_status(driver: AppDriver) -> None:
    driver.api.list()
    driver.api.list(limit=0)
    driver.client.get("/nowhere")
    values = counted(driver.client)
    assert values[f'requests_total{{operation="{LIST}",status="200"}}'] == 1
    assert values[f'requests_total{{operation="{LIST}",status="422"}}'] == 1
    assert values['requests_total{operation="none",status="404"}'] == 1
    assert values[f'request_duration_seconds_count{{operation="{LIST}"}}'] == 2
    assert values[f'first_byte_seconds_count{{operation="{LIST}"}}'] == 2
    assert values['contract_violations_total{side="client"}'] == 1
    assert values['contract_violations_total{side="sandbox"}'] == 0


def test_streams_are_counted_by_their_events(driver: AppDriver) -> None:
    driver.api.send(driver.api.created(), "[[echo]] a b", stream=True)
    driver.api.send(driver.api.created(), "[[fail]]", stream=True)
    values = counted(driver.client)
    assert values['stream_events_total{type="response.created"}'] == 2
    assert values['stream_events_total{type="response.completed"}'] == 1
    assert values['stream_events_total{type="response.failed"}'] == 1
    assert values["open_streams"] == 0


def test_faults_and_limits_are_told_apart(driver: AppDriver) -> None:
    driver.fault("status", status=429)
    driver.api.complete("Hello")
    driver.set(rate_limit={"per_minute": 1})
    for _ in range(3):
        driver.api.complete("Hello")
    values = counted(driver.client)
    assert values['faults_total{kind="status"}'] == 1
    assert values['rate_limited_total{operation="apps_api_create_completion"}'] == 2


def test_what_breaks_the_contract_is_counted_as_ours(driver: AppDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_checks, "summarize", lambda _: "made up")
    monkeypatch.setattr(
        "sandbox.server.pipeline.request_checks.validate_response",
        lambda _, __, what: (_ for _ in ()).throw(request_checks._broken_contract([], what)),
    )
    assert driver.api.list().status_code == 500
    assert counted(driver.client)['contract_violations_total{side="sandbox"}'] == 1


def test_webhooks_are_counted_by_how_they_ended(make_client: MakeClient) -> None:
    with receive_webhooks() as receiver:
        driver = AppDriver(make_client(metrics=True), "app_counted")
        driver.set(webhooks=[receiver.hook("chat.ended", url="http://192.0.2.1/")])
        driver.call("POST", "/webhooks/send", {"type": "chat.ended"})
        while 'webhook_deliveries_total{outcome="refused"}' not in counted(driver.client):
            pass


def test_no_label_has_more_values_than_the_contract(driver: AppDriver) -> None:
    for number in range(20):
        driver.client.get(f"/v1/apps/app_{number}/conversations/{number}?x={number}")
        driver.client.request(f"X{number}", f"/{number}")
    text = driver.client.get(METRICS).text
    assert set(re.findall(r'(\w+)="', text)) == {"operation", "status", "le", "side", "version", "store"}
    assert "app_1" not in text
    assert "X1" not in text


def test_a_server_that_counts_nothing_says_how_to(make_client: MakeClient) -> None:
    error = assert_error(make_client().get(METRICS), 404, "not_found")
    assert "serve --metrics" in error["message"]


def test_the_token_guards_it() -> None:
    client = client_of(create_app(Settings(now=NOW, metrics=True, control_token="a-token")))
    assert client.get(METRICS).status_code == 401
    assert client.get(METRICS, headers={"Authorization": "Bearer a-token"}).status_code == 200


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    with pytest.raises(SettingsError, match=r"dimedove-sandbox\[metrics\]"):
        create_app(Settings(metrics=True))
