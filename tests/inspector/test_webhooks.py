"""Webhooks in the inspector: who is told, what was sent and what came back, again, and by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.inspector.conftest import Open, requires_axe
from tests.inspector.test_views import violations
from tests.support.app_driver import AppDriver

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import Locator, Page, expect

EVENTS = ["chat.started", "chat.human_required", "task.completed"]


@dataclass
class Receiver:
    """A server that is told: where it is, what it answers, what it was sent."""

    url: str = ""
    status: int = 200
    told: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(open_at: Open, driver: AppDriver, app: str, receiver: Receiver) -> Page:
    """The webhooks of an app whose time stands still, so that nothing is sent again by itself."""
    driver.freeze(1_800_000_000)
    hook = {"url": receiver.url, "secret": "whsec_0123456789abcdef", "events": EVENTS}
    driver.call("PATCH", "", {"webhooks": [hook]})
    return open_at(f"#/apps/{app}/webhooks")


def send(page: Page, kind: str) -> None:
    """Send a webhook by hand."""
    page.get_by_label("What happened").select_option(kind)
    page.get_by_role("button", name="Send", exact=True).click()


def deliveries(page: Page) -> Locator:
    """What was sent, a line each."""
    return page.locator(".items > li")


def test_the_receivers_are_shown_without_their_secrets(page: Page, receiver: Receiver) -> None:
    page.locator("summary", has_text=receiver.url).click()
    expect(page.get_by_text("whsec_…cdef")).to_be_visible()
    expect(page.get_by_text("0123456789abcdef")).to_have_count(0)


def test_one_is_sent_by_hand(page: Page, receiver: Receiver) -> None:
    send(page, "chat.human_required")
    expect(page.get_by_text("delivered", exact=True)).to_be_visible()
    assert [told["type"] for told in receiver.told] == ["chat.human_required"]


def test_all_nine_can_be_chosen(page: Page) -> None:
    expect(page.get_by_label("What happened").locator("option")).to_have_count(9)


def test_that_nobody_is_told_is_said(page: Page, receiver: Receiver) -> None:
    send(page, "chat.ended")
    expect(page.get_by_text("No webhook of this app receives chat.ended")).to_be_visible()
    assert receiver.told == []


def test_what_a_conversation_sends_comes_by_itself(page: Page, driver: AppDriver) -> None:
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    driver.api.send(driver.api.created(), "Hello")
    expect(deliveries(page)).to_contain_text(["chat.started"])
    expect(deliveries(page)).to_contain_text("delivered")


def test_a_failed_one_is_delivered_again(page: Page, receiver: Receiver) -> None:
    receiver.status = 500
    send(page, "task.completed")
    line = deliveries(page)
    expect(line).to_contain_text("500")
    expect(line).to_contain_text("Next attempt:")
    receiver.status = 204
    line.get_by_role("button", name="Redeliver").click()
    expect(line).to_contain_text("delivered")
    first, again = receiver.told
    assert first == again


def test_every_attempt_is_shown(page: Page, receiver: Receiver, driver: AppDriver) -> None:
    receiver.status = 503
    send(page, "task.completed")
    line = deliveries(page)
    expect(line).to_contain_text("1 attempt")
    driver.advance(60)
    expect(line).to_contain_text("5 attempts")
    line.get_by_text("5 attempts").click()
    expect(line.locator("ol li")).to_have_count(5)
    expect(line.locator("ol li").first).to_contain_text("v1=")


def test_the_keyboard_is_enough(page: Page, receiver: Receiver) -> None:
    send(page, "chat.started")
    expect(page.get_by_text("delivered", exact=True)).to_be_visible()
    page.get_by_role("button", name="Redeliver").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 attempts")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 820, 480])
def test_the_view_is_not_wider_than_the_window(page: Page, width: int) -> None:
    send(page, "chat.started")
    page.get_by_text("1 attempt").click()
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("Math.max(document.body.scrollWidth, document.getElementById('main').scrollWidth)") <= width


def test_the_view_is_accessible_in_both_themes_and_languages(page: Page) -> None:
    axe = requires_axe()
    send(page, "chat.started")
    page.get_by_text("1 attempt").click()
    page.evaluate(axe)
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="Livraisons")).to_be_visible()
    assert [*found, *violations(page)] == []
