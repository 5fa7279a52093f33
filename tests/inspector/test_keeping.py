"""Apps in the inspector: the verdict on a client, and a snapshot as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.inspector.conftest import Open
from tests.support.app_driver import AppDriver

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import Page, expect


def test_a_good_client_has_nothing_held_against_it(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(title="x")
    page = open_at(f"#/apps/{app}/verdict")
    expect(page.get_by_text("Nothing is held against it.")).to_be_visible()


def test_a_finding_leads_to_its_requests(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(titel="x")
    page = open_at(f"#/apps/{app}")
    page.get_by_role("link", name="Verdict").click()
    expect(page.get_by_text("unknown field titel (did you mean title?)")).to_be_visible()
    page.get_by_role("link", name=re.compile("^req_")).click()
    expect(page.get_by_role("heading", name="Create conversation")).to_be_visible()


def test_a_verdict_follows_its_client(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}/verdict")
    expect(page.get_by_text("Nothing is held against it.")).to_be_visible()
    driver.api.created(titel="x")
    expect(page.get_by_text("1 finding")).to_be_visible()


def test_what_the_page_does_is_not_judged(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    page = open_at(f"#/playground/{app}")
    page.get_by_role("textbox", name="Message to the agent").fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn.assistant")).to_be_visible()
    judged = open_at(f"#/apps/{app}/verdict")
    expect(judged.get_by_text("Nothing is held against it.")).to_be_visible()


def saved(page: Page) -> Path:
    """Download the snapshot and return its file."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    return download.value.path()


def restored(page: Page, file: Path) -> None:
    """Replace the app with what the file says."""
    page.get_by_label("A snapshot’s file").set_input_files(file)
    page.get_by_role("button", name="Put it back").click()


def test_a_snapshot_is_put_back_under_another_id(open_at: Open, driver: AppDriver, app: str) -> None:
    conversation = driver.api.created(title="Kept", metadata={"n": 1.0, "big": 2**60 + 1})
    file = saved(open_at(f"#/apps/{app}"))
    page = open_at(f"#/apps/{app}_again")
    restored(page, file)
    expect(page.get_by_role("link", name="Kept")).to_be_visible()
    path = f"conversations/{conversation}"
    again, before = (driver.client.get(f"/v1/apps/{name}/{path}") for name in (f"{app}_again", app))
    assert (again.status_code, again.json()) == (before.status_code, before.json())


@pytest.mark.parametrize(("with_secrets", "shown"), [(False, False), (True, True)])
def test_a_snapshot_has_secrets_only_when_asked(
    open_at: Open, driver: AppDriver, app: str, with_secrets: bool, shown: bool
) -> None:
    driver.call("PATCH", "", {"keys": ["sk_test_0123456789WXYZ"]})
    page = open_at(f"#/apps/{app}")
    page.get_by_label("with keys and webhook secrets").set_checked(with_secrets)
    assert ("0123456789" in saved(page).read_text(encoding="utf-8")) is shown


@pytest.mark.parametrize("content", ["not JSON", json.dumps({"version": 10**6}), "{}"])
def test_a_file_that_is_no_snapshot_changes_nothing(
    open_at: Open, driver: AppDriver, app: str, tmp_path: Path, content: str
) -> None:
    driver.api.created(title="Kept")
    file = tmp_path / "snapshot.json"
    file.write_text(content, encoding="utf-8")
    page = open_at(f"#/apps/{app}")
    restored(page, file)
    expect(page.locator(".toast.bad")).to_be_visible()
    assert driver.counts["conversations"] == 1


def test_the_coverage_says_what_the_client_never_met(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    page = open_at(f"#/apps/{app}")
    page.get_by_role("link", name="Coverage").click()
    row = page.get_by_role("row").filter(has_text="stream events")
    expect(row).to_contain_text("0 / 10")
    expect(row).to_contain_text("response.failed")
    expect(page.get_by_role("row").filter(has_text="operations").first).to_contain_text("1 / 10")
