"""Forms: patches that make a valid json-render spec step by step, and forms that fit what is talked about."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agent import vocabulary
from sandbox.agent.dialogue import reply
from sandbox.agent.items import PROPS, form
from sandbox.reply import DataSpec
from tests.agent.turns import Conversation, patches_of, patches_of_all_forms, profile, talk, text_of, turn

FORMS = patches_of_all_forms()


def faults(spec: dict[str, Any]) -> list[str]:
    """Return what is wrong with a spec: our own reading of json-render's rules and of docs/contract.md 7.2."""
    found = [] if spec["root"] in spec["elements"] else ["the root is missing"]
    for key, element in spec["elements"].items():
        unknown = set(element) - {"type", "props", "children", "on"}
        found += [f"{key}: {name} is no part of an element" for name in unknown]
        if element["type"] not in PROPS:
            found.append(f"{key}: no such element as {element['type']}")
            continue
        found += [f"{key}: no such prop as {name}" for name in set(element["props"]) - PROPS[element["type"]]]
        found += [f"{key}: no child {child}" for child in element.get("children", ()) if child not in spec["elements"]]
        options = element["props"].get("options", [])
        if not all(isinstance(option, str) for option in options):
            found.append(f"{key}: an option is no string")
    return found


def steps(patches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the specs after each patch."""
    spec: dict[str, Any] = {"root": "", "elements": {}}
    after = []
    for patch in patches:
        assert set(patch) == {"op", "path", "value"}
        assert patch["op"] == "add"
        if patch["path"] == "/root":
            spec = {**spec, "root": patch["value"]}
        else:
            key = re.fullmatch(r"/elements/([^/~]+)", patch["path"])
            assert key
            spec = {**spec, "elements": {**spec["elements"], key[1]: patch["value"]}}
        after.append(spec)
    return after


def test_a_form_shows_from_its_second_step_and_fills_in_as_it_is_read(subtests: pytest.Subtests) -> None:
    for number, patches in enumerate(FORMS):
        with subtests.test(form=number):
            assert [patch["path"] for patch in patches[:2]] == ["/root", "/elements/form"]
            assert [patch["path"] for patch in patches[2:]] == [
                f"/elements/{key}" for key in patches[1]["value"]["children"]
            ]
            assert faults(steps(patches)[-1]) == []
            assert all(re.search(": no child", fault) for spec in steps(patches)[1:] for fault in faults(spec))


def test_every_element_is_one_of_the_vendors_catalog(subtests: pytest.Subtests) -> None:
    for number, patches in enumerate(FORMS):
        with subtests.test(form=number):
            elements = [patch["value"] for patch in patches[1:]]
            assert all(isinstance(element["children"], list) for element in elements)
            kinds = {element["props"]["type"] for element in elements if element["type"] == "Input"}
            assert kinds <= {"text", "email", "password", "number"}


def test_what_is_empty_has_a_placeholder_in_its_language() -> None:
    seen = {
        (element["type"], element["props"].get("placeholder"))
        for patches in FORMS[:-1]
        for element in steps(patches)[-1]["elements"].values()
        if "placeholder" in PROPS[element["type"]]
    }
    assert None not in {placeholder for _, placeholder in seen}
    assert {placeholder for kind, placeholder in seen if kind == "Select"} == {"Choose one", "Faites un choix"}
    field = {"label": "Votre province", "type": "Select", "options": ["Québec"]}
    (select,) = [spec.patch["value"] for spec in form("Vos coordonnées", [field])][2:3]
    assert select["props"]["placeholder"] == "Faites un choix"


def test_at_the_end_every_element_hangs_on_the_root(subtests: pytest.Subtests) -> None:
    for number, patches in enumerate(FORMS):
        with subtests.test(form=number):
            spec = steps(patches)[-1]
            children = spec["elements"][spec["root"]]["children"]
            assert set(children) == set(spec["elements"]) - {spec["root"]}
            assert spec["elements"][children[-1]]["on"] == {"press": {"action": "submit"}}
            names = [element["props"]["name"] for element in spec["elements"].values() if "name" in element["props"]]
            assert len(set(names)) == len(names)


def test_all_elements_that_take_an_answer_are_used() -> None:
    used = {element["type"] for patches in FORMS for element in steps(patches)[-1]["elements"].values()}
    assert used >= set(PROPS) - {"Stack"}


FIELD = st.fixed_dictionaries(
    {"label": st.text()},
    optional={
        "type": st.sampled_from([*PROPS, "email", "date", "", "nonsense"]),
        "name": st.text(),
        "options": st.lists(st.text() | st.integers()),
        "junk": st.integers(),
    },
)


@given(st.text(), st.lists(FIELD, max_size=6))
def test_any_fields_make_a_valid_form(title: str, fields: list[dict[str, Any]]) -> None:
    last = steps([dict(spec.patch) for spec in form(title, fields)])[-1]
    assert faults(last) == []
    assert len(last["elements"]) == len(fields) + 2
    assert last["elements"]["form"]["props"]["title"] == title


def test_both_languages_have_the_same_forms() -> None:
    data = vocabulary.load("forms")
    assert data["en"].keys() == data["fr"].keys()
    for key in data["en"].keys() - {"submit", "choose"}:
        assert [row[0] for row in data["en"][key][2]] == [row[0] for row in data["fr"][key][2]]


@pytest.mark.parametrize(
    ("business", "message", "title"),
    [
        ("insurance", "I want a quote for car insurance", "Your insurance quote"),
        ("insurance", "J'ai eu un dégât d'eau, avez-vous un formulaire de réclamation?", "Déclarer un sinistre"),
        ("retail", "Is there a form to make a complaint?", "Tell us what went wrong"),
        ("travel", "Avez-vous un formulaire?", "Planifier votre voyage"),
    ],
)
def test_a_form_fits_the_business_the_wish_and_the_language(business: str, message: str, title: str) -> None:
    patches = patches_of(reply(turn(message, profile(business, generative_ui=True))))
    assert steps(patches)[1]["elements"]["form"]["props"]["title"] == title


def test_a_form_comes_after_a_text_that_greets() -> None:
    agent = profile("insurance", generative_ui=True)
    output = reply(turn("I want a quote for car insurance", agent, metadata={"first_name": "Zoé"})).output
    assert [isinstance(item, DataSpec) for item in output[:2]] == [False, True]
    assert "Zoé" in text_of(reply(turn("[[form]]", agent, metadata={"first_name": "Zoé"})))


def test_without_generative_ui_no_form_comes() -> None:
    for message in ("[[form]]", "I want a quote for car insurance", "is there a form?"):
        assert patches_of(reply(turn(message, profile("insurance")))) == []
    assert "can't show forms" in text_of(reply(turn("[[form]]")))


def test_what_a_form_brings_back_is_confirmed_and_used() -> None:
    conversation = Conversation("insurance", generative_ui=True)
    conversation.say("Is there a form to make a complaint?")
    said = conversation.say("What went wrong: nobody called\nPhone: 514-555-0144\nSend me a copy: true")
    assert "nobody called" in said
    assert "514-555-0144" in said
    assert "true" not in said


def test_one_labelled_line_is_a_form_only_after_a_form() -> None:
    conversation = Conversation("insurance", generative_ui=True)
    conversation.say("[[form]]")
    assert "**Deductible:** $1,000" in conversation.say("Deductible: $1,000")
    assert "**Deductible:**" not in talk("insurance", "Deductible: $1,000")
