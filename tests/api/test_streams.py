"""Streams: their grammar, their bytes, and that they say what JSON says (clauses 6.1 to 6.4, in process).

What only a socket shows is in `test_streams_on_the_wire.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import regex
from hypothesis import example, given, settings
from starlette.types import Message

from sandbox import Settings, create_app
from sandbox.contract import load
from tests.support import strategies
from tests.support.answer import Answer
from tests.support.api import Api
from tests.support.constants import KEY, NOW
from tests.support.in_process import AsgiClient, in_process
from tests.support.requirements import examples
from tests.support.sse import Event, parse, read, read_cut

OPERATIONS = {operation.id: operation for operation in load().operations}

# Messages that together make every event there is.
MESSAGES = ["hello", "[[tool]]", "[[form]]", "[[human]]", "[[unicode]] [[markdown]]", "[[fail]]", "[[echo]]", "[[no]]"]


@pytest.fixture(scope="module")
def settled() -> Iterator[AsgiClient]:
    """A server with apps of various settings."""
    apps = {"app_ui": {"generative_ui": True}, "app_streaming": {"stream": True}, "app_plain": {"stream": False}}
    with in_process(apps=apps) as client:
        yield client


@pytest.fixture
def ui(settled: AsgiClient) -> Api:
    """An app that shows forms."""
    return Api(settled, "app_ui")


@pytest.mark.clause("6.1", "6.3", "6.4")
@pytest.mark.parametrize("message", MESSAGES)
def test_a_stream_keeps_the_grammar_and_each_event_its_schema(ui: Api, message: str) -> None:
    conversation = ui.created()

    answer = ui.send(conversation, message, stream=True)

    assert answer.is_complete
    said = read(answer.events)
    assert said.conversation_id == conversation
    schemas = OPERATIONS["apps_api_send_message"].events
    assert all(schemas[event.name].is_valid(event.data) for event in answer.events)


@pytest.mark.clause("6.4")
def test_the_messages_above_make_every_event(ui: Api) -> None:
    names = {event.name for message in MESSAGES for event in ui.stream(ui.created(), message)}

    assert names == set(OPERATIONS["apps_api_send_message"].events)


@pytest.mark.clause("6.1")
def test_the_bytes_are_name_data_blank_line_and_nothing_else(api: Api) -> None:
    answer = api.send(api.created(), "[[echo]] Où ça? 👋🏽 a\nb\r\nc\u2028d", stream=True)

    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    lines = answer.content.decode("utf-8").split("\n")
    assert lines[-2:] == ["", ""]
    for name, data, blank in zip(lines[0:-1:3], lines[1:-1:3], lines[2:-1:3], strict=True):
        assert name.startswith("event: response.")
        assert data.startswith("data: {")
        assert json.loads(data.removeprefix("data: "))["type"] == name.removeprefix("event: ")
        assert blank == ""
    assert "👋🏽" in answer.text, "UTF-8 as it is, not escaped"


@pytest.mark.clause("6.1")
def test_every_event_leaves_on_its_own(api: Api) -> None:
    answer = api.send(api.created(), "[[long 20]]", stream=True)

    assert len(answer.chunks) > 20
    assert all(len(parse(chunk)) == 1 for chunk in answer.chunks)


@pytest.mark.clause("6.1")
def test_a_stream_begins_and_ends_under_the_responses_id(api: Api) -> None:
    conversation = api.created()

    events = api.stream(conversation, "hello")

    assert events[0].data == {
        "type": "response.created",
        "id": events[-1].data["id"],
        "object": "response",
        "status": "in_progress",
        "conversation_id": conversation,
    }
    assert events[-1].name == "response.completed"


# JSON and stream


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[AsgiClient, AsgiClient]]:
    """Two equal servers: what happens to one happens to the other, but for the form of the answers."""
    with in_process() as one, in_process() as two:
        yield one, two


@pytest.mark.clause("6.3")
@given(message=strategies.messages, again=strategies.messages)
@example(message="[[fail]]", again="[[tool]] [[form]] [[human]] [[markdown]] [[unicode]]")
@example(message="[[slow]] [[long]]", again="[[echo]] " + "x" * 23 + "\r\n")
@settings(max_examples=examples(60, quick=15))
def test_json_and_stream_of_the_same_message_say_the_same(
    pair: tuple[AsgiClient, AsgiClient], message: str, again: str
) -> None:
    """In the demo app, which shows forms; the second message is answered by an agent that remembers the first."""
    one, two = (Api(client, "app_demo") for client in pair)
    conversation, same = one.created(), two.created()
    responses = [one.send(conversation, text, stream=False).json() for text in (message, again)]
    streams = [two.stream(same, text) for text in (message, again)]

    assert conversation == same
    for response, stream in zip(responses, streams, strict=True):
        said = read(stream)
        assert (said.id, said.status, said.output) == (response["id"], response["status"], response["output"])
    assert one.get(conversation).content == two.get(conversation).content


@pytest.mark.clause("6.2", "6.3")
@given(prompt=strategies.messages.filter(bool))
@settings(max_examples=examples(40, quick=10))
def test_json_and_stream_of_the_same_prompt_say_the_same(pair: tuple[AsgiClient, AsgiClient], prompt: str) -> None:
    completion = Api(pair[0]).complete(prompt).json()
    said = read(Api(pair[1]).complete(prompt, stream=True).events, completion=True)

    assert (said.id, said.status, said.text) == (completion["id"], completion["status"], completion["text"])


# Deltas


def boundaries(text: str) -> set[int]:
    """Return the places where a text may be cut: between two of what a reader sees as characters."""
    return {0, *(match.end() for match in regex.finditer(r"\X", text))}


def deltas_of(events: Sequence[Event]) -> list[str]:
    return [event.data["delta"] for event in events if event.name == "response.output_text.delta"]


@pytest.mark.clause("6.3")
@given(text=strategies.hard_texts | strategies.texts)
@example(text="x" * 23 + "\r\n")
@example(text="👩‍👩‍👧‍👦" * 9)
@example(text="e" + "\u0301" * 60)
@settings(max_examples=examples(120, quick=30))
def test_a_delta_is_never_long_and_never_splits_a_character(shared: AsgiClient, text: str) -> None:
    deltas = deltas_of(shared_stream(shared, "[[echo]] " + text))

    assert "".join(deltas) == text
    ends = [sum(map(len, deltas[: n + 1])) for n in range(len(deltas))]
    assert set(ends) <= boundaries(text)
    assert all(len(regex.findall(r"\X", delta)) <= 30 for delta in deltas), "longer than a long word"


def shared_stream(client: AsgiClient, message: str) -> Sequence[Event]:
    api = Api(client, "app_of_deltas")
    return api.stream(api.created(), message)


@pytest.mark.clause("6.3")
@pytest.mark.parametrize(
    "message", ["[[long 200]]", "[[markdown]]", "hello", "Où est ma commande?", "[[echo]] déjà  vu\tthe end\n\nof it "]
)
def test_a_text_comes_word_by_word(shared: AsgiClient, message: str) -> None:
    events = shared_stream(shared, message)

    words = len(read(events).output[0]["content"][0]["text"].split())
    assert words <= len(deltas_of(events)) <= 2 * words + 20
    assert all(len(delta.split()) <= 1 for delta in deltas_of(events))


@pytest.mark.clause("6.3", "8.1")
def test_a_tools_arguments_are_streamed_and_a_client_tool_has_none(shared: AsgiClient) -> None:
    events = shared_stream(shared, "[[tool]]")

    by_call: dict[str, list[str]] = {}
    for event in events:
        if "call_id" in event.data:
            by_call.setdefault(event.data["call_id"], []).append(event.name.rpartition(".")[2])
    mapping, client = by_call.values()
    assert mapping[0] == "start"
    assert set(mapping[1:-1]) == {"delta"}
    assert mapping[-1] == "done"
    assert client == ["start", "done"]


# Ends


@pytest.mark.clause("6.1", "6.4")
def test_a_failed_stream_is_created_and_failed(api: Api) -> None:
    answer = api.send(api.created(), "[[fail]]", stream=True)

    assert answer.status_code == 200
    assert [event.name for event in answer.events] == ["response.created", "response.failed"]
    assert read(answer.events).error
    assert answer.is_complete


@pytest.mark.clause("6.3")
@pytest.mark.parametrize(
    "message", ["[[cut]]", "[[cut]] [[tool]]", "[[cut]] [[form]]", "[[cut]] [[long 100]]", "[[cut]] [[fail]]"]
)
def test_a_cut_stream_stops_half_way_without_an_end(ui: Api, message: str) -> None:
    answer = ui.send(ui.created(), message, stream=True)

    assert not answer.is_complete
    read_cut(answer.events)


@pytest.mark.clause("6.2", "6.3")
def test_a_cut_completion_stops_half_way_too(api: Api) -> None:
    answer = api.complete("[[cut]] [[long 100]]", stream=True)

    assert not answer.is_complete
    read_cut(answer.events, completion=True)
    assert 10 < len(answer.events) < 100


# Clients that leave, clients beside each other


@pytest.mark.clause("6.3", "5.8")
@pytest.mark.parametrize("left_after", [1, 2, 10, 100])
def test_a_client_that_leaves_stops_the_work_and_leaves_nothing_behind(
    asgi: AsgiClient, api: Api, left_after: int
) -> None:
    path = api.url(api.created())
    body = {"message": {"content": "[[long 400]]"}, "stream": True}

    answer = asgi.run(asgi.exchange("POST", path, json=body, leave_after=left_after))

    assert asgi.open_tasks == 0
    assert not answer.is_complete
    assert len(answer.chunks) < left_after + 20
    assert api.roles(path.rpartition("/")[2]) == "u"


@pytest.mark.clause("6.3")
@pytest.mark.parametrize("message", ["hello", "[[tool]]", "[[fail]]", "[[cut]]", "[[slow 5]]"])
@pytest.mark.parametrize("stream", [False, True])
def test_no_answer_leaves_a_task_behind(asgi: AsgiClient, api: Api, message: str, stream: bool) -> None:
    api.send(api.created(), message, stream=stream)
    api.complete(message, stream=stream)

    assert asgi.open_tasks == 0


@pytest.mark.clause("6.3")
def test_a_client_that_leaves_a_slow_answer_is_not_waited_for() -> None:
    """The loop of this server really waits: the test would last ten minutes."""
    with in_process(hasty=False) as client:
        api = Api(client)
        path = api.url(api.created())
        for stream in (False, True):
            body = {"message": {"content": "[[slow 600000]]"}, "stream": stream}
            answer = client.run(client.exchange("POST", path, json=body, leave_after=0))
            assert answer.status_code == 0

        assert client.open_tasks == 0


def test_run_by_another_server_an_answer_ends_with_its_lifespan() -> None:
    """The loop really waits here too."""
    app = create_app(Settings(now=NOW, apps={"app_slow": {"pace": {"delta_ms": 600_000}}}))

    async def lived(client: AsgiClient) -> Answer:
        begun = asyncio.Event()

        async def look(message: Message) -> None:
            begun.set()

        async with app.lifespan():
            body = {"prompt": "hello", "stream": True}
            call = client.exchange("POST", "/v1/apps/app_slow/completions", json=body, on_message=look)
            answer = asyncio.ensure_future(call)
            await begun.wait()
        return await answer

    with asyncio.Runner() as runner:
        answer = runner.run(lived(AsgiClient(app, runner.get_loop(), KEY)))
    assert (answer.status_code, answer.is_complete) == (200, False)


@pytest.mark.clause("6.1")
def test_a_long_stream_lets_others_be_served_in_between(asgi: AsgiClient, api: Api) -> None:
    path = api.url(api.created())
    finished: list[str] = []

    async def asked(name: str, *request: str, **more: Any) -> Answer:
        answer = await asgi.exchange(*request, **more)
        finished.append(name)
        return answer

    async def both() -> None:
        body = {"message": {"content": "[[long 500]]"}, "stream": True}
        begun = asyncio.Event()

        async def look(message: Message) -> None:
            begun.set()

        stream = asyncio.ensure_future(asked("stream", "POST", path, json=body, on_message=look))
        await begun.wait()
        await asked("config", "GET", f"/v1/apps/{api.app_id}/config")
        await asked("another stream", "POST", path, json={"message": {"content": "[[long 20]]"}, "stream": True})
        await stream

    asgi.run(both())

    assert finished == ["config", "another stream", "stream"]


# Which form an answer has

ASKED: list[dict[str, Any]] = [{}, {"stream": None}, {"stream": False}, {"stream": True}]


@pytest.mark.clause("6.1", "3.8")
@pytest.mark.parametrize("app_id", ["app_streaming", "app_plain"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_message_is_streamed_as_asked_and_else_as_the_app_is_set(
    settled: AsgiClient, app_id: str, asked: dict[str, Any]
) -> None:
    api = Api(settled, app_id)

    answer = api.send(api.created(), "hello", **asked)

    streamed = app_id == "app_streaming" if asked.get("stream") is None else asked["stream"]
    assert answer.headers["content-type"].partition(";")[0] == ("text/event-stream" if streamed else "application/json")


@pytest.mark.clause("6.1", "3.11")
@pytest.mark.parametrize("app_id", ["app_streaming", "app_plain"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_completion_is_streamed_only_if_asked(settled: AsgiClient, app_id: str, asked: dict[str, Any]) -> None:
    answer = Api(settled, app_id).complete("hello", **asked)

    streamed = asked.get("stream") is True
    assert answer.headers["content-type"].partition(";")[0] == ("text/event-stream" if streamed else "application/json")


# Pace


@pytest.mark.memory
@pytest.mark.clause("6.1")
@pytest.mark.parametrize("stream", [False, True])
def test_the_apps_pace_slows_its_replies(stream: bool) -> None:
    with in_process(apps={"app_spec": {"pace": {"first_ms": 4_000, "delta_ms": 70}}}) as client:
        api = Api(client)
        answer = api.send(api.created(), "[[long 30]]", stream=stream)
        waits = client.waits

    assert 3 < waits[0] <= 4
    deltas = len(deltas_of(answer.events)) if stream else 0
    # Waits go by schedule, so with a clock that stands still each is longer than the one before it.
    assert 3 + 0.07 * deltas < waits[-1] <= 4 + 0.07 * deltas


@pytest.mark.clause("1.3")
def test_a_streamed_reply_has_the_apps_time(api: Api) -> None:
    conversation = api.created()
    api.stream(conversation, "hello")

    assert [item["created_at"] for item in api.items(conversation)] == [NOW, NOW]
