"""The list of requests in a real browser: live, filtered, opened, sent again."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.inspector.conftest import Open, rows
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH
from tests.support.processes import Server, serving
from tests.support.raw_connection import head, open_connection

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import BrowserContext, Locator, Page, expect

HOSTILE = "<img src=x onerror=\"document.title='hit'\">"


def open_only_row(page: Page) -> None:
    expect(rows(page)).to_have_count(1)
    rows(page).click()
    expect(detail(page)).to_be_visible()


def detail(page: Page) -> Locator:
    return page.get_by_role("region", name="The request").last


def test_a_request_shows_as_it_happens(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/requests?app={app}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    driver.api.created()
    row = rows(page)
    expect(row).to_contain_text("create conversation")
    expect(row).to_contain_text("200")


def test_the_newest_is_on_top(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    driver.api.metrics()
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_contain_text(["get app metrics", "create conversation"])


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("op=apps_api_get_app_metrics", ["get app metrics"]),
        ("status=4xx", ["update conversation"]),
        ("q=needle", ["create conversation"]),
        # words stand in any order, in the answer too
        ("q=needle+created_at", ["create conversation"]),
        ("only=problems", ["update conversation"]),
        ("q=nothing+has+this", []),
    ],
)
def test_a_filter_stands_in_the_address(
    open_at: Open, driver: AppDriver, app: str, query: str, left: list[str]
) -> None:
    driver.api.created(title="Needle")
    driver.api.update("none", title="x")
    driver.api.metrics()
    page = open_at(f"#/requests?app={app}&{query}")
    expect(page.get_by_role("status").filter(has_text=f"{len(left)} request")).to_be_visible()
    expect(rows(page)).to_contain_text(left)


def test_a_filter_is_chosen_and_cleared(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    driver.api.metrics()
    page = open_at()
    page.get_by_label("App", exact=True).select_option(app)
    page.get_by_label("Operation", exact=True).select_option("apps_api_get_app_metrics")
    expect(rows(page)).to_have_count(1)
    assert f"app={app}" in page.url
    page.get_by_role("button", name="Clear filters").click()
    assert "app=" not in page.url


def test_a_pause_holds_the_list_still(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    page = open_at(f"#/requests?app={app}")
    page.get_by_role("button", name="Pause").click()
    driver.api.created()
    page.get_by_role("button", name="Resume (1 new)").wait_for()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(rows(page)).to_have_count(2)


def test_a_misspelt_field_is_explained(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(titel="x")
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_contain_text("1 warning")
    open_only_row(page)
    expect(detail(page)).to_contain_text("did you mean title?")
    expect(detail(page)).to_contain_text("Create a conversation")


def test_a_violation_is_explained(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.create(title=5)
    page = open_at(f"#/requests?app={app}")
    open_only_row(page)
    expect(detail(page)).to_contain_text("title: expected string or null, got 5")
    expect(detail(page)).to_contain_text("sk_…")


def test_a_body_is_shown_pretty_or_raw(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(metadata={"a": 1})
    page = open_at(f"#/requests?app={app}")
    open_only_row(page)
    body = detail(page).locator("pre").last
    expect(body).to_have_text('{\n  "metadata": {\n    "a": 1\n  }\n}')
    page.get_by_label("Raw").check()
    expect(body).to_have_text('{"metadata":{"a":1}}')


def test_a_stream_stands_on_a_line_of_time(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.send(driver.api.created(), "[[echo]] one two", stream=True)
    page = open_at(f"#/requests?app={app}&op=apps_api_send_message")
    open_only_row(page)
    events = detail(page).get_by_role("listitem").filter(has=page.locator("summary"))
    expect(events.first).to_contain_text("created")
    expect(events.last).to_contain_text(re.compile(r"\+.* ms.*completed"))
    expect(detail(page).get_by_role("img")).to_have_attribute("aria-label", re.compile("longest gap"))


def test_a_request_is_sent_again(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(title="Once more")
    page = open_at(f"#/requests?app={app}")
    open_only_row(page)
    first = page.url
    page.get_by_role("button", name="Replay").click()
    expect(rows(page)).to_have_count(2)
    expect(page).not_to_have_url(first)
    expect(detail(page)).to_contain_text('"title": "Once more"')


def test_a_request_is_copied_as_curl(open_at: Open, driver: AppDriver, app: str, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    driver.api.created()
    page = open_at(f"#/requests?app={app}")
    open_only_row(page)
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert "$DIMEDOVE_API_KEY" in page.evaluate("navigator.clipboard.readText()")


def test_an_address_opens_its_request(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    [entry] = driver.requests()
    page = open_at(f"#/requests/{entry['id']}?app={app}")
    expect(page.get_by_role("heading", name="Create conversation")).to_be_visible()


def test_a_request_that_is_gone_says_so(open_at: Open) -> None:
    expect(open_at("#/requests/req_000000000000000000000000").get_by_text("not in the journal")).to_be_visible()


def test_the_keyboard_is_enough(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    driver.api.metrics()
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create conversation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="The request")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("metrics")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_hostile_content_is_text(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created(title=HOSTILE)
    driver.client.get(f"/v1/apps/{app}/{HOSTILE.replace(' ', '%20')}")
    page = open_at(f"#/requests?app={app}&op=apps_api_create_conversation")
    open_only_row(page)
    expect(detail(page)).to_contain_text("<img src=x onerror=")
    expect(page.locator("img:not([alt=''])")).to_have_count(0)
    assert page.title() == "Dimedove Sandbox"


def test_what_the_page_reads_for_itself_is_left_out(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    open_at(f"#/apps/{app}").get_by_role("table").wait_for()
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Page’s own reads").check()
    expect(rows(page).nth(2)).to_be_visible()


def send_many(server: Server, count: int) -> None:
    """Send requests on one connection, the next before the answer to the one before."""
    requests = [head("GET", f"/v1/apps/app_many/config?n={number}") for number in range(count - 1)]
    requests.append(head("GET", "/v1/apps/app_many/config", "Connection: close"))
    with open_connection(server.url) as wire, ThreadPoolExecutor() as pool:
        pool.submit(wire.send, *requests)
        while wire.socket.recv(1_000_000):
            pass


def test_ten_thousand_requests_stay_smooth(open_at: Open) -> None:
    with serving("--quiet") as busy:
        send_many(busy, 10_000)
        page = open_at("#/requests", busy.url)
        expect(page.get_by_role("status").filter(has_text=re.compile(r"^10,000 requests$"))).to_be_visible(
            timeout=60_000
        )
        assert rows(page).count() < 80
        page.get_by_role("listbox", name="Requests").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        expect(page.locator("[aria-posinset='10000']")).to_be_visible()


def test_a_dropped_connection_comes_back(open_at: Open) -> None:
    with serving("--quiet") as first:
        page = open_at("#/requests", first.url)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("connection to the sandbox was lost")
    with serving("--quiet", "--port", first.url.rsplit(":", 1)[1]) as second:
        expect(page.get_by_role("alert")).to_have_count(0)
        httpx2.post(f"{second.url}/v1/apps/app_again/conversations", json={}, headers=AUTH)
        expect(rows(page)).to_contain_text("create conversation")


def test_the_journal_is_saved_as_har(open_at: Open, driver: AppDriver, app: str) -> None:
    driver.api.created()
    page = open_at(f"#/requests?app={app}")
    expect(rows(page)).to_have_count(1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="HAR").click()
    assert len(json.loads(saved.value.path().read_text(encoding="utf-8"))["log"]["entries"]) == 1
