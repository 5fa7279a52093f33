"""Scenarios: what an app is like, and what its agent says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandbox import Settings, create_app
from sandbox.contract import Document, encode, load
from sandbox.contract.document import control_folder
from sandbox.options import SettingsError
from sandbox.scenario import READY_MADE, ready_made_names
from sandbox.settings import ConfigTable, load_settings
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of
from tests.support.sse import KEYS, read

REFUND: dict[str, Any] = {
    "description": "A refund in three messages.",
    "settings": {"business": "retail", "pace": {"first_ms": 0, "delta_ms": 1}, "rate_limit": {"per_minute": 50}},
    "populate": {"conversations": 3, "users": 2},
    "faults": [{"kind": "status", "status": 503, "operation": "apps_api_get_app_config"}],
    "replies": [
        {
            "contains": ["refund", "remboursement"],
            "message": 1,
            "output": [
                {
                    "type": "message",
                    "text": {
                        "en": "Which order, {metadata.first_name|please}? ({agent})",
                        "fr": "Quelle commande, {metadata.first_name|svp}? ({agent})",
                    },
                }
            ],
            "title": {"en": "Refund of an order", "fr": "Remboursement d'une commande"},
        },
        {
            "matches": r"(?i)order (\d+)",
            "output": [
                {"type": "function_call", "name": "find_order", "arguments": {"number": "{match.1}", "n": 2}},
                {"type": "message", "text": "Looking for {match.1} {{as you said: {message}}}{match.7|…}"},
            ],
        },
        {"after_tool": "find_order", "output": [{"type": "message", "text": "Found and paid back."}]},
        {"message": 4, "output": [{"type": "fail", "message": {"en": "Overloaded.", "fr": "Surchargé."}}]},
    ],
}


def serving(**scenarios: dict[str, Any]) -> Settings:
    tables = {name: ConfigTable(table, Path("sandbox.toml"), ("scenarios", name)) for name, table in scenarios.items()}
    return Settings(now=NOW, scenarios=tables)


@pytest.fixture
def driver() -> AppDriver:
    """An app of a server that has the scenario `refund`."""
    return AppDriver(client_of(create_app(serving(refund=REFUND)), AUTH), "app_scene")


def put(driver: AppDriver, name: str | None) -> dict[str, Any]:
    answer = driver.call("PUT", "/scenario", {"name": name})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def say(driver: AppDriver, conversation: str, text: str) -> list[dict[str, Any]]:
    return list(driver.api.send(conversation, text, stream=False).json()["output"])


def texts(output: list[dict[str, Any]]) -> list[str]:
    return [part["text"] for item in output for part in item.get("content", [])]


def test_it_says_what_the_app_is_like_and_the_app_shows_it(driver: AppDriver) -> None:
    app = put(driver, "refund")
    assert (app["scenario"], app["settings"]["business"], app["settings"]["pace"]["delta_ms"]) == (
        "refund",
        "retail",
        1,
    )
    assert (app["counts"]["conversations"], app["counts"]["users"]) == (3, 2)
    assert driver.shown == app
    assert [fault["times"] for fault in driver.faults] == [None]
    assert driver.api.config().status_code == 503


def test_the_agent_says_its_replies_in_turn_and_by_match(driver: AppDriver) -> None:
    put(driver, "refund")
    agent = driver.settings["agent"]["name"]
    one = driver.api.created(metadata={"first_name": "Zoé"})
    assert texts(say(driver, one, "I want a REFUND")) == [f"Which order, Zoé? ({agent})"]
    call, *message = say(driver, one, "order 4471 {x}")
    assert (call["name"], call["arguments"]) == ("find_order", '{"number":"4471","n":2}')
    assert texts(message) == ["Looking for 4471 {as you said: order 4471 {x}}…"]
    assert texts(say(driver, one, "and now?")) == ["Found and paid back."]
    assert read(driver.api.stream(one, "Merci beaucoup")).error == "Surchargé."
    other = driver.api.created()
    assert texts(say(driver, other, "Je veux un remboursement"))[0].startswith("Quelle commande, svp?")


def test_its_title_is_that_of_the_first_exchange(driver: AppDriver) -> None:
    put(driver, "refund")
    conversation = driver.api.created()
    say(driver, conversation, "refund")
    shown = driver.api.get(conversation).json()
    assert shown["generated_title"] == {"en-ca": "Refund of an order", "fr-ca": "Remboursement d'une commande"}


def test_where_nothing_fits_the_simulated_agent_answers(driver: AppDriver) -> None:
    put(driver, "refund")
    said = texts(say(driver, driver.api.created(), "What are your opening hours?"))
    assert "9" in said[0]


def test_a_prompt_is_no_message_of_a_conversation(driver: AppDriver) -> None:
    put(driver, "refund")
    prompts = {text: driver.api.complete(text).json()["text"] for text in ("order 12", "refund")}
    assert prompts["order 12"].startswith("Looking for 12")
    assert "Which order" not in prompts["refund"]


def test_a_scripted_reply_goes_before(driver: AppDriver) -> None:
    put(driver, "refund")
    driver.reply({"type": "message", "text": {"en": "By hand.", "fr": "À la main."}})
    assert texts(say(driver, driver.api.created(), "Je voudrais un remboursement, merci")) == ["À la main."]


def test_taken_off_its_settings_replies_and_faults_go_and_its_data_stays(driver: AppDriver) -> None:
    before = driver.settings
    driver.set(pace={"first_ms": 7})
    driver.fault("status", status=500, operation="apps_api_get_app_metrics", times=None)
    put(driver, "refund")
    assert driver.settings["pace"] == {"first_ms": 7, "delta_ms": 1}
    app = put(driver, None)
    assert app["scenario"] is None
    assert app["settings"] == {**before, "pace": {"first_ms": 7, "delta_ms": 0}}
    assert app["counts"]["conversations"] == 3
    assert [fault["status"] for fault in driver.faults] == [500]


def test_a_snapshot_keeps_it_and_a_server_without_it_refuses(driver: AppDriver) -> None:
    put(driver, "refund")
    conversation = driver.api.created()
    snapshot = driver.call("GET", "/snapshot").json()
    expected = texts(say(driver, conversation, "order 9"))
    driver.call("DELETE")
    assert driver.call("PUT", "/snapshot", snapshot).json()["scenario"] == "refund"
    assert texts(say(driver, conversation, "order 9")) == expected
    put(driver, None)
    assert driver.settings["rate_limit"] is None
    elsewhere = client_of(create_app(), AUTH).put("/_sandbox/apps/app_scene/snapshot", json=snapshot)
    assert_error(elsewhere, 422, "invalid_request_error", param="scenario", code="not_allowed")


def test_the_same_scenario_gives_the_same_bytes() -> None:
    def play() -> list[str]:
        one = AppDriver(client_of(create_app(serving(refund=REFUND)), AUTH), "app_scene")
        put(one, "refund")
        conversation = one.api.created()
        said = [str(say(one, conversation, text)) for text in ("refund", "order 1", "ok", "hello")]
        return [*said, one.api.get(conversation).text, one.api.list().text]

    assert play() == play()


def test_an_unknown_name_is_404_with_the_one_that_was_meant(driver: AppDriver) -> None:
    answer = driver.call("PUT", "/scenario", {"name": "refnud"})
    assert_error(answer, 404, "not_found", param="name")
    assert "`refund`" in answer.json()["error"]["message"]
    assert driver.shown["scenario"] is None


def test_they_are_listed(driver: AppDriver) -> None:
    listed = driver.client.get("/_sandbox/scenarios").json()["data"]
    assert [(row["name"], row["ready_made"]) for row in listed] == sorted(
        [("refund", False), *((name, True) for name in ready_made_names())]
    )


# The ready-made ones


def test_each_ready_made_one_keeps_the_contract_and_speaks_both_languages() -> None:
    schema = load(control_folder()).schema("Scenario")
    tables = {path.stem: tomllib.loads(path.read_text()) for path in READY_MADE.glob("*.toml")}
    assert {name for name, table in tables.items() if schema.validate(Document(encode(table), table))} == set()
    pairs = re.compile(r"en = \"[^\"]+\", fr = \"[^\"]+\"")
    assert [name for name in tables if not pairs.search(READY_MADE.joinpath(f"{name}.toml").read_text())] == []
    wanted = {"empty", "busy", "slow", "angry customer", "outage", "human takeover", "every event"}
    assert ready_made_names() == wanted


def test_every_event_comes_once(driver: AppDriver) -> None:
    put(driver, "every event")
    conversation = driver.api.created()
    names = {event.name for text in ("Hello", "Again") for event in driver.api.stream(conversation, text)}
    assert names == {"response.created", *KEYS}


def test_an_outage_lasts_until_it_is_taken_off(driver: AppDriver) -> None:
    put(driver, "outage")
    down = [driver.api.config() for _ in range(3)]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in down] == [(503, "30")] * 3
    put(driver, None)
    assert driver.api.config().status_code == 200


def test_empty_begins_afresh(driver: AppDriver) -> None:
    first = driver.api.created()
    driver.set(status="inactive")
    put(driver, "empty")
    assert (driver.counts["conversations"], driver.settings["status"]) == (0, "live")
    assert driver.api.created() == first


def test_after_the_takeover_a_person_writes(driver: AppDriver) -> None:
    put(driver, "human takeover")
    conversation = driver.api.created()
    said = [say(driver, conversation, text) for text in ("My bill is wrong", "I don't know", "Thanks")]
    assert said[1][-1]["name"] == "transfer_to_agent"
    assert "Rosalie" in texts(said[2])[0]


# A conversation as a scenario


def test_a_conversation_becomes_a_scenario_that_says_the_same(driver: AppDriver) -> None:
    driver.set(generative_ui=True, business="clinic")
    one = driver.api.created()
    messages = ["[[form]]", "I need an appointment on Friday", '[[echo]] {braces} "quotes" \\ \u007f é', "[[tool]]"]
    said = [say(driver, one, text) for text in messages]
    file = driver.call("GET", f"/conversations/{one}/scenario").text
    again = AppDriver(client_of(create_app(serving(again=tomllib.loads(file))), AUTH), "app_other")
    put(again, "again")
    other = again.api.created()
    repeated = [say(again, other, f"Anything {number}") for number in range(len(messages))]

    def plain(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in item.items() if name != "call_id"} for item in output]

    assert list(map(plain, repeated)) == list(map(plain, said))
    titles = [each.api.get(id_).json()["generated_title"] for each, id_ in ((driver, one), (again, other))]
    assert titles[0] == titles[1]


def test_only_a_conversation_that_is_there_becomes_one(driver: AppDriver) -> None:
    assert_error(driver.call("GET", "/conversations/nothing/scenario"), 404, "not_found", param="conversation_id")


# The config

WRONG = [
    ('[scenarios."a/b"]', "1: a/b: expected a name"),
    ("[scenarios.a]\nfresh = 1", "2: scenarios.a.fresh: expected boolean"),
    (
        "[scenarios.a]\n[[scenarios.a.replies]]\noutput = []\n[[scenarios.a.replies]]\ncontains = 5",
        "5: scenarios.a.replies[1]",
    ),
    ('[[scenarios.a.replies]]\nmatches = "("\noutput = []', "2: scenarios.a.replies[0].matches: expected a regular"),
    (
        '[[scenarios.a.replies]]\noutput = [\n  { type = "message", text = "{nam}" },\n]',
        "2: scenarios.a.replies[0].output[0].text: expected one of {message}",
    ),
    ("[scenarios.a.settings]\npace = { first_ms = -1 }", "2: scenarios.a.settings.pace.first_ms"),
    ("[scenarios]\na = 5", " scenarios: expected tables such as [scenarios.app_support]"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_one_ends_the_start_with_file_line_and_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sandbox.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        create_app(load_settings({}, {}, file))
    assert str(caught.value).startswith(f"{file}:{message}")


def test_a_folder_has_one_in_each_file(tmp_path: Path) -> None:
    (tmp_path / "my refund.toml").write_text("description = 'Mine'\n")
    app = create_app(load_settings({"scenario_dir": str(tmp_path)}, {}, None))
    names = [row["name"] for row in client_of(app).get("/_sandbox/scenarios").json()["data"]]
    assert "my refund" in names
    config = tmp_path / "sandbox.toml"
    config.write_text("[scenarios.'my refund']\n")
    with pytest.raises(SettingsError, match="there is a scenario my refund in"):
        load_settings({"scenario_dir": str(tmp_path)}, {}, config)
    with pytest.raises(SettingsError, match="--scenario-dir: expected a folder, got"):
        load_settings({"scenario_dir": str(config)}, {}, None)


def test_a_changed_one_is_taken_with_all_data(driver: AppDriver) -> None:
    app = create_app(serving(refund=REFUND))
    one = AppDriver(client_of(app, AUTH), "app_scene")
    put(one, "refund")
    app.reload(serving(refund={**REFUND, "settings": {"business": "clinic"}, "replies": []}))
    assert (one.settings["business"], one.counts["conversations"]) == ("clinic", 3)
    app.reload(serving())
    assert one.shown["scenario"] is None
