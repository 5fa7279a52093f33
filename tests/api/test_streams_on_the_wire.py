"""What only a socket shows: the end mark, that events are flushed, that nobody is held up (clauses 6.1, 6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx2
import pytest

from tests.support.answer import Answer
from tests.support.api import Api
from tests.support.constants import AUTH
from tests.support.processes import Server
from tests.support.raw_connection import post
from tests.support.sse import read, read_cut

_numbers = count(1)


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """An app of its own on the real server."""
    with httpx2.Client(base_url=server.url, headers=AUTH) as client:
        yield Api(client, f"app_wire_{next(_numbers)}")


def message(text: str, *, stream: bool = True) -> dict[str, object]:
    return {"message": {"content": text}, "stream": stream}


def answered(server: Server, api: Api, conversation: str, text: str, *, stream: bool = True) -> Answer:
    path = api.url(conversation)
    with post(server.url, path, message(text, stream=stream)) as connection:
        return connection.read_to_end()


@pytest.mark.clause("6.1", "6.3")
@pytest.mark.parametrize("text", ["hello", "[[tool]]", "[[unicode]]", "[[fail]]", "[[long 300]]"])
def test_a_stream_ends_with_its_mark_right_after_the_last_event(server: Server, api: Api, text: str) -> None:
    raw = answered(server, api, api.created(), text)

    assert raw.status_code == 200
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in raw.headers
    assert raw.is_complete
    read(raw.events)


@pytest.mark.clause("6.3", "10.3")
@pytest.mark.parametrize("text", ["[[cut]]", "[[cut]] [[long 300]]", "[[cut]] [[fail]]"])
def test_a_cut_stream_has_no_end_mark(server: Server, api: Api, text: str) -> None:
    conversation = api.created()

    raw = answered(server, api, conversation, text)

    assert raw.status_code == 200
    assert "transfer-encoding" in raw.headers
    assert not raw.is_complete
    read_cut(raw.events)
    assert api.roles(conversation) == "u"


@pytest.mark.clause("6.3", "10.3")
@pytest.mark.parametrize("text", ["[[cut]]", "[[cut]] [[long 300]]", "[[cut]] [[fail]]"])
def test_a_cut_json_answer_stops_short_of_its_length(server: Server, api: Api, text: str) -> None:
    conversation = api.created()

    raw = answered(server, api, conversation, text, stream=False)

    assert raw.status_code == 200
    assert raw.headers["content-type"] == "application/json"
    assert 0 < len(raw.content) < int(raw.headers["content-length"])
    assert api.roles(conversation) == "u"


@pytest.mark.clause("6.2", "10.3")
@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_completion_has_no_end_either(server: Server, api: Api, stream: bool) -> None:
    body = {"prompt": "[[cut]] [[long 50]]", "stream": stream}

    with post(server.url, f"/v1/apps/{api.app_id}/completions", body) as connection:
        raw = connection.read_to_end()

    assert raw.status_code == 200
    assert raw.content
    assert not raw.is_complete


@pytest.mark.clause("6.1")
def test_events_arrive_while_the_reply_goes_on_and_others_are_served(server: Server, api: Api) -> None:
    """The whole stream would take more than a minute; its first delta is here at once, and other answers come."""
    conversation = api.created()
    path = api.url(conversation)

    with post(server.url, path, message("[[slow 0]] [[long 800]]")) as connection:
        connection.read_until(b"event: response.output_text.delta")
        assert api.roles(conversation) == "u"
        assert api.complete("hello").status_code == 200
        assert api.send(conversation, "hello").status_code == 200
        assert b"event: response.output_text.done" not in connection.received


@pytest.mark.clause("6.1", "10.3")
def test_a_slow_answer_holds_nobody_up(server: Server, api: Api) -> None:
    conversation = api.created()
    path = api.url(conversation)

    with (
        post(server.url, path, message("[[slow 600000]]")),
        post(server.url, path, message("[[slow 600000]]", stream=False)) as silent,
    ):
        assert api.config().status_code == 200
        assert api.send(conversation, "hello").status_code == 200
        assert silent.received == b""
