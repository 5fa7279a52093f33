"""Faults inside a stream, over real sockets: where it stops, how it ends, what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.answer import Answer
from tests.support.app_driver import AppDriver
from tests.support.sse import Event, read, read_cut

TEXT = "[[echo]] one two three"
# created, three deltas, done, item done, completed
WHOLE = 7
SPOILED = ("stream_cut", "stream_garble", "stream_fail")


def streamed(driver: AppDriver, text: str = TEXT) -> Answer:
    """Send a message and return the stream as it came, up to the end of the connection."""
    with driver.open_stream(text) as connection:
        return connection.read_to_end()


def names(events: Sequence[Event]) -> list[str]:
    return [event.name.removeprefix("response.") for event in events]


def test_without_a_fault_a_stream_is_whole(driver: AppDriver) -> None:
    raw = streamed(driver)
    assert raw.is_complete
    assert len(raw.events) == WHOLE


# Each row: how many events are asked for, how many come; at the latest before the last one.
PLACES = [(0, 0), (1, 1), (3, 3), (6, 6), (7, 6), (1_000, 6), (None, 3)]


@pytest.mark.parametrize(("asked", "come"), PLACES)
def test_a_cut_stream_stops_without_its_end(driver: AppDriver, asked: int | None, come: int) -> None:
    driver.fault("stream_cut", **({} if asked is None else {"events": asked}))
    raw = streamed(driver)
    assert (raw.status_code, "transfer-encoding" in raw.headers, raw.is_complete) == (200, True, False)
    assert len(raw.events) == come
    if come:
        read_cut(raw.events)


OUTPUT = [
    {"type": "message", "text": "Où êtes-vous ? 👩‍👩‍👧‍👦 " * 3},
    {"type": "function_call", "name": "book", "arguments": {"at": "noon", "for": "two"}},
    {"type": "function_call", "name": "locate", "arguments": None},
    {"type": "form", "title": "Details", "fields": [{"label": "E-mail"}]},
    {"type": "message", "text": "Thank you"},
]


@pytest.mark.parametrize("output", [OUTPUT, OUTPUT[:1], [{"type": "fail", "message": "no"}]])
def test_a_stream_of_any_items_is_cut_in_its_middle_or_before_its_last_event(
    driver: AppDriver, output: list[dict[str, object]]
) -> None:
    driver.reply(*output, times=3)
    whole = len(streamed(driver).events)
    driver.fault("stream_cut")
    driver.fault("stream_cut", events=1_000)
    assert [len(streamed(driver).events) for _ in range(2)] == [whole // 2, whole - 1]


@pytest.mark.parametrize(("asked", "come"), PLACES)
def test_a_garbled_stream_stops_within_an_event(driver: AppDriver, asked: int | None, come: int) -> None:
    driver.fault("stream_garble", **({} if asked is None else {"events": asked}))
    raw = streamed(driver)
    whole, mark, half = raw.content.rpartition(b"\n\n")
    assert not raw.is_complete
    assert raw.content.count(b"\n\n") == come
    assert (half if mark else raw.content).startswith(b"event: response.")
    assert whole == b"" or whole.startswith(b"event: response.created\n")


@pytest.mark.parametrize(("asked", "come"), PLACES)
def test_a_stream_fails_with_its_last_event(driver: AppDriver, asked: int | None, come: int) -> None:
    driver.fault("stream_fail", **({} if asked is None else {"events": asked}))
    raw = streamed(driver)
    assert raw.is_complete
    assert len(raw.events) == come + 1
    assert raw.events[-1].name == "response.failed"
    assert raw.events[-1].data["error"]["message"]


@pytest.mark.parametrize(("asked", "come"), PLACES)
def test_a_stalled_stream_goes_silent_and_is_whole_in_the_end(driver: AppDriver, asked: int | None, come: int) -> None:
    driver.fault("stream_stall", ms=1, **({} if asked is None else {"events": asked}))
    raw = streamed(driver)
    assert raw.is_complete
    assert read(raw.events).status == "completed"
    (sent,) = (entry["response"] for entry in driver.requests(operation="apps_api_send_message"))
    assert sent[come]["at_ms"] - (sent[come - 1]["at_ms"] if come else 0) >= 1


def test_a_stalled_stream_is_silent_after_the_events_that_were_asked_for(driver: AppDriver) -> None:
    driver.fault("stream_stall", ms=600_000, events=2)
    with driver.open_stream(TEXT) as connection:
        connection.read_until(b'"delta":"one "')
        # Everything else is answered meanwhile, and the third event is not there.
        assert driver.api.config().status_code == 200
        assert b'"delta":"two "' not in connection.received


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_stream_leaves_the_message_alone(driver: AppDriver, kind: str) -> None:
    conversation = driver.api.created()
    driver.fault(kind)
    with driver.client.stream("POST", driver.api.url(conversation), json=MESSAGE) as answer:
        assert answer.status_code == 200
    assert driver.api.roles(conversation) == "u"


def test_a_stalled_stream_leaves_the_whole_exchange(driver: AppDriver) -> None:
    conversation = driver.api.created()
    driver.fault("stream_stall", ms=1)
    driver.api.stream(conversation, "Hello")
    assert driver.api.roles(conversation) == "ua"


MESSAGE = {"message": {"content": TEXT}, "stream": True}


@pytest.mark.parametrize(
    ("kind", "ended"), [("stream_cut", "cut"), ("stream_garble", "cut"), ("stream_fail", "complete")]
)
def test_the_journal_says_how_a_stream_ended(driver: AppDriver, kind: str, ended: str) -> None:
    driver.fault(kind, events=3)
    raw = streamed(driver)
    entry = driver.requests()[0]
    assert (entry["fault"], entry["ended"], entry["status"]) == (kind, ended, 200)
    sent = [event["event"] for event in entry["response"]]
    assert [f"event: {name}" for name in sent] == [
        part.split("\n")[0] for part in raw.content.decode().split("\n\n")[: len(sent)]
    ]


def test_a_completion_has_stream_faults_too(driver: AppDriver) -> None:
    driver.fault("stream_fail", events=1)
    answer = driver.api.complete(TEXT, stream=True)
    assert "event: response.failed" in answer.text
    assert "response.completed" not in answer.text


@pytest.mark.parametrize("framing", ["split", "crlf", "comments", "multiline"])
def test_a_cut_stream_has_no_end_in_any_framing(driver: AppDriver, framing: str) -> None:
    driver.set(framing=framing)
    driver.fault("stream_cut", events=3)
    raw = streamed(driver)
    assert not raw.is_complete
    assert b"response.completed" not in raw.content
