"""Whole numbers spelled as fractions, from the door to what they do; other numbers come back as they were sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.contract import Operation, load
from sandbox.contract.document import control_folder
from tests.conftest import MakeClient
from tests.contract.spellings import respelled
from tests.control.test_webhooks import receiver  # noqa: F401 - a fixture
from tests.support.app_driver import AppDriver
from tests.support.webhook_receiver import Receiver

CONTROL = load(control_folder())
# Numbers of free form, spelled as no library would spell them.
FREE = '{"n":[1.0,2e0,1E2,2.50,-0,123456789012345678901234567890]}'


def raw(driver: AppDriver, method: str, path: str, body: bytes | str) -> Any:
    """Make a control call of an app with a body that is written already."""
    headers = {"Content-Type": "application/json"}
    return driver.client.request(method, f"/_sandbox/apps/{driver.app_id}{path}", content=body, headers=headers)


@pytest.mark.parametrize("operation", [op for op in CONTROL.operations if op.body], ids=lambda operation: operation.id)
def test_the_spelling_of_an_integer_changes_no_answer(driver: AppDriver, operation: Operation) -> None:
    assert operation.body is not None
    schema = CONTROL.bundle["paths"][operation.path.removeprefix("/_sandbox")][operation.method.lower()]["requestBody"]
    title = schema["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    path = operation.path.partition("{app_id}")[2]
    for example in CONTROL.bundle["components"]["schemas"][title]["examples"]:
        sent, kept = respelled(operation.body, example, "{}.0")
        answers = []
        for body in (kept, sent):
            driver.call("DELETE")
            answers.append(raw(driver, operation.method, path, body))
        assert (answers[0].status_code, answers[0].text) == (answers[1].status_code, answers[1].text)
        assert answers[0].status_code < 500


def test_a_rate_limit_of_one_point_zero_asks_for_whole_seconds(make_client: MakeClient) -> None:
    client = make_client(apps={"app_spec": {"rate_limit": {"per_minute": 1.0}}})
    driver = AppDriver(client, "app_spec")
    driver.freeze(1_800_000_000)
    raw(driver, "POST", "/clock/advance", '{"seconds": 30.0}')
    assert driver.api.complete("Hello").json()["created_at"] == 1_800_000_030
    assert driver.api.complete("Hello").headers["retry-after"] == "60"


@pytest.mark.parametrize("header", ["stream_cut; events=2.0", "stream_cut; events=2e0", "stream_cut;events=2"])
def test_a_fault_of_the_header_counts_events_in_any_spelling(driver: AppDriver, header: str) -> None:
    url = driver.api.url(driver.api.created())
    with pytest.raises(Exception, match="incomplete"):
        driver.client.post(
            url, json={"message": {"content": "Hello"}, "stream": True}, headers={"Sandbox-Fault": header}
        )
    [event, *_], status = driver.requests()[0]["response"], driver.requests()[0]["status"]
    assert (status, event["event"], len(driver.requests()[0]["response"])) == (200, "response.created", 2)


def test_what_a_script_says_keeps_its_numbers(driver: AppDriver) -> None:
    item = f'{{"type":"function_call","name":"pay","arguments":{FREE}}}'
    patch = f'{{"type":"data_spec","patch":{{"op":"add","path":"/root","value":{FREE}}}}}'
    driver.set(generative_ui=True)
    assert FREE in raw(driver, "POST", "/replies", f'{{"times":2.0,"output":[{item},{patch}]}}').text
    conversation = driver.api.created()
    said = driver.api.send(conversation, "Hello", stream=False).text
    assert json.dumps(FREE)[1:-1] in said
    assert f'"value":{FREE}' in said
    driver.set(framing="multiline")
    assert "123456789012345678901234567890\n" in driver.api.send(conversation, "Hello", stream=True).text


def test_what_an_app_is_set_to_keeps_its_numbers(driver: AppDriver) -> None:
    tool = f'{{"name":"pay","kind":"mapping","when":["pay"],"arguments":{FREE}}}'
    assert FREE in raw(driver, "PATCH", "", f'{{"tools":[{tool}],"pace":{{"first_ms":0.0}}}}').text
    taken = raw(driver, "GET", "/snapshot", "").text
    assert raw(driver, "PUT", "/snapshot", taken).status_code == 200
    assert FREE in raw(driver, "GET", "/snapshot", "").text


def test_the_body_of_a_fault_keeps_its_numbers(driver: AppDriver) -> None:
    raw(driver, "POST", "/faults", f'{{"kind":"status","status":503.0,"body":{FREE}}}')
    assert driver.api.create().text == FREE
    named = {"Sandbox-Fault": f"status; status=503.0; body={FREE}"}
    answer = driver.client.post(f"/v1/apps/{driver.app_id}/conversations", json={}, headers=named)
    assert (answer.status_code, answer.text) == (503, FREE)


def test_a_webhook_keeps_its_numbers_and_is_dated_in_whole_seconds(driver: AppDriver, receiver: Receiver) -> None:  # noqa: F811
    driver.set(webhooks=[receiver.hook("task.completed")])
    data = f'{{"created":12.0,"more":{FREE}}}'
    shown = raw(driver, "POST", "/webhooks/send", f'{{"type":"task.completed","data":{data}}}')
    for text in (receiver.next().raw.decode(), shown.text):
        assert '"created":12,' in text
        assert f'"more":{FREE}' in text


def test_what_was_expected_is_shown_as_it_was_written(driver: AppDriver) -> None:
    driver.api.create(metadata={"n": 3})
    wanted = f'{{"app_id":"{driver.app_id}","times":1.0,"body":{{"metadata":{{"n":2.50}}}}}}'
    answer = driver.client.post(
        "/_sandbox/requests/verify", content=wanted, headers={"Content-Type": "application/json"}
    )
    assert '"expected":2.50,"got":3' in answer.text
