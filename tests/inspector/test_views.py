"""Apps, contract, and what holds for every view: languages, themes, accessibility, narrow windows, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inspector.conftest import Open, requires_axe
from tests.support.app_driver import AppDriver
from tests.support.processes import Server, http_client, serving

pytest.importorskip("playwright.sync_api", reason="needs Playwright, which is not installed")

from playwright.sync_api import Browser, BrowserContext, Page, expect

TOKEN = "token-" * 8

# An address, and what is there to see once it is drawn.
VIEWS = [
    ("#/requests", ".spacer .row"),
    ("#/requests/{entry}", ".detail-body .statuses"),
    ("#/playground/{app}/{conversation}", ".turn.assistant"),
    ("#/apps", ".conversations a"),
    ("#/apps/{app}", ".data tbody tr"),
    ("#/apps/{app}/users/user_1", ".data tbody tr"),
    ("#/apps/{app}/conversations/{conversation}", ".items li"),
    ("#/apps/{app}/verdict", ".items li"),
    ("#/faults/{app}", ".queue"),
    ("#/faults/{app}/replies", ".queue"),
    ("#/contract", ".marks"),
    ("#/contract/operation/apps_api_send_message", ".answers"),
    ("#/contract/schema/ConversationItem", ".properties"),
]


@pytest.fixture(scope="module")
def places(server: Server) -> dict[str, str]:
    """An app with something in every view, as the addresses name it. Look, don't touch."""
    app = "app_views"
    with http_client(server) as client:
        driver = AppDriver(client, app)
        conversation = driver.api.created(external_user_id="user_1", titel="x")
        driver.api.send(conversation, "[[markdown]] [[tool]]", stream=True)
        driver.fault("latency", ms=1)
        driver.api.metrics()
        driver.fault("reset")
        driver.call("POST", "/replies", {"output": []})
        entries = driver.requests(operation="apps_api_send_message")
    return {"app": app, "conversation": conversation, "entry": entries[0]["id"]}


@pytest.mark.parametrize(("address", "sight"), VIEWS)
def test_every_view_is_accessible_in_both_themes(
    open_at: Open, places: dict[str, str], address: str, sight: str
) -> None:
    axe = requires_axe()
    page = open_at(address.format(**places))
    page.locator(sight).first.wait_for()
    page.evaluate(axe)
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    assert [*found, *violations(page)] == []


def violations(page: Page) -> list[tuple[str, str, str]]:
    """What axe finds serious: the rule, the first element, and what is wrong with it."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("address", "sight"), VIEWS)
def test_every_view_only_reads_and_fits_and_speaks_french(
    context: BrowserContext,
    open_at: Open,
    places: dict[str, str],
    subtests: pytest.Subtests,
    address: str,
    sight: str,
) -> None:
    methods: set[str] = set()
    context.on("request", lambda request: methods.add(request.method))
    page = open_at(address.format(**places))
    page.locator(sight).first.wait_for()
    with subtests.test("opening an address sends only GETs"):
        assert methods == {"GET"}
    with subtests.test("no view is wider than the window"):
        found = {width: width_at(page, width) for width in (1440, 820, 480)}
        assert [width for width in found if found[width] > width] == []
    page.set_viewport_size({"width": 1440, "height": 900})
    with subtests.test("it speaks French and keeps to it"):
        page.get_by_role("button", name="Français").click()
        page.locator(sight).first.wait_for()
        expect(page.locator("html")).to_have_attribute("lang", "fr-CA")
        expect(page.get_by_text("undefined")).to_have_count(0)
        page.reload()
        expect(page.get_by_role("button", name="English")).to_be_visible()


def width_at(page: Page, width: int) -> int:
    """Return how wide the page is in a window of a width."""
    page.set_viewport_size({"width": width, "height": 900})
    found: int = page.evaluate("Math.max(document.body.scrollWidth, document.getElementById('main').scrollWidth)")
    return found


@pytest.mark.parametrize(("locale", "word"), [("fr-CA", "Requêtes"), ("en-CA", "Requests"), ("de-DE", "Requests")])
def test_the_browser_chooses_the_language(browser: Browser, server: Server, locale: str, word: str) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(f"{server.url}/_sandbox/")
    expect(page.get_by_role("navigation").get_by_role("link").first).to_have_text(word)
    context.close()


def test_the_theme_is_switched_and_kept(open_at: Open) -> None:
    page = open_at()
    light = page.evaluate("getComputedStyle(document.body.firstElementChild.nextElementSibling).backgroundColor")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    page.get_by_role("button", name="Theme: dark").wait_for()
    dark = page.evaluate("getComputedStyle(document.body.firstElementChild.nextElementSibling).backgroundColor")
    assert light != dark


def test_docs_open_the_contract(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/docs")
    expect(page.get_by_role("heading", name=re.compile("Dimedove Apps API"))).to_be_visible()


def test_an_operation_is_tried_out(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at("#/contract/operation/apps_api_create_conversation")
    page.get_by_label("app_id").fill(app)
    page.get_by_role("button", name="Send POST").click()
    expect(page.get_by_role("status").filter(has_text="generated_title")).to_be_visible()
    assert driver.counts["conversations"] == 1


def test_the_marks_stand_beside_what_they_mark(open_at: Open) -> None:
    page = open_at("#/contract/schema/ConversationCreateRequest")
    heading = page.get_by_role("heading", name=re.compile("ConversationCreateRequest"))
    expect(heading.locator("abbr")).to_have_text(["S"])
    expect(page.locator("dt", has_text="title").locator("abbr")).to_have_text(["D"])


def test_a_setting_is_changed(open_at: Open, driver: AppDriver, places: dict[str, str]) -> None:
    page = open_at(f"#/apps/{places['app']}")
    page.get_by_label(re.compile("^status")).select_option("inactive")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert AppDriver(driver.client, places["app"]).settings["status"] == "inactive"


def test_the_clock_is_frozen_and_advanced(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    page.get_by_role("button", name="Freeze now").click()
    expect(page.get_by_text("frozen", exact=True)).to_be_visible()
    before = driver.call("GET", "/clock").json()["now"]
    page.get_by_role("button", name="+1 hour").click()
    expect(page.get_by_text(str(before + 3600), exact=True)).to_be_visible()


def test_an_app_is_populated_and_reset(open_at: Open, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    page.get_by_label("Add conversations").fill("7")
    page.get_by_role("button", name="Populate").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(8)
    page.get_by_role("button", name="Reset app").click()
    expect(page.get_by_text("Click again to forget everything")).to_be_visible()
    page.get_by_role("button", name="Reset app").click()
    expect(page.get_by_text("No conversations.")).to_be_visible()


def test_keys_are_shown_masked(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    page.get_by_label("Only these keys").fill("sk_test_secret_value")
    page.get_by_role("button", name="Replace").click()
    expect(page.get_by_text("sk_…alue")).to_be_visible()


def test_a_rate_limit_is_set(open_at: Open, driver: AppDriver, app: str) -> None:
    page = open_at(f"#/apps/{app}")
    page.get_by_label("Calls a minute").fill("3")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert driver.settings["rate_limit"] == {"per_minute": 3, "per_day": None}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose control API asks for a token."""
    file: Path = tmp_path_factory.mktemp("token") / "token"
    file.write_text(TOKEN, encoding="utf-8")
    with serving("--quiet", "--control-token", str(file)) as running:
        yield running


def _is_in(page: Page) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('dimedove.token')") == TOKEN
    assert page.evaluate("localStorage.getItem('dimedove.token')") is None


def test_a_token_comes_by_form(open_at: Open, guarded: Server) -> None:
    page = open_at("#/requests", guarded.url)
    page.get_by_role("textbox", name="Control token").fill(TOKEN)
    page.get_by_role("button", name="Enter").click()
    _is_in(page)


def test_a_token_in_the_address_is_removed_at_once(open_at: Open, guarded: Server) -> None:
    page = open_at(f"#token={TOKEN}", guarded.url)
    _is_in(page)
    assert TOKEN not in page.url


def test_a_reset_that_a_browser_notices_is_one_click_away(open_at: Open, driver: AppDriver, app: str) -> None:
    """Chromium sends what met one reset on a used connection once more, and the page sees 200."""
    page = open_at(f"#/faults/{app}")
    page.get_by_role("button", name="Connection reset, twice").click()
    expect(page.get_by_text("2 times left")).to_be_visible()
    assert [(fault["kind"], fault["times"]) for fault in driver.faults] == [("reset", 2)]
