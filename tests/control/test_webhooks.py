"""Webhooks over real sockets: what is sent, when it is tried again, and what the journal says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.contract import load
from tests.control.conftest import MakeDriver
from tests.control.test_events import listening
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.webhook_receiver import Receiver, receive_webhooks

SCHEMAS = load().webhooks
TYPES = list(SCHEMAS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive_webhooks() as running:
        yield running


def send(driver: AppDriver, kind: str = "chat.ended", **data: Any) -> list[dict[str, Any]]:
    answer = driver.call("POST", "/webhooks/send", {"type": kind, **({"data": data} if data else {})})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]  # type: ignore[no-any-return]


def deliveries(driver: AppDriver) -> list[dict[str, Any]]:
    return driver.client.get("/_sandbox/webhooks", params={"app_id": driver.app_id}).json()["data"]  # type: ignore[no-any-return]


def settled(ear: Any, attempts: int) -> dict[str, Any]:
    """Return a delivery as it is told once it has had so many attempts."""
    while True:
        name, data = ear.next()
        if name == "delivery" and len(data["attempts"]) == attempts:
            return data  # type: ignore[no-any-return]


@pytest.mark.clause("9.1")
@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_sent_by_hand_with_data_that_keeps_the_contract(
    driver: AppDriver, receiver: Receiver, kind: str
) -> None:
    driver.set(webhooks=[receiver.hook(kind)])
    [delivery] = send(driver, kind)
    body = receiver.next().body
    assert body == delivery["body"]
    assert (body["type"], body["created"], body["data"]["created"]) == (kind, NOW, NOW)
    assert SCHEMAS[kind].is_valid(body)


@pytest.mark.clause("9.2")
def test_the_signature_is_over_time_and_body(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("contact:insight.updated")])
    send(driver, "contact:insight.updated", key="city", value="Montréal")
    came = receiver.next()
    assert came.is_genuine
    assert came.signed_at == NOW


def test_without_a_secret_there_is_no_signature(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended", secret=None)])
    send(driver)
    came = receiver.next()
    assert "dimedove-signature" not in came.headers
    assert came.headers["dimedove-delivery"] == came.body["id"]


@pytest.mark.clause("9.1", "10.3")
def test_a_conversation_tells_what_it_does(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook(*TYPES)])
    conversation = driver.api.created()
    driver.api.send(conversation, "[[human]] [[tool]]")
    driver.api.send(conversation, "[[echo]] again")
    send(driver)
    bodies = [receiver.next().body for _ in range(4)]
    assert [body["type"] for body in bodies] == ["chat.started", "chat.human_required", "task.completed", "chat.ended"]
    assert {body["data"]["chat_id"] for body in bodies} == {conversation}


def test_a_webhook_hears_of_its_types_alone_and_of_none_when_switched_off(
    driver: AppDriver, receiver: Receiver
) -> None:
    driver.set(webhooks=[receiver.hook("chat.started", enabled=False)])
    driver.api.send(driver.api.created(), "Hello")
    driver.set(webhooks=[receiver.hook("chat.ended")])
    driver.api.send(driver.api.created(), "Hello")
    send(driver)
    assert receiver.next().body["type"] == "chat.ended"
    assert len(deliveries(driver)) == 1


def test_it_is_tried_again_when_the_clock_passes_1_2_4_and_8_seconds(driver: AppDriver, receiver: Receiver) -> None:
    for status in (500, 404, 301, 199 + 200):
        receiver.statuses.put(status)
    driver.freeze(NOW)
    driver.set(webhooks=[receiver.hook("chat.ended")])
    with listening(driver) as ear:
        send(driver)
        for attempt, wait in enumerate((1, 2, 4, 8), 1):
            assert settled(ear, attempt)["next_at"] == NOW + 2**attempt - 1
            driver.advance(wait)
        last = settled(ear, 5)
    came = [receiver.next() for _ in range(5)]
    assert (last["state"], last["next_at"]) == ("delivered", None)
    assert [one.signed_at - NOW for one in came] == [0, 1, 3, 7, 15]
    assert len({one.raw for one in came}) == 1
    assert all(one.is_genuine for one in came)


def test_fractions_of_a_second_count_until_it_is_tried_again(driver: AppDriver, receiver: Receiver) -> None:
    receiver.statuses.put(500)
    driver.freeze(NOW)
    driver.advance(0.75)
    driver.set(webhooks=[receiver.hook("chat.ended")])
    with listening(driver) as ear:
        send(driver)
        assert settled(ear, 1)["next_at"] == NOW + 1.75
        driver.advance(0.75)
        assert deliveries(driver)[0]["state"] == "waiting"
        driver.advance(0.25)
        assert settled(ear, 2)["state"] == "delivered"
    assert [receiver.next().signed_at for _ in range(2)] == [NOW, NOW + 1]


def test_five_times_no_good_is_failed(driver: AppDriver, receiver: Receiver) -> None:
    for _ in range(5):
        receiver.statuses.put(503)
    driver.freeze(NOW)
    driver.set(webhooks=[receiver.hook("chat.ended")])
    with listening(driver) as ear:
        send(driver)
        settled(ear, 1)
        driver.advance(15)
        assert settled(ear, 5)["state"] == "failed"


def test_it_is_delivered_once_more_with_the_same_body(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")])
    with listening(driver) as ear:
        [delivery] = send(driver)
        settled(ear, 1)
        driver.client.post(f"/_sandbox/webhooks/{delivery['id']}/redeliver")
        assert settled(ear, 2)["state"] == "delivered"
    assert receiver.next().raw == receiver.next().raw


def test_no_redirect_is_followed(driver: AppDriver, receiver: Receiver) -> None:
    receiver.location = receiver.url
    receiver.statuses.put(307)
    driver.freeze(NOW)
    driver.set(webhooks=[receiver.hook("chat.ended")])
    with listening(driver) as ear:
        send(driver)
        [attempt] = settled(ear, 1)["attempts"]
    assert attempt["status"] == 307


@pytest.mark.parametrize(
    ("lab", "genuine", "ages"),
    [("duplicate", [True, True], [0, 0]), ("tamper", [False, True], [0, 0]), ("delay", [True], [600])],
)
def test_the_lab_spoils_what_is_sent(
    driver: AppDriver, receiver: Receiver, lab: str, genuine: list[bool], ages: list[int]
) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")], webhook_lab=lab)
    send(driver)
    came = [receiver.next() for _ in genuine]
    assert [one.is_genuine for one in came] == genuine
    assert [NOW - one.signed_at for one in came] == ages
    assert len({one.body["id"] for one in came}) == 1


def test_the_lab_lets_the_next_one_overtake(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")], webhook_lab="reorder")
    [first], [second] = send(driver), send(driver)
    assert [receiver.next().body["id"] for _ in range(2)] == [second["id"], first["id"]]


def test_a_secret_is_never_shown(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")])
    send(driver)
    assert driver.settings["webhooks"][0]["secret"] == "whsec_…7046"
    assert receiver.hook()["secret"] not in str((driver.shown, deliveries(driver)))


def test_the_sandbox_itself_is_refused(driver: AppDriver) -> None:
    driver.set(webhooks=[{"url": f"{driver.client.base_url}/v1/x", "secret": None, "events": ["chat.ended"]}])
    with listening(driver) as ear:
        send(driver)
        while (told := ear.next()[1])["state"] == "waiting":
            pass
    assert told["state"] == "refused"
    assert "the sandbox itself" in told["reason"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:70000/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://a b/",
        "http:///x",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(driver: AppDriver, url: str) -> None:
    answer = driver.set(webhooks=[{"url": url, "secret": None, "events": ["chat.ended"]}])
    assert_error(answer, 422, "invalid_request_error", param="webhooks[0].url")


def test_what_no_webhook_takes_is_a_conflict(driver: AppDriver) -> None:
    assert_error(driver.call("POST", "/webhooks/send", {"type": "chat.ended"}), 409, "invalid_request_error")


def test_the_journal_of_a_forgotten_app_is_empty(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")])
    send(driver)
    receiver.next()
    driver.call("DELETE")
    assert deliveries(driver) == []


def test_a_thousand_wait_and_the_next_is_dropped(driver: AppDriver) -> None:
    driver.freeze(NOW)
    driver.set(webhooks=[{"url": "http://127.0.0.1:9/", "secret": None, "events": ["chat.ended"]}])
    states = [send(driver)[0]["state"] for _ in range(1_001)]
    assert states == ["waiting"] * 1_000 + ["dropped"]
    assert "1,000" in deliveries(driver)[0]["reason"]


def test_the_same_app_gives_the_same_webhooks_again(driver: AppDriver, receiver: Receiver) -> None:
    def told() -> list[Any]:
        driver.set(webhooks=[receiver.hook(*TYPES)])
        driver.api.send(driver.api.created(), "[[tool]]")
        send(driver, "performance.recorded")
        return [receiver.next().raw for _ in range(3)]

    first = told()
    driver.call("DELETE")
    assert told() == first


# Snapshots


def restore_prepared(driver: AppDriver, *, secrets: bool) -> list[dict[str, Any]]:
    """Take the app out, put it back and return its webhooks as they are then."""
    document = driver.call("GET", f"/snapshot?secrets={'true' if secrets else 'false'}").json()
    answer = driver.call("PUT", "/snapshot", document)
    assert answer.status_code == 200, answer.text
    return answer.json()["settings"]["webhooks"]  # type: ignore[no-any-return]


def test_webhooks_that_were_put_back_are_off_until_they_are_switched_on(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook(*TYPES)])
    [hook] = restore_prepared(driver, secrets=True)
    assert (hook["url"], hook["enabled"]) == (receiver.url, False)
    driver.api.send(driver.api.created(), "Hello")
    assert deliveries(driver) == []
    driver.set(webhooks=[receiver.hook(*TYPES)])
    send(driver)
    assert receiver.next().is_genuine


def test_a_secret_that_was_masked_is_none_when_it_is_put_back(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")])
    assert [hook["secret"] for hook in restore_prepared(driver, secrets=False)] == [None]


def test_the_list_is_read_page_by_page(driver: AppDriver, receiver: Receiver) -> None:
    driver.set(webhooks=[receiver.hook("chat.ended")])
    made = [send(driver)[0]["id"] for _ in range(5)][::-1]
    ask: dict[str, str | int] = {"app_id": driver.app_id, "limit": 2}
    first = driver.client.get("/_sandbox/webhooks", params=ask).json()
    second = driver.client.get("/_sandbox/webhooks", params={**ask, "after": first["last_id"]}).json()
    third = driver.client.get("/_sandbox/webhooks", params={**ask, "after": second["last_id"]}).json()
    pages = [[row["id"] for row in page["data"]] for page in (first, second, third)]
    assert pages == [made[:2], made[2:4], made[4:]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]


# What does not fit


@pytest.mark.memory
def test_webhooks_beyond_max_bytes_are_refused_or_dropped_and_journalled_so(make_driver: MakeDriver) -> None:
    driver = make_driver(max_bytes=60_000)
    hook = {"secret": None, "events": ["chat.started"]}
    driver.set(webhooks=[{**hook, "url": f"http://127.0.0.1:9/{number}/{'x' * 1_900}"} for number in range(10)])
    answer = driver.call("POST", "/webhooks/send", {"type": "chat.started"})
    assert "--max-bytes" in assert_error(answer, 503, "internal_error")["message"]
    assert deliveries(driver) == []
    driver.api.send(driver.api.created(), "Hello")
    told = deliveries(driver)[::-1]
    assert len(told) == 10
    assert [*dict.fromkeys(delivery["state"] for delivery in told)] == ["waiting", "dropped"]
    assert "--max-bytes" in told[-1]["reason"]
    assert told[-1]["attempts"] == []


@pytest.mark.memory
def test_many_that_wait_leave_no_room(make_driver: MakeDriver) -> None:
    """Nobody listens at port 9, and the time stands still: whatever is sent waits."""
    driver = make_driver(max_bytes=50_000)
    driver.set(webhooks=[{"url": "http://127.0.0.1:9/", "secret": None, "events": ["chat.ended"]}])
    while (answer := driver.call("POST", "/webhooks/send", {"type": "chat.ended"})).status_code == 201:
        pass
    assert_error(answer, 503, "internal_error")
    assert len(deliveries(driver)) == 20  # a page of them
    driver.call("DELETE")
    driver.set(webhooks=[{"url": "http://127.0.0.1:9/", "secret": None, "events": ["chat.ended"]}])
    assert len(send(driver)) == 1
