"""Makes the screenshots of docs/images/: `python -m docs.screenshots`. Wants Playwright and Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx2
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH
from tests.support.processes import serving

IMAGES = Path(__file__).parent / "images"
WINDOW: ViewportSize = {"width": 1280, "height": 760}
APP = "app_checkout"


def main() -> None:
    """Fill a fresh server with a morning's work and photograph two views."""
    with serving("--quiet") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW, locale="en-CA", color_scheme="light")
        with httpx2.Client(base_url=server.url, headers=AUTH) as client:
            _work(AppDriver(client, APP))
        page.goto(f"{server.url}/_sandbox/#/requests?app={APP}")
        page.locator(".row", has_text="send message").last.click()
        page.locator(".detail-body .statuses").wait_for()
        page.screenshot(path=IMAGES / "requests.png")
        page.goto(f"{server.url}/_sandbox/#/playground/app_demo")
        _talk(page)
        page.screenshot(path=IMAGES / "playground.png")
        browser.close()


def _work(app: AppDriver) -> None:
    app.set(pace={"first_ms": 350, "delta_ms": 25})
    conversation = app.api.created(external_user_id="user_abc123", metadata={"first_name": "John"})
    app.api.send(conversation, "I need help with my policy [[tool]]", stream=True)
    app.api.create(external_user_id="user_abc123", titel="Support inquiry")
    app.api.create(title=5)
    app.fault("status", status=503)
    app.api.list(limit=10)
    app.api.list(limit=10)
    app.client.get(f"/apps/{APP}/config")
    app.fault("stream_cut", events=5)
    app.api.send(conversation, "Hi", stream=False)
    app.api.metrics()


def _talk(page: Page) -> None:
    page.get_by_role("textbox", name="Message to the agent").fill("Hello! I want to renew my home insurance [[form]]")
    page.keyboard.press("Enter")
    page.locator(".turn.assistant.done").wait_for(timeout=30_000)


if __name__ == "__main__":
    main()
