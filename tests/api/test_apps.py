"""What an app tells of itself: configuration and metrics, and whether it answers (clauses 1.5, 2.9, 2.10, 5.6)."""

from __future__ import annotations

import re

import pytest

from sandbox.contract import load
from tests.api.conftest import MakeApi
from tests.support.api import Api
from tests.support.errors import assert_error
from tests.support.in_process import in_process

CONTRACT = load()


@pytest.mark.clause("2.9", "3.13")
def test_the_configuration_of_an_app_that_sets_nothing(api: Api) -> None:
    answer = api.config()

    assert answer.status_code == 200
    config = answer.json()
    assert CONTRACT.schema("AppConfig").is_valid(config)
    assert set(config) == {"app_id", "stream", "generative_ui", "agent"}
    assert set(config["agent"]) == {"name", "config"}
    assert (config["app_id"], config["stream"], config["generative_ui"]) == (api.app_id, False, False)
    assert config["agent"]["name"]
    assert set(config["agent"]["config"]) == {"primary_color", "secondary_color"}
    assert all(re.fullmatch(r"#[0-9a-fA-F]{6}", colour) for colour in config["agent"]["config"].values())


@pytest.mark.clause("2.9", "3.13")
def test_the_configuration_shows_what_is_set(make_api: MakeApi) -> None:
    agent = {"name": "Léa", "primary_color": "#1a73e8", "secondary_color": "#000000"}
    api = make_api(stream=True, generative_ui=True, agent=agent)

    assert api.config().json() == {
        "app_id": "app_spec",
        "stream": True,
        "generative_ui": True,
        "agent": {"name": "Léa", "config": {"primary_color": "#1a73e8", "secondary_color": "#000000"}},
    }


@pytest.mark.clause("2.9")
def test_what_the_agents_look_leaves_out_is_chosen_by_the_seed(make_api: MakeApi) -> None:
    chosen = make_api().config().json()["agent"]

    agent = make_api(agent={"name": "Léa"}).config().json()["agent"]

    assert agent == {"name": "Léa", "config": chosen["config"]}


@pytest.mark.clause("2.9")
def test_apps_have_agents_of_their_own(api: Api) -> None:
    names = {Api(api.transport, f"app_{n}").config().json()["agent"]["name"] for n in range(20)}

    assert len(names) > 5


@pytest.mark.clause("2.10", "3.14")
def test_the_metrics_of_an_unused_app_are_zero(api: Api) -> None:
    answer = api.metrics()

    assert answer.status_code == 200
    assert CONTRACT.schema("AppMetrics").is_valid(answer.json())
    assert answer.json() == {"total_conversations": 0, "total_messages": 0, "total_users": 0}


@pytest.mark.clause("2.10", "5.6", "5.3")
def test_metrics_count_conversations_messages_of_both_roles_and_distinct_users(api: Api) -> None:
    ids = [api.created(external_user_id=user) for user in ("ann", "ann", "bob", "", None)]
    for text in ("hello", "[[fail]]"):
        api.send(ids[0], text)

    assert api.metrics().json() == {"total_conversations": 5, "total_messages": 3, "total_users": 3}


@pytest.mark.clause("5.5", "5.6")
def test_what_is_deleted_counts_on(api: Api) -> None:
    conversation = api.created(external_user_id="ann")
    api.send(conversation, "hello")

    api.delete(conversation)

    assert api.metrics().json() == {"total_conversations": 1, "total_messages": 2, "total_users": 1}


@pytest.mark.clause("5.6")
def test_metrics_count_one_app_alone(api: Api) -> None:
    api.created(external_user_id="ann")

    assert api.beside().metrics().json()["total_conversations"] == 0


@pytest.mark.clause("1.5")
def test_changed_settings_take_effect_for_new_requests(api: Api) -> None:
    conversation = api.created()
    api.set(stream=True, titles="after_first_exchange", generative_ui=True)

    assert (api.config().json()["stream"], api.config().json()["generative_ui"]) == (True, True)
    assert api.send(conversation, "hello").headers["content-type"].startswith("text/event-stream")
    assert api.create().json()["generated_title"] is None

    api.set(status="inactive")
    assert_error(api.get(conversation), 403, "app_inactive")
    api.set(status="live")
    assert api.roles(conversation) == "ua"


@pytest.mark.clause("1.2")
@pytest.mark.parametrize("keys", [None, ["sk_test_other", "sk_live_mine"]])
def test_the_apps_own_keys_open_it(keys: list[str] | None) -> None:
    with in_process(key="sk_live_mine", apps={"app_spec": {"keys": keys}}) as client:
        assert Api(client).config().status_code == 200


@pytest.mark.clause("1.2")
def test_an_app_without_keys_opens_to_none(make_api: MakeApi) -> None:
    assert_error(make_api(keys=[]).config(), 403, "access_denied")
