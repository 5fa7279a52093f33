"""Scenarios in the inspector: put on by a click, and made of a conversation."""

from __future__ import annotations

import tomllib

import pytest

from sandbox.agent.businesses import NAMES
from tests.inspector.conftest import Open
from tests.support.app_driver import AppDriver

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import expect


def test_one_is_put_on_and_taken_off_by_a_click(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    choice = page.get_by_label("The app’s scenario")
    choice.select_option("outage")
    expect(page.get_by_text("The app has the scenario outage.")).to_be_visible()
    expect(page.get_by_text("Every operation answers 503")).to_be_visible()
    assert driver.shown["scenario"] == "outage"
    choice.select_option("none")
    expect(page.get_by_text("No scenario any more.")).to_be_visible()
    assert driver.shown["scenario"] is None


def test_a_conversation_is_saved_as_one(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created()
    driver.api.send(conversation, "[[echo]] See you tomorrow.", stream=False)
    page = open_at(f"#/playground/{app}/{conversation}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a scenario").click()
    (reply,) = tomllib.loads(download.value.path().read_text(encoding="utf-8"))["replies"]
    assert reply["output"] == [{"type": "message", "text": "See you tomorrow."}]


def test_the_business_is_a_setting_like_others(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    choice = page.get_by_label("business")
    expect(choice.locator("option")).to_have_text(list(NAMES))
    choice.select_option("school")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert driver.settings["business"] == "school"


def test_the_provisional_title_gives_way_to_that_of_the_first_exchange(
    open_at: Open, driver: AppDriver, app: str
) -> None:
    driver.set(business="banking")
    conversation = driver.api.created()
    page = open_at(f"#/playground/{app}/{conversation}")
    page.get_by_role("textbox", name="Message to the agent").fill("My card was declined at Costco")
    page.keyboard.press("Enter")
    expect(page.locator(".titles dd[lang='en-ca']")).to_have_text("Declined debit card")
    assert driver.api.get(conversation).json()["generated_title"]["en-ca"] == "Declined debit card"
