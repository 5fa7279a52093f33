"""Tools: called when one of their words comes up, with arguments that fit the message."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.agent.replies import reply
from sandbox.agent.tools import called, default_tools, of_each_kind
from sandbox.agent.turn import Tool
from sandbox.reply import FunctionCall, Message
from tests.agent.turns import profile, turn

CLIENT = Tool(name="open_camera", kind="client", when=("photo", "prendre une photo"))
MAPPING = Tool(
    name="create_ticket",
    kind="mapping",
    when=("ticket", "problème"),
    arguments={
        "order_number": "A-1",
        "email": "x@example.com",
        "phone": "514-555-0100",
        "dueDate": "2024-01-01",
        "time": "09:00",
        "first_name": "Ann",
        "language": "en",
        "locale": "en-CA",
        "notes": "…",
        "priority": 3,
        "people": 2,
        "urgent": False,
        "nested": {"city": "Laval", "kept": [1]},
        "ratio": 0.5,
    },
)


def calls(message: str, *tools: Tool, **about: Any) -> list[FunctionCall]:
    agent = profile(tools=tools)
    return [item for item in reply(turn(message, agent=agent, **about)).output if isinstance(item, FunctionCall)]


def arguments(message: str, **about: Any) -> dict[str, Any]:
    (call,) = calls(message, MAPPING, **about)
    assert call.arguments is not None
    return dict(call.arguments)


@pytest.mark.parametrize(
    ("message", "comes"),
    [
        ("Can I send a PHOTO?", True),
        ("photo", True),
        ("my photos", False),  # another word
        ("photograph", False),
        ("(photo)", True),
        ("je veux prendre  une\nphoto", True),
        ("", False),
    ],
)
def test_a_word_calls_a_tool(message: str, *, comes: bool) -> None:
    assert (called([CLIENT], message) == (CLIENT,)) == comes


def test_accents_and_case_do_not_matter() -> None:
    assert called([MAPPING], "J'AI UN PROBLEME") == (MAPPING,)
    assert called([MAPPING], "proble\u0300me") == (MAPPING,)


def test_an_empty_word_calls_nothing() -> None:
    assert called([Tool(name="a", kind="client", when=("", "  ", "…"))], "any … message") == ()


def test_calls_stand_between_texts_with_ids_of_their_own() -> None:
    output = reply(turn("a ticket with a photo", agent=profile(tools=(CLIENT, MAPPING)))).output
    assert [type(item) for item in output] == [Message, FunctionCall, FunctionCall, Message]
    made = [item for item in output if isinstance(item, FunctionCall)]
    assert [call.name for call in made] == ["open_camera", "create_ticket"]
    assert len({call.call_id for call in made}) == 2
    assert all(re.fullmatch(r"call_[0-9a-f]{24}", call.call_id) for call in made)


def test_a_client_tool_gets_no_arguments_and_a_mapping_gets_some() -> None:
    client, mapping = calls("a ticket with a photo", CLIENT, MAPPING)
    assert (client.arguments, client.output) == (None, None)
    assert mapping.arguments
    assert mapping.output


def test_a_mapping_without_an_example_gets_an_empty_object() -> None:
    (call,) = calls("a ticket", Tool(name="make", kind="mapping", when=("ticket",)))
    assert call.arguments == {}


def test_arguments_come_from_the_message() -> None:
    given = arguments(
        "A ticket for order CM-4471 for four people on Friday at 2:30 pm, jo@example.com or 514-555-0177 please"
    )
    assert given == {
        **dict(MAPPING.arguments or {}),
        "order_number": "CM-4471",
        "email": "jo@example.com",
        "phone": "514-555-0177",
        "dueDate": "2026-03-06",
        "time": "14:30",
        "people": 4,
        "notes": given["notes"],
    }
    assert given["notes"].startswith("A ticket for order")


def test_arguments_come_from_the_metadata() -> None:
    given = arguments(
        "ticket", metadata={"first_name": "Zoé", "priority": 7, "city": "Québec", "email": "z@example.com"}
    )
    assert (given["first_name"], given["priority"], given["nested"]["city"]) == ("Zoé", 7, "Québec")
    assert given["email"] == "z@example.com"


def test_arguments_keep_the_types_of_the_example() -> None:
    given = arguments("ticket", metadata={"priority": "high", "urgent": "yes", "ratio": 1, "first_name": 5})
    assert {key: type(value) for key, value in given.items()} == {
        key: type(value) for key, value in (MAPPING.arguments or {}).items()
    }


def test_arguments_are_in_the_language_of_the_message() -> None:
    given = arguments("J'ai un problème avec ma commande")
    assert (given["language"], given["locale"]) == ("fr", "fr-CA")


def test_one_tool_of_each_kind_is_there_by_default() -> None:
    assert [tool.kind for tool in default_tools()] == ["mapping", "client"]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", tool.name) for tool in default_tools())
    assert of_each_kind(default_tools()) == default_tools()
    assert of_each_kind((CLIENT, CLIENT)) == (CLIENT,)


@pytest.mark.parametrize("message", ["I'd like an appointment", "Je voudrais un rendez-vous"])
def test_the_default_mapping_looks_for_times_that_are_then_offered(message: str) -> None:
    before, call, after = reply(turn(message, agent=profile())).output
    assert isinstance(before, Message)
    assert isinstance(call, FunctionCall)
    assert isinstance(after, Message)
    assert call.name == "check_availability"
    assert call.output
    assert len(call.output["slots"]) == after.text.count("\n- ") == 3


@pytest.mark.parametrize(("tools", "missing"), [((CLIENT,), "mapping"), ((MAPPING,), "client")])
def test_tool_says_which_kind_the_app_lacks(tools: tuple[Tool, ...], missing: str) -> None:
    output = reply(turn("[[tool]]", agent=profile(tools=tools))).output
    assert [item.name for item in output if isinstance(item, FunctionCall)] == [tools[0].name]
    assert isinstance(output[-1], Message)
    assert "tool" in output[-1].text, missing
