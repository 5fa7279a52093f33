"""What a model writes and what it doesn't, as the client sees it."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message

from tests.model.conftest import Chat, MakeChat
from tests.support.chat_endpoint import STREAM, ChatEndpoint, Step, answer, event, said
from tests.support.constants import KEY
from tests.support.sse import parse, read

FALLBACK = "the sandbox's own agent answered"
# What our own agent answers; each with the reason why no model may.
OURS = {
    "[[long 30]]": "a special word",
    "[[lnog]]": "a special word that there isn't",
    "[[tool]]": "a call",
    "[[form]]": "a form",
    "I want to die": "safety",
    "Je veux mourir": "safety",
    "Unsubscribe me, STOP": "safety: no more messages",
    "Name: Ana Roy\nPhone: 514 555-0199": "a form that was submitted",
}


def deltas(stream: bytes) -> list[str]:
    return [event.data["delta"] for event in parse(stream) if event.name == "response.output_text.delta"]


def test_the_text_is_the_models_and_the_titles_are_ours(make_chat: MakeChat) -> None:
    chat, ours = make_chat(), make_chat(model=None, model_url=None)
    path = chat.begin()
    assert chat.say("My card was declined", path) == "Text 1"
    detail = chat.client.request("GET", path).json()
    assert [item["parts"][0]["text"] for item in detail["items"]] == ["My card was declined", "Text 1"]
    ours.say("My card was declined", ours.begin())
    assert detail["generated_title"] == ours.client.request("GET", path).json()["generated_title"]


def test_the_model_is_told_business_language_metadata_and_what_was_said(chat: Chat, endpoint: ChatEndpoint) -> None:
    chat.set(business="insurance")
    path = chat.begin(metadata={"balance_due": 84.12})
    chat.say("Combien je vous dois pour l'auto?", path)
    chat.say("Merci, et quand?", path)
    call = endpoint.calls[1]
    (role, instructions), *history = call.messages
    assert (call.path, call.body["model"], call.body["stream"]) == ("/v1/chat/completions", "small", True)
    assert role == "system"
    for part in ("Assurances Belrivage", "insurance firm", "French", '{"balance_due":84.12}'):
        assert part in instructions
    assert history == [
        ("user", "Combien je vous dois pour l'auto?"),
        ("assistant", "Text 1"),
        ("user", "Merci, et quand?"),
    ]


def test_of_a_long_conversation_the_model_is_told_the_end(chat: Chat, endpoint: ChatEndpoint) -> None:
    path = chat.begin()
    for number in range(25):
        chat.say(f"Question {number}?", path)
    assert len(endpoint.calls[-1].messages) == 41
    assert endpoint.calls[-1].messages[-1] == ("user", "Question 24?")


def test_a_completion_is_the_models_too(chat: Chat, endpoint: ChatEndpoint) -> None:
    endpoint.answers = [answer("  \n One ", "two\n"), answer("Trois")]
    assert chat.complete("Count to two", metadata={"n": 2}).json()["text"] == "One two"
    assert deltas(chat.complete("Compte", stream=True).content) == ["Trois"]
    assert endpoint.calls[0].messages[1] == ("user", "Count to two")


def test_what_stays_ours(chat: Chat, endpoint: ChatEndpoint) -> None:
    chat.set(generative_ui=True)
    replies = [chat.send(text).json()["status"] for text in OURS]
    assert (replies, endpoint.calls) == (["completed"] * len(OURS), [])
    assert chat.complete("[[echo]] Hello").json()["text"] == "Hello"
    chat.client.request("POST", "/_sandbox/apps/app_x/replies", json={"output": [{"type": "message", "text": "Ours"}]})
    assert (chat.say("Anything"), endpoint.calls) == ("Ours", [])


def test_a_delta_comes_as_soon_as_the_model_has_written_it(chat: Chat, endpoint: ChatEndpoint) -> None:
    gate = threading.Event()
    [*begin, end, done] = answer("Good ", "day, Ana")
    endpoint.answers = [[*begin, gate, end, done]]

    async def open_gate(message: Message) -> None:
        if b'"Good "' in message.get("body", b""):
            gate.set()

    stream = chat.send("Hello", stream=True, on_message=open_gate)
    assert deltas(stream.content) == ["Good ", "day, ", "Ana"]
    assert parse(stream.content)[-1].name == "response.completed"
    assert chat.warnings() == []


def test_both_forms_and_the_history_say_the_same(chat: Chat, endpoint: ChatEndpoint) -> None:
    pieces = ("Bonjour 👩‍👩", "‍👧 e", "\u0301te", "\u0301 🇨", "🇦 fin", "é.")
    endpoint.answers = [answer(*pieces), answer(*pieces), answer("".join(pieces))]
    stream = chat.send("Bonjour", stream=True).content
    whole = "".join(pieces)
    assert "".join(deltas(stream)) == chat.say("Bonjour") == whole
    assert read(parse(stream)).output[0]["content"][0]["text"] == whole
    # Where the model cut it makes no difference, nor is a character ever split.
    again = deltas(chat.send("Bonjour", stream=True).content)
    assert again == deltas(stream) == ["Bonjour ", "👩‍👩‍👧 ", "e\u0301te\u0301 ", "🇨🇦 ", "finé."]


def test_a_fault_acts_on_the_models_stream(chat: Chat, endpoint: ChatEndpoint) -> None:
    fault = {"kind": "stream_cut", "events": 3}
    chat.client.request("POST", "/_sandbox/apps/app_x/faults", json={"operation": "apps_api_send_message", **fault})
    stream = chat.send("Hello", stream=True)
    assert (stream.is_complete, deltas(stream.content)) == (False, ["Text ", "1"])


BAD_ANSWERS: dict[str, tuple[Sequence[Step], str]] = {
    "nothing": ([], "the connection was closed"),
    "no HTTP": ([b"hello\r\n\r\n"], "what came is no HTTP/1.1"),
    "another protocol": ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], "no HTTP/1.1"),
    "an error": ([b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n"], "the endpoint answered 429"),
    "a redirect": ([b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"], "answered 307"),
    "no stream": ([b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"], "no event stream"),
    "an error in the stream": ([STREAM, b'data: {"error": {"message": "sk_test_x"}}\n\n'], "reported an error"),
    "no JSON": ([STREAM, b"data: {\n\n"], "no chat completion"),
    "another JSON": ([STREAM, b"data: []\n\n"], "no chat completion"),
    "no text": ([STREAM, event({"delta": {"content": 7}})], "no chat completion"),
    "an empty answer": (answer("", " \n"), "the answer was empty"),
    "a refusal": ([STREAM, event({"delta": {"refusal": "I can't help with that."}})], "the model refused"),
    "a filter": ([STREAM, event({"delta": {}, "finish_reason": "content_filter"})], "the model refused"),
    "a line without an end": ([STREAM, b"data: " + b"x" * 300_000], "more came than is read"),
    "a head without an end": ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2_000_000], "more came than is read"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_where_no_text_comes_our_own_agent_answers(make_chat: MakeChat, endpoint: ChatEndpoint, stream: bool) -> None:
    chat, ours = make_chat(), make_chat(model=None, model_url=None)
    expected = ours.send("How much is it?", stream=stream).content
    for name, (steps, reason) in BAD_ANSWERS.items():
        endpoint.answers = [steps]
        chat.client.request("DELETE", "/_sandbox/apps/app_x")
        assert chat.send("How much is it?", stream=stream).content == expected, name
        [warning] = chat.warnings()
        assert reason in warning, name
        assert warning.startswith("model: "), name
        assert FALLBACK in warning, name


def test_an_endpoint_that_is_slow_to_begin_is_left(make_chat: MakeChat, endpoint: ChatEndpoint) -> None:
    chat = make_chat(model_timeout=1)
    endpoint.answers = [[threading.Event()], [STREAM, b": wait\n\n", threading.Event()]]
    for _ in range(2):
        assert chat.send("Hello").json()["status"] == "completed"
        assert chat.warnings() == [f"model: nothing came for 1 s; {FALLBACK}"]
        assert endpoint.was_left()


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ([], "the answer was cut off"),
        ([said("x" * 100_000)], "more than 100,000 characters came"),
        ([event({"delta": {}, "finish_reason": "content_filter"})], "the model refused to answer"),
    ],
    ids=["cut", "too long", "refused"],
)
def test_a_text_that_breaks_off_stays_and_is_never_said_twice(
    chat: Chat, endpoint: ChatEndpoint, end: list[Step], reason: str
) -> None:
    endpoint.answers = [[STREAM, said("This much "), said("came"), *end]] * 2
    events = parse(chat.send("Hello", stream=True).content)
    assert [event.name for event in events if "delta" not in event.name] == [
        "response.created",
        "response.output_text.done",
        "response.output_item.done",
        "response.completed",
    ]
    warning = f"model: {reason}; what came until then is the reply"
    assert chat.warnings() == [warning]
    assert chat.say("Hello") == "This much came"
    assert chat.warnings() == [warning]


def test_a_chunked_answer_with_comments_and_crlf_is_read_byte_by_byte(chat: Chat, endpoint: ChatEndpoint) -> None:
    body = b"".join(
        [b": hi\r\n\r\n", said("é").replace(b"\n", b"\r\n"), b'data:{"choices":[]}\r\n\r\n', b"data: [DONE]\r\n\r\n"]
    )
    head = b"HTTP/1.1 100 Continue\r\n\r\n" + STREAM[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    whole = head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    endpoint.answers = [[b"%c" % byte for byte in whole]]
    assert (chat.say("Hello"), chat.warnings()) == ("é", [])


def test_a_client_that_leaves_takes_the_call_along(chat: Chat, endpoint: ChatEndpoint) -> None:
    endpoint.answers = [[STREAM, said("One "), said("two"), threading.Event()]]
    chat.send("Hello", stream=True, leave_after=3)
    assert endpoint.was_left()
    assert chat.client.open_tasks == 0


def test_an_app_that_is_deleted_takes_the_call_along(chat: Chat, endpoint: ChatEndpoint) -> None:
    endpoint.answers = [[STREAM, said("One "), said("two"), threading.Event()]]

    async def delete(message: Message) -> None:
        if b'"One "' in message.get("body", b""):
            await chat.client.exchange("DELETE", "/_sandbox/apps/app_x")

    events = parse(chat.send("Hello", stream=True, on_message=delete).content)
    assert events[-1].name == "response.failed"
    assert endpoint.was_left()


def test_the_key_goes_to_the_endpoint_and_nowhere_else(make_chat: MakeChat, endpoint: ChatEndpoint) -> None:
    secret = "oai-3f5e8c1d9b7a"
    chat = make_chat(model_key=secret)
    endpoint.answers = [answer(f"I was told {secret}")]
    chat.say("Hello")
    assert endpoint.calls[0].headers["Authorization"] == f"Bearer {secret}"
    shown = chat.client.request("GET", "/_sandbox/requests", params={"app_id": "app_x"}).content
    assert secret.encode() not in shown
    assert KEY.encode() not in str(endpoint.calls[0]).encode()


def test_the_sandbox_never_asks_itself(make_chat: MakeChat, endpoint: ChatEndpoint) -> None:
    chat = make_chat()
    chat.sandbox.own_ports.add(endpoint.port)
    assert chat.send("Hello").json()["status"] == "completed"
    assert "is the sandbox itself" in chat.warnings()[0]
    assert endpoint.calls == []


def test_no_more_calls_are_under_way_than_the_bound(chat: Chat, endpoint: ChatEndpoint) -> None:
    gate = threading.Event()
    endpoint.answers = [[gate, *answer("Yes")]] * 20
    waiting = [chat.client.exchange("POST", "/v1/apps/app_x/completions", json={"prompt": f"{n}"}) for n in range(20)]

    async def all_of_them() -> list[Any]:
        tasks = [asyncio.ensure_future(each) for each in waiting]
        await asyncio.to_thread(endpoint.wait_for_calls, 16)
        gate.set()
        return await asyncio.gather(*tasks)

    assert [answer.json()["text"] for answer in chat.client.run(all_of_them())] == ["Yes"] * 20
    assert endpoint.most_at_once == 16


def test_a_bundle_says_that_a_model_wrote(chat: Chat) -> None:
    chat.say("Hello")
    content = chat.client.request("GET", "/_sandbox/apps/app_x/bundle").content
    about = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("bundle.json"))
    assert (about["complete"], about["lost"]) == (False, ["a model wrote texts"])
