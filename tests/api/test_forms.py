"""Generated interfaces: patches that make a form, step by step (clauses 7.1 and 7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from sandbox.contract import load
from tests.support.api import Api
from tests.support.in_process import in_process
from tests.support.sse import read

# The components that the example client renders, and their props.
PROPS = {
    "Card": {"title", "description"},
    "Stack": {"direction", "gap"},
    "Input": {"label", "name", "type", "placeholder", "value"},
    "Textarea": {"label", "name", "placeholder", "rows", "value"},
    "Select": {"label", "name", "options", "placeholder", "value"},
    "Radio": {"label", "name", "options", "value"},
    "Checkbox": {"label", "name", "checked"},
    "Switch": {"label", "name", "checked"},
    "Slider": {"label", "min", "max", "step", "value"},
    "Button": {"label"},
}
FIELDS = set(PROPS) - {"Card", "Stack", "Button"}
ASKED = ["[[form]]", "Bonjour, je voudrais un rendez-vous [[form]]", "[[form]] [[tool]] [[human]]", "[[FORM]] quote"]


@cache
def patches(message: str) -> Sequence[dict[str, Any]]:
    """Return the patches that a message is answered with, as the first of a fresh server."""
    with in_process(apps={"app_spec": {"generative_ui": True}}) as client:
        api = Api(client)
        output = api.send(api.created(), message).json()["output"]
    data = [item["data"] for item in output if item["type"] == "data_spec"]
    assert all(set(datum) == {"type", "patch"} and datum["type"] == "patch" for datum in data)
    return [datum["patch"] for datum in data]


def applied(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a document after one `add` of RFC 6902 at `/root` or `/elements/<key>`."""
    assert set(patch) == {"op", "path", "value"}
    assert patch["op"] == "add"
    _, first, *rest = patch["path"].split("/")
    if not rest:
        assert first == "root"
        return {**document, "root": patch["value"]}
    assert first == "elements"
    (key,) = rest
    return {**document, "elements": {**document["elements"], key: patch["value"]}}


def interface(message: str) -> dict[str, Any]:
    """Return the whole interface that a message is answered with."""
    document: dict[str, Any] = {"root": "", "elements": {}}
    for patch in patches(message):
        document = applied(document, patch)
    return document


@pytest.mark.clause("7.1")
@pytest.mark.parametrize("message", ASKED)
def test_first_the_root_is_named_then_elements_are_added(message: str) -> None:
    root, *elements = patches(message)

    assert root["path"] == "/root"
    assert isinstance(root["value"], str)
    assert elements
    assert all(patch["path"].startswith("/elements/") for patch in elements)


@pytest.mark.clause("7.1")
@pytest.mark.parametrize("message", ASKED)
def test_a_form_shows_from_its_card_on_and_fills_in_as_it_is_read(message: str) -> None:
    """Whatever comes after the card hangs on it already: a client draws it as it comes."""
    root, card, *others = patches(message)
    assert card["path"] == f"/elements/{root['value']}"
    assert [patch["path"] for patch in others] == [f"/elements/{child}" for child in card["value"]["children"]]
    assert all(patch["value"]["children"] == [] for patch in others)


@pytest.mark.clause("7.2")
@pytest.mark.parametrize("message", ASKED)
def test_every_element_is_one_that_clients_render(message: str) -> None:
    schema = load().schema("UiElement")

    for element in interface(message)["elements"].values():
        assert schema.is_valid(element), element
        assert {"type", "props", "children"} <= set(element) <= {"type", "props", "children", "on"}
        assert set(element["props"]) <= PROPS[element["type"]], element
        assert element["props"].get("label") or element["type"] in ("Card", "Stack")
        options = element["props"].get("options", [])
        assert all(isinstance(option, str) for option in options)
        assert bool(options) == (element["type"] in ("Select", "Radio"))


@pytest.mark.clause("7.2")
@pytest.mark.parametrize("message", ASKED)
def test_a_form_hangs_together_and_can_be_submitted(message: str) -> None:
    document = interface(message)
    elements, reached = document["elements"], [document["root"]]
    for key in reached:
        reached += elements[key].get("children", [])

    assert sorted(reached) == sorted(elements), "each element hangs in the tree, once"
    fields = [element for element in elements.values() if element["type"] in FIELDS]
    names = [element["props"]["name"] for element in fields if "name" in element["props"]]
    assert fields
    assert len(set(names)) == len(names)
    buttons = [element for element in elements.values() if element["type"] == "Button"]
    assert [button.get("on") for button in buttons] == [{"press": {"action": "submit"}}]


@pytest.mark.clause("6.3", "6.4", "7.1")
def test_in_a_stream_one_patch_is_one_item() -> None:
    with in_process(apps={"app_spec": {"generative_ui": True}}) as client:
        api = Api(client)
        events = api.stream(api.created(), "[[form]]")

    indexes = [event.data["output_index"] for event in events if event.name == "response.data_spec"]
    assert len(indexes) >= 3
    assert len(set(indexes)) == len(indexes)
    assert read(events).status == "completed"


@pytest.mark.clause("6.4", "7.1")
@pytest.mark.parametrize("message", [*ASKED, "I'd like a quote for my car", "Je veux prendre rendez-vous"])
def test_without_generative_ui_no_patch_is_ever_sent(api: Api, message: str) -> None:
    conversation = api.created()
    events = api.stream(conversation, message)

    assert "response.data_spec" not in [event.name for event in events]
    assert "data-spec" not in [part["type"] for part in api.items(conversation)[1]["parts"]]


@pytest.mark.clause("7.2")
def test_a_submitted_form_is_an_ordinary_message() -> None:
    with in_process(apps={"app_spec": {"generative_ui": True}}) as client:
        api = Api(client)
        conversation = api.created()
        api.send(conversation, "[[form]]")

        answer = api.send(conversation, "Name: John\nEmail: john@example.com\nMessage: Call me").json()

        assert answer["status"] == "completed"
        assert api.roles(conversation) == "uaua"
