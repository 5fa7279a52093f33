"""Completions: one text after a prompt, JSON or stream, no trace, no tools (clauses 2.8, 3.11, 3.12, 6.2)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.contract import load
from tests.support.api import Api
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import in_process
from tests.support.sse import read

CONTRACT = load()
ALLOWED = {
    "response.created",
    "response.output_text.delta",
    "response.output_text.done",
    "response.completed",
    "response.failed",
}


@pytest.mark.clause("2.8", "3.12", "1.3")
def test_a_prompt_is_completed(api: Api) -> None:
    answer = api.complete("Write a thank-you note.")

    assert answer.status_code == 200
    completion = answer.json()
    assert CONTRACT.schema("Completion").is_valid(completion)
    assert set(completion) == {"id", "created_at", "text", "object", "status"}
    assert (completion["object"], completion["status"], completion["created_at"]) == ("completion", "completed", NOW)
    assert completion["text"]


@pytest.mark.clause("3.12", "5.8")
def test_a_failed_completion_has_no_text(api: Api) -> None:
    answer = api.complete("[[fail]]")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["text"]) == ("failed", "")


@pytest.mark.clause("3.11", "3.16")
@pytest.mark.parametrize(
    "more",
    [
        {"knowledge_search": False, "fast": True},
        {"knowledge_search": True, "fast": False, "stream": False, "metadata": {"first_name": "John"}},
        {"metadata": None},
        {"metadata": {}},
        {"temperature": 0.7, "promt": "a slip"},
    ],
)
def test_what_goes_with_a_prompt_is_taken(api: Api, more: dict[str, Any]) -> None:
    assert api.complete("hello", **more).json()["status"] == "completed"


@pytest.mark.clause("3.11")
@pytest.mark.parametrize("letter", ["x", "é", "𝒜"])
def test_a_prompt_has_up_to_32000_code_points(api: Api, letter: str) -> None:
    assert api.complete(letter).status_code == 200
    assert api.complete(letter * 32_000).status_code == 200
    assert_error(api.complete(letter * 32_001), 422, "invalid_request_error", param="prompt", code="too_long")


@pytest.mark.clause("2.8", "5.6")
def test_a_completion_leaves_no_trace(api: Api) -> None:
    api.complete("hello", metadata={"first_name": "John"})

    assert api.metrics().json() == {"total_conversations": 0, "total_messages": 0, "total_users": 0}
    assert api.list().json()["data"] == []


@pytest.mark.clause("6.1", "6.2", "6.4")
@pytest.mark.parametrize("prompt", ["hello", "[[markdown]] [[unicode]]", "[[echo]]", "[[fail]]", "[[nonsense]]"])
def test_a_streamed_completion_has_only_its_own_events(api: Api, prompt: str) -> None:
    answer = api.complete(prompt, stream=True)

    said = read(answer.events, completion=True)
    assert {event.name for event in answer.events} <= ALLOWED
    assert said.id.startswith("cmpl_")
    assert said.conversation_id is None
    schemas = next(op.events for op in CONTRACT.operations if op.id == "apps_api_create_completion")
    assert all(schemas[event.name].is_valid(event.data) for event in answer.events)


@pytest.mark.clause("6.2")
@pytest.mark.parametrize("word", ["[[tool]]", "[[form]]", "[[human]]", "[[TOOL]] [[form]]"])
def test_words_that_call_tools_have_no_effect_in_a_prompt(word: str) -> None:
    """The same prompt without the word, as the first of an equal server, is answered alike."""
    apps = {"app_spec": {"generative_ui": True}}
    with in_process(apps=apps) as one, in_process(apps=apps) as two:
        with_word = Api(one).complete(f"Tell me about insurance {word}")
        without = Api(two).complete("Tell me about insurance")
        streamed = Api(one).complete(f"Tell me about insurance {word}", stream=True)

    assert with_word.json()["text"] == without.json()["text"]
    assert {event.name for event in streamed.events} <= ALLOWED


@pytest.mark.clause("2.8")
def test_a_prompt_that_asks_for_an_appointment_calls_no_tool(api: Api) -> None:
    answer = api.complete("Book me an appointment for Tuesday", stream=True)

    assert {event.name for event in answer.events} <= ALLOWED
