"""The playground and the faults in a real browser: a chat as it streams, a form filled in, a fault that hits."""

from __future__ import annotations

import re

import pytest

from tests.inspector.conftest import Open
from tests.support.app_driver import AppDriver

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import Locator, Page, Route, expect


def say(page: Page, text: str) -> None:
    """Send a message and wait for the end of its reply."""
    before = page.get_by_role("article", name="Agent").count()
    page.get_by_role("textbox", name="Message to the agent").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="Agent")).to_have_count(before + 1)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def last(page: Page) -> Locator:
    return page.get_by_role("article", name="Agent").last


def wire(page: Page) -> Locator:
    return page.get_by_role("region", name="On the wire").last


def test_a_chat_streams(open_at: Open, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    say(page, "[[echo]] one **two** three")
    expect(last(page)).to_have_text("one two three")
    expect(last(page).locator("strong")).to_have_text("two")
    expect(wire(page)).to_contain_text("output_text.delta")
    expect(page.get_by_text("en-ca", exact=True)).to_be_visible()
    expect(page.get_by_text("fr-ca", exact=True)).to_be_visible()


def test_a_chat_comes_as_json(open_at: Open, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    page.get_by_role("switch", name="Stream").uncheck()
    say(page, "[[echo]] whole")
    expect(last(page)).to_have_text("whole")
    expect(wire(page)).to_contain_text('"object": "response"')


def test_a_conversation_stands_in_the_address(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created(title="Kept", metadata={"first_name": "John"})
    driver.api.send(conversation, "[[echo]] remembered")
    page = open_at(f"#/playground/{app}/{conversation}")
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    expect(last(page)).to_have_text("remembered")


def test_what_is_said_while_a_conversation_opens_goes_there(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created()
    page = open_at("#/apps")
    held: list[Route] = []
    page.route(f"**/conversations/{conversation}", lambda route: held.append(route), times=1)
    with page.expect_request(f"**/conversations/{conversation}"):
        page.goto(page.url.replace("#/apps", f"#/playground/{app}/{conversation}"))
    page.get_by_role("textbox", name="Message to the agent").fill("[[echo]] early")
    page.keyboard.press("Enter")
    held[0].continue_()
    expect(last(page)).to_have_text("early")
    assert [row["id"] for row in driver.api.list().json()["data"]] == [conversation]


@pytest.mark.parametrize("stream", [True, False])
def test_a_form_is_filled_in_and_submitted(open_at: Open, driver: AppDriver, app: str, stream: bool) -> None:
    form = {"type": "form", "title": "You", "fields": [{"label": "Name"}, {"label": "Call me", "type": "Switch"}]}
    driver.call("POST", "/replies", {"output": [form]})
    driver.call("PATCH", "", {"generative_ui": True})
    page = open_at(f"#/playground/{app}")
    page.get_by_role("switch", name="Stream").set_checked(stream)
    say(page, "hello")
    last(page).get_by_label("Name").fill("Ada")
    page.get_by_role("switch", name="Call me").check()
    last(page).get_by_role("button").click()
    expect(page.get_by_role("article", name="User").last).to_have_text("Name: Ada\nCall me: Yes")
    expect(page.get_by_role("article", name="Agent")).to_have_count(2)


def test_tools_of_both_kinds_are_told_apart(open_at: Open, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    say(page, "[[tool]]")
    expect(last(page).get_by_text("tool mapping")).to_be_visible()
    expect(last(page).get_by_text("client tool")).to_be_visible()


def test_a_failed_reply_says_so(open_at: Open, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    say(page, "[[fail]]")
    expect(last(page)).to_have_class(re.compile("failed"))


def test_the_agent_speaks_the_language_of_the_switch(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    page.get_by_label("Language").select_option("fr-ca")
    say(page, "12345")
    sent = driver.api.list().json()
    assert sent["data"][0]["metadata"] == {"language": "fr-ca"}


def test_pace_and_framing_are_settings_of_the_app(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    page.get_by_label("Framing").select_option("multiline")
    page.get_by_label("Pace").select_option("natural")
    expect(page.get_by_label("Pace")).to_have_value("natural")
    say(page, "[[echo]] héé 👩‍👩‍👧‍👦")
    expect(last(page)).to_have_text("héé 👩‍👩‍👧‍👦")
    settings = driver.settings
    assert (settings["framing"], settings["pace"]["delta_ms"]) == ("multiline", 25)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x](javascript:alert(1))", "x"),
        ("[x](data:text/html,hi)", "x"),
        ("[x](JaVaScRiPt:alert(1))", "x"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('<a href="https://example.com">x</a>', '<a href="https://example.com">x</a>'),
    ],
)
def test_hostile_markdown_is_dead(open_at: Open, app: str, text: str, shown: str) -> None:
    page = open_at(f"#/playground/{app}")
    say(page, f"[[echo]] {text}")
    expect(last(page)).to_have_text(shown)
    expect(last(page).locator("a[href^='javascript'], a[href^='data'], script")).to_have_count(0)


def test_a_link_is_alive_and_an_image_is_not_loaded(open_at: Open, app: str) -> None:
    page = open_at(f"#/playground/{app}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    say(page, "[[echo]] [x](https://example.com/a) ![cat](https://example.com/cat.png)")
    expect(last(page).get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
    expect(last(page).locator("img")).to_have_count(0)
    assert [url for url in asked if "example.com" in url] == []


def test_a_fault_is_queued_by_a_click_and_hits(open_at: Open, app: str) -> None:
    page = open_at(f"#/faults/{app}")
    page.get_by_role("button", name="503 Unavailable").click()
    expect(page.get_by_role("region", name="Waiting")).to_contain_text("status=503")
    page.get_by_role("link", name="Try it in the playground").click()
    say(page, "hello")
    expect(last(page)).to_contain_text("503: The sandbox answers 503")


def test_a_fault_of_one_operation_hits_a_message(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created()
    page = open_at(f"#/faults/{app}")
    page.get_by_label(re.compile("^On")).select_option("apps_api_send_message")
    page.get_by_role("button", name="Cut the stream").click()
    expect(page.get_by_role("region", name="Waiting")).to_contain_text("once more")
    page.goto(page.url.replace(f"faults/{app}", f"playground/{app}/{conversation}"))
    say(page, "a message long enough to be cut in the middle of its answer")
    expect(last(page)).to_contain_text("The connection broke before the end.")
    page.goto(page.url.replace(f"playground/{app}/{conversation}", f"faults/{app}"))
    waiting = page.get_by_role("region", name="Waiting")
    expect(waiting).to_contain_text("Nothing waits.")
    expect(waiting.get_by_role("link")).to_contain_text("stream_cut")


def test_what_the_page_reads_uses_no_fault_up(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    driver.fault("status", status=500)
    page = open_at(f"#/apps/{app}")
    page.get_by_role("table").wait_for()
    assert len(driver.faults) == 1


def test_a_scripted_reply_is_said(open_at: Open, app: str) -> None:
    page = open_at(f"#/faults/{app}/replies")
    page.get_by_role("button", name="Text in French").click()
    expect(page.get_by_role("region", name="Waiting")).to_contain_text("any message")
    page.get_by_role("link", name="Try it in the playground").click()
    say(page, "hello")
    expect(last(page)).to_contain_text("mardi à 10 h")


def test_a_fault_is_taken_out(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.fault("reset")
    page = open_at(f"#/faults/{app}")
    page.get_by_role("button", name="Remove reset").click()
    expect(page.get_by_role("region", name="Waiting")).to_contain_text("Nothing waits.")


def test_a_fault_of_ones_own_is_refused_with_the_reason(open_at: Open, app: str) -> None:
    page = open_at(f"#/faults/{app}")
    page.get_by_text("A fault of your own, as JSON").click()
    page.get_by_role("textbox", name="A fault of your own, as JSON").fill('{"kind": "nothing"}')
    page.get_by_role("button", name="Queue", exact=True).click()
    expect(page.get_by_role("status").last).to_contain_text("kind: expected")
