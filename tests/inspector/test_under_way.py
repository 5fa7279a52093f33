"""Requests under way and replies that failed, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.inspector.conftest import Open, rows
from tests.support.app_driver import AppDriver

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import expect


@pytest.fixture
def slow(driver: AppDriver) -> Iterator[ExitStack]:
    """A stream that stops after its first event, until this is closed."""
    driver.call("PATCH", "", {"pace": {"delta_ms": 600_000}})
    with ExitStack() as held:
        stream = held.enter_context(driver.open_stream())
        stream.read_until(b"response.created")
        yield held


def test_a_stream_shows_while_it_lasts_and_then_its_end(open_at: Open, slow: ExitStack, app: str) -> None:
    page = open_at(f"#/requests?app={app}")
    expect(rows(page).first).to_contain_text("under way")
    rows(page).first.click()
    expect(page.locator(".events li")).to_contain_text(["created"])
    slow.close()
    expect(rows(page).first).to_contain_text("client left")
    expect(page.locator(".detail-head")).to_contain_text("client left")


def test_a_request_that_hangs_shows_its_fault(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/requests?app={app}&only=problems")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    driver.fault("hang")
    with driver.post("/conversations", {}):
        expect(rows(page)).to_contain_text(["under way"])
        expect(rows(page)).to_contain_text(["⚡ hang"])
    expect(rows(page)).to_contain_text(["client left"])


def test_what_is_under_way_goes_with_its_app(open_at: Open, slow: ExitStack, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_have_count(2)
    driver.call("DELETE")
    expect(rows(page).filter(has_text="under way")).to_have_count(0)


def test_a_reply_that_failed_is_a_problem(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created()
    driver.api.send(conversation, "[[fail]]", stream=True)
    driver.api.send(conversation, "Hi", stream=True)
    page = open_at(f"#/requests?app={app}&only=problems")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("failed")
    expect(rows(page).locator(".s-failed")).to_have_text("200")


@pytest.mark.parametrize("where", ["#/faults/{app}", "#/requests?app={app}"])
def test_a_held_request_can_be_released(open_at: Open, driver: AppDriver, app: str, where: str) -> None:
    driver.fault("latency", until="released")
    page = open_at(where.format(app=app))
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    with driver.post("/conversations", {}) as held:
        if "requests" in where:
            expect(rows(page)).to_contain_text(["held"])
            rows(page).first.click()
        page.get_by_role("button", name="Release", exact=True).click()
        assert held.read_to_end().status_code == 200
    expect(page.get_by_role("button", name="Release", exact=True)).to_have_count(0)


def test_all_that_fills_an_app_can_be_of_one_user(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    page.get_by_label("or all of this user").fill("user_abc123")
    page.get_by_role("button", name="Populate").click()
    expect(page.get_by_role("table").get_by_text("user_abc123")).to_have_count(25)
