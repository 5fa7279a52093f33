"""The setting `business`: what an app's agent works for, in titles, replies, demo data; and its ledger in snapshots."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.agent.businesses import NAMES, business
from sandbox.agent.text import detect
from tests.control.conftest import MakeDriver
from tests.support.api import texts
from tests.support.app_driver import AppDriver
from tests.support.requirements import examples

JSON = {"Content-Type": "application/json"}


def title_of(driver: AppDriver, conversation: str) -> dict[str, str]:
    return driver.api.get(conversation).json()["generated_title"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NAMES)
def test_opening_and_titles_are_those_of_the_business(driver: AppDriver, name: str) -> None:
    driver.set(business=name)
    assert driver.settings["business"] == name
    said = texts(driver.api.send(driver.api.created(), "hello").json())
    assert business(name).facts["company"].en in said


def test_without_one_the_seed_chooses_and_apps_differ(make_driver: MakeDriver) -> None:
    chosen = [make_driver(f"app_{number}").settings["business"] for number in range(40)]
    assert set(chosen) <= set(NAMES)
    assert len(set(chosen)) > 5
    driver = make_driver("app_0")
    driver.set(business="school")
    driver.set(business=None)
    assert driver.settings["business"] == chosen[0]


def test_one_that_is_not_known_is_refused(driver: AppDriver) -> None:
    answer = driver.set(business="circus")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "business")


@pytest.mark.clause("5.1")
def test_the_first_exchange_makes_the_title_anew_and_the_second_does_not(driver: AppDriver) -> None:
    driver.set(business="banking")
    one = driver.api.created()
    born = title_of(driver, one)
    driver.api.send(one, "My debit card was declined at the store")
    after = title_of(driver, one)
    driver.api.send(one, "What are your mortgage rates?")
    assert born != after == title_of(driver, one)
    assert after == {"en-ca": "Declined debit card", "fr-ca": "Carte de débit refusée"}


@pytest.mark.clause("5.1")
@pytest.mark.parametrize("told", [{"title": "Mortgage renewal"}, {"metadata": {"topic": "mortgage"}}], ids=str)
def test_a_topic_that_was_told_keeps_its_title(driver: AppDriver, told: dict[str, Any]) -> None:
    driver.set(business="banking")
    one = driver.api.created(**told)
    born = title_of(driver, one)
    driver.api.send(one, "My debit card was declined at the store")
    assert title_of(driver, one) == born


@pytest.mark.clause("5.1")
def test_an_exchange_that_failed_leaves_the_title_to_the_next(driver: AppDriver) -> None:
    driver.set(business="banking")
    one = driver.api.created()
    born = title_of(driver, one)
    driver.api.send(one, "[[fail]] hello")
    assert title_of(driver, one) == born
    driver.api.send(one, "My debit card was declined at the store")
    assert title_of(driver, one)["en-ca"] == "Declined debit card"


def test_populate_writes_about_the_business_in_both_languages(driver: AppDriver) -> None:
    driver.set(business="restaurant")
    driver.call("POST", "/populate", {"conversations": 30, "messages": 4, "users": 5})
    assert (driver.counts["conversations"], driver.counts["messages"], driver.counts["users"]) == (30, 120, 5)
    known = {entry.title for entry in business("restaurant").entries.values()}
    titles, languages = set(), set()
    for row in driver.api.list(limit=100).json()["data"]:
        titles.add(tuple(row["generated_title"].values()))
        items = driver.api.get(row["id"]).json()["items"]
        assert [item["role"] for item in items] == ["user", "assistant"] * 2
        languages.add(detect(items[0]["parts"][0]["text"]))
    assert titles <= known
    assert len(titles) > 10
    assert languages == {"en", "fr"}


def test_a_snapshot_keeps_the_agents_open_question(make_driver: MakeDriver) -> None:
    first, second = make_driver("app_first"), make_driver("app_second")
    first.set(business="banking")
    one = first.api.created()
    first.api.send(one, "My debit card was declined at the store")
    document = first.call("GET", "/snapshot").content
    url = f"/_sandbox/apps/{second.app_id}/snapshot"
    assert second.client.put(url, content=document, headers=JSON).status_code == 200
    assert "2207" in texts(second.api.send(one, "2207").json())
    assert "2207" in texts(first.api.send(one, "2207").json())


# Days and times that are not as the agent writes them, or lie where no calendar goes on.
TIMES = st.sampled_from(
    [
        "2026-12-04",
        "2026-12-04T10:00",
        "2026-12-04T10:00+05:00",
        "20261204",
        "2026-W49-5",
        "9999-12-31",
        "0001-01-01T00:00",
    ]
)
LEDGERS = st.fixed_dictionaries(
    {},
    optional={
        "lang": st.sampled_from(["", "en", "fr", "xx"]),
        "topic": st.sampled_from(["", "card", "nothing"]),
        "told": st.dictionaries(
            st.sampled_from(["day", "time", "when", "since", "date", "part", "phone"]), TIMES | st.text()
        ),
        "asked": st.sampled_from(["when", "offer", "confirm", "ref", "detail", "phone", "date", "nothing"]),
        "entry": st.sampled_from(
            ["", "card_declined", "human", "cancel_booking", "move_booking", "privacy", "nothing"]
        ),
        "options": st.lists(TIMES | st.text(), max_size=3),
        "booking": st.dictionaries(st.sampled_from(["slot", "entry", "number"]), TIMES | st.text()),
        "said": st.lists(st.text(), max_size=3),
        "misses": st.integers(0, 3),
        "rounds": st.sampled_from([0, 1, 1_000_000]),
        "safety": st.sampled_from(["", "self_harm", "nothing"]),
        "stopped": st.booleans(),
        "handed_over": st.booleans(),
    },
)


@settings(
    max_examples=examples(200, quick=60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    ledger=LEDGERS,
    message=st.sampled_from(
        ["yes", "the first one", "Friday at 10", "cancel my appointment", "other times", "when is it?", "no", "hello"]
    ),
)
def test_a_ledger_that_was_written_by_hand_breaks_nothing(driver: AppDriver, ledger: Any, message: str) -> None:
    driver.set(business="banking")
    one = driver.api.created()
    driver.api.send(one, "My debit card was declined at the store")
    document = driver.call("GET", "/snapshot").json()
    document["conversations"][-1]["ledger"] = ledger
    url = f"/_sandbox/apps/{driver.app_id}/snapshot"
    put = driver.client.put(url, content=json.dumps(document), headers=JSON)
    assert put.status_code == 200, put.text
    assert driver.api.send(one, message).status_code == 200
    driver.call("DELETE")
