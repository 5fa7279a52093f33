"""Tools: called when one of their words comes up, with arguments that fit the message."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.agent import dates
from sandbox.agent.dialogue import reply
from sandbox.agent.items import called, default_tools, of_each_kind
from sandbox.agent.turn import Tool
from sandbox.reply import FunctionCall, Message
from tests.agent.turns import Conversation, profile, turn

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
    agent = profile("retail", tools=tools)
    return [item for item in reply(turn(message, agent, **about)).output if isinstance(item, FunctionCall)]


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
    output = reply(turn("a ticket with a photo", profile(tools=(CLIENT, MAPPING)))).output
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


def test_every_number_of_the_customer_is_the_reference_told() -> None:
    keys = (
        "order_id",
        "policyNumber",
        "reference",
        "booking",
        "invoice_number",
        "ticket",
        "account_number",
        "claim_id",
    )
    asked = Tool(name="find", kind="mapping", when=("find",), arguments=dict.fromkeys(keys, "X-0"))

    (call,) = calls("Please find CM-4471", asked)

    assert call.arguments == dict.fromkeys(keys, "CM-4471")


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


@pytest.mark.parametrize(
    ("business", "message"),
    [
        ("clinic", "I'd like an appointment for a check-up"),
        ("clinic", "Je voudrais réserver un nettoyage chez le dentiste"),
        ("automotive", "I need an appointment for winter tires on Thursday or Friday"),
        ("automotive", "Je veux un rendez-vous pour une vidange la semaine prochaine"),
        ("home_services", "Can I get an appointment with a plumber in 2 weeks?"),
    ],
)
def test_the_openings_of_a_tool_are_those_of_the_sentence_beneath(business: str, message: str) -> None:
    conversation = Conversation(business, tools=default_tools())
    said = conversation.say(message)
    (call,) = conversation.calls
    assert call.name == "check_availability"
    assert call.output
    lang = conversation.ledger.lang
    assert call.output["slots"]
    for slot in call.output["slots"]:
        opening = dates.write_opening(dates.from_iso(slot), "fr" if lang == "fr" else "en")
        assert opening.replace("\u00a0", " ") in said
    assert said.count("\n- ") in (0, len(call.output["slots"]))
    assert call.arguments
    assert call.arguments["date"] == call.output["slots"][0][:10]


@pytest.mark.parametrize(("tools", "missing"), [((CLIENT,), "mapping"), ((MAPPING,), "client")])
def test_tool_says_which_kind_the_app_lacks(tools: tuple[Tool, ...], missing: str) -> None:
    conversation = Conversation(tools=tools)
    assert missing in conversation.say("[[tool]]")
    assert [call.name for call in conversation.calls] == [tools[0].name]


def test_distress_calls_no_tool() -> None:
    assert calls("I want to kill myself, cancel my ticket", MAPPING) == []
