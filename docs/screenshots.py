"""Makes the screenshots of docs/images/: `python -m docs.screenshots`. Wants Playwright and Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.conftest import serving
from tests.inspector.client import Client

IMAGES = Path(__file__).parent / "images"
WINDOW: ViewportSize = {"width": 1280, "height": 760}
APP = "app_checkout"


def main() -> None:
    """Fill a fresh server with a morning's work and photograph two views."""
    with serving("--quiet") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW, locale="en-CA", color_scheme="light")
        _work(Client(server.url))
        page.goto(f"{server.url}/_sandbox/#/requests?app={APP}")
        page.locator(".row", has_text="send message").last.click()
        page.locator(".detail-body .statuses").wait_for()
        page.screenshot(path=IMAGES / "requests.png")
        page.goto(f"{server.url}/_sandbox/#/playground/app_demo")
        _talk(page)
        page.screenshot(path=IMAGES / "playground.png")
        browser.close()


def _work(client: Client) -> None:
    client.control("PATCH", f"/apps/{APP}", {"pace": {"first_ms": 350, "delta_ms": 25}})
    conversation = client.create(APP, external_user_id="user_abc123", metadata={"first_name": "John"})
    client.say(APP, conversation, "I need help with my policy [[tool]]", stream=True)
    client.create(APP, external_user_id="user_abc123", titel="Support inquiry")
    client.call("POST", f"/v1/apps/{APP}/conversations", {"title": 5})
    client.control("POST", f"/apps/{APP}/faults", {"kind": "status", "status": 503})
    client.call("GET", f"/v1/apps/{APP}/conversations?limit=10")
    client.call("GET", f"/v1/apps/{APP}/conversations?limit=10")
    client.call("GET", f"/apps/{APP}/config")
    client.control("POST", f"/apps/{APP}/faults", {"kind": "stream_cut", "events": 5})
    client.call("POST", f"/v1/apps/{APP}/conversations/{conversation}", {"message": {"content": "Hi"}, "stream": False})
    client.call("GET", f"/v1/apps/{APP}/metrics")


def _talk(page: Page) -> None:
    page.get_by_role("textbox", name="Message to the agent").fill("Hello! I want to renew my home insurance [[form]]")
    page.keyboard.press("Enter")
    page.locator(".turn.assistant.done").wait_for(timeout=30_000)


if __name__ == "__main__":
    main()
