"""Agent profiles: the team's own company, hours, prices and FAQ in the agent's mouth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sandbox import Settings, create_app
from sandbox.options import SettingsError
from sandbox.settings import ConfigTable, load_settings
from tests.docs.pages import read
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of

MAPLE: dict[str, Any] = {
    "business": "clinic",
    "name": "Ginette",
    "company": {"en": "Maple Clinic", "fr": "Clinique de l'Érable"},
    "hours": {"weekdays": "8:30-18:00", "saturday": "closed", "sunday": "closed"},
    "address": {"en": "We're at 12 Maple Street.", "fr": "Nous sommes au 12, rue de l'Érable."},
    "phone": "418-555-0199",
    "tone": "formal",
    "prices": [
        {"service": {"en": "dental cleaning", "fr": "nettoyage dentaire"}, "price": {"en": "$145", "fr": "145 $"}}
    ],
    "faq": [
        {
            "question": {
                "en": ["Do you do travel vaccines?", "vaccine for a trip"],
                "fr": ["Faites-vous les vaccins de voyage?", "vaccin pour un voyage"],
            },
            "answer": {"en": "Yes, on Tuesdays.", "fr": "Oui, le mardi."},
            "title": {"en": "Travel vaccines", "fr": "Vaccins de voyage"},
        },
        {
            "question": {
                "en": "Can I bring my dog to the clinic?",
                "fr": "Puis-je amener mon chien à la clinique?",
            },
            "answer": {"en": "Only guide dogs.", "fr": "Seuls les chiens guides."},
        },
        {
            "question": {"en": "Why is my appointment so short?", "fr": "Pourquoi mon rendez-vous est-il si court?"},
            "answer": {
                "en": "Fifteen minutes let us see more people.",
                "fr": "Quinze minutes, pour voir plus de monde.",
            },
        },
        {
            "question": {"en": "What is your wifi password?", "fr": "C'est quoi le mot de passe du wifi?"},
            "answer": {"en": "Ask at the desk.", "fr": "Demandez à l'accueil."},
        },
        {
            "question": {"en": "Where can I park my bicycle?", "fr": "Où puis-je stationner mon vélo?"},
            "answer": {"en": "Behind the building.", "fr": "Derrière l'immeuble."},
        },
    ],
    "tools": [{"name": "call_nurse", "kind": "mapping", "when": ["nurse"], "arguments": {}}],
    "forms": [
        {"when": ["first visit"], "title": {"en": "Your file", "fr": "Votre dossier"}, "fields": [{"label": "Name"}]}
    ],
}


def server(**agents: dict[str, Any]) -> Settings:
    tables = {name: ConfigTable(table, Path("sandbox.toml"), ("agents", name)) for name, table in agents.items()}
    return Settings(now=NOW, agents=tables, apps={"app_maple": {"agent_profile": "maple"}} if "maple" in agents else {})


@pytest.fixture(scope="module")
def maple() -> AppDriver:
    """The app of the clinic."""
    return AppDriver(client_of(create_app(server(maple=MAPLE)), AUTH), "app_maple")


def say(driver: AppDriver, text: str) -> str:
    output = driver.api.send(driver.api.created(), text, stream=False).json()["output"]
    return " ".join(part["text"] for item in output for part in item.get("content", []))


# Each row: a question as nobody wrote it into the profile, and what is answered.
ASKED = [
    ("Hi, are travel vaccines something you do?", "Yes, on Tuesdays."),
    ("je pars en voyage, je peux tu avoir un vaccin chez vous", "Oui, le mardi."),
    ("can my dog come with me to the clinic", "Only guide dogs."),
    ("est-ce que mon chien peut venir à la clinique", "Seuls les chiens guides."),
    ("why was my appointment that short??", "Fifteen minutes let us see more people."),
    ("pourquoi le rendez-vous est aussi court", "Quinze minutes, pour voir plus de monde."),
    ("wifi password?", "Ask at the desk."),
    ("mot de passe du wifi svp", "Demandez à l'accueil."),
    ("where do I park a bicycle", "Behind the building."),
    ("je stationne où mon vélo", "Derrière l'immeuble."),
    ("how much is a dental cleaning", "Dental cleaning: $145."),
    ("combien pour un nettoyage dentaire svp", "Nettoyage dentaire\u00a0: 145\u00a0$."),
    ("where are you", "We're at 12 Maple Street."),
]


def test_the_faq_is_answered_however_it_is_asked(maple: AppDriver) -> None:
    assert {text: said for text, answer in ASKED if (said := say(maple, text)) != answer} == {}


def test_an_answer_is_given_to_its_own_kind_of_question_alone(maple: AppDriver) -> None:
    assert "Tuesdays" not in say(maple, "How much are travel vaccines?")
    assert "minutes let us" not in say(maple, "When is my appointment?")


def test_it_is_the_company_that_the_profile_says(maple: AppDriver) -> None:
    assert "8:30\u00a0a.m." in say(maple, "What are your opening hours?")
    contact = say(maple, "what's your phone number")
    assert ("418-555-0199" in contact, "mapleclinic.example" in contact) == (True, True)
    assert maple.settings["agent"]["name"] == maple.api.config().json()["agent"]["name"] == "Ginette"
    assert (maple.settings["business"], maple.settings["agent_profile"]) == ("clinic", "maple")
    assert [tool["name"] for tool in maple.settings["tools"]] == ["call_nurse"]


def test_what_it_does_not_say_its_trade_knows(maple: AppDriver) -> None:
    assert "doctor" in say(maple, "I'd like to see a doctor")


def test_safety_comes_first(maple: AppDriver) -> None:
    assert "9-8-8" in say(maple, "I want to die, can I bring my dog to the clinic?")


def test_the_tone_and_the_title_are_its_own(maple: AppDriver) -> None:
    assert say(maple, "Hello, do you do travel vaccines?") == "Yes, on Tuesdays."
    conversation = maple.api.created()
    maple.api.send(conversation, "do you do travel vaccines?", stream=False)
    assert maple.api.get(conversation).json()["generated_title"]["en-ca"] == "Travel vaccines"


def test_its_forms_come_with_their_words() -> None:
    driver = AppDriver(client_of(create_app(server(maple=MAPLE)), AUTH), "app_maple")
    conversation = driver.api.created()
    assert "data_spec" not in driver.api.send(conversation, "It's my first visit", stream=False).text
    driver.set(generative_ui=True)
    output = driver.api.send(conversation, "It's my first visit", stream=False).json()["output"]
    assert "Your file" in str(output)


def test_by_hand_another_business_keeps_the_profile(maple: AppDriver) -> None:
    other = AppDriver(maple.client, "app_other")
    assert other.set(agent_profile="maple", business="school").status_code == 200
    assert say(other, "wifi password?") == "Ask at the desk."
    assert other.settings["business"] == "school"


def test_an_unknown_one_is_refused(maple: AppDriver) -> None:
    other = AppDriver(maple.client, "app_unknown")
    answer = other.set(agent_profile="mapel")
    assert_error(answer, 422, "invalid_request_error", param="agent_profile", code="not_allowed")
    assert "maple" in answer.json()["error"]["message"]
    snapshot = maple.call("GET", "/snapshot").json()
    elsewhere = client_of(create_app(), AUTH).put("/_sandbox/apps/app_x/snapshot", json=snapshot)
    assert_error(elsewhere, 422, "invalid_request_error", param="agent_profile")


WRONG = [
    ("[agents.a]\nhours = { weekdays = '9-5', saturday = 'closed', sunday = 'closed' }", "2: agents.a.hours.weekdays"),
    ("[agents.a]\nbuisness = 'clinic'", "2: agents.a.buisness"),
    ("[[agents.a.faq]]\nquestion = { en = 'a', fr = 'b' }\nanswer = '{name}'", "3: agents.a.faq[0].answer"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_one_ends_the_start_with_file_line_and_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sandbox.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        create_app(load_settings({}, {}, file))
    assert str(caught.value).startswith(f"{file}:{message}")


def test_an_app_of_the_config_names_one_that_there_is(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.toml"
    file.write_text("[apps.app_a]\nagent_profile = 'nobody'\n")
    with pytest.raises(SettingsError, match=re.escape("apps.app_a: agent_profile: expected one of [agents.NAME]")):
        create_app(load_settings({}, {}, file))


def test_a_changed_one_is_taken() -> None:
    app = create_app(server(maple=MAPLE))
    driver = AppDriver(client_of(app, AUTH), "app_maple")
    assert say(driver, "where are you") == "We're at 12 Maple Street."
    app.reload(server(maple={**MAPLE, "address": "We moved."}))
    assert say(driver, "where are you") == "We moved."


def test_the_guide_names_all_that_a_profile_has() -> None:
    fields = {*MAPLE, "email"}
    assert [name for name in fields if name not in read("docs/scenarios.md")] == []
