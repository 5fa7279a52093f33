"""The door to the inspector: a real browser at a real server. Skipped, with the reason, where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.app_driver import AppDriver
from tests.support.processes import Server, http_client

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Open = Callable[..., "Page"]


def requires_browser() -> str:
    """Return the path of Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or pytest.skip("needs Chromium, which is not installed")


def requires_axe() -> str:
    """Return the source of axe-core, found in the `node_modules` of the folder that SANDBOX_NODE_MODULES names."""
    place = os.environ.get("SANDBOX_NODE_MODULES")
    if not place:
        pytest.skip("needs axe-core: SANDBOX_NODE_MODULES is not set")
    return (Path(place) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def rows(page: Page) -> Locator:
    """Return the rows of the list of requests."""
    return page.get_by_role("listbox", name="Requests, newest first").get_by_role("option")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module."""
    path = requires_browser()
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: English, light, wide."""
    from playwright.sync_api import expect  # not installed everywhere

    fresh = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-CA", color_scheme="light")
    fresh.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    yield fresh
    fresh.close()


@pytest.fixture
def open_at(context: BrowserContext, server: Server) -> Iterator[Open]:
    """Return a function that opens an address of the inspector; what the page complains of fails the test."""
    complaints: list[str] = []

    def open_(address: str = "", url: str = server.url) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{url}/_sandbox/{address}")
        return page

    yield open_
    assert complaints == []


@pytest.fixture
def app(app_id: str) -> str:
    """An app id that nobody else uses."""
    return app_id


@pytest.fixture
def driver(server: Server, app: str) -> Iterator[AppDriver]:
    """What a person's program sends to the app while the inspector watches."""
    with http_client(server) as client:
        yield AppDriver(client, app)
