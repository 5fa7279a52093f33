"""The verdict as an answer: its forms, its limits, whom it is about. What is found stands in the tables of clients."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apps.request_record import RequestRecord
from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.control.verdict.rules import RULES
from sandbox.control.verdict.verdict import judge_client, to_junit
from tests.control.conftest import MakeDriver
from tests.control.verdict.clients import create, judged, rules, say, tried
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.journal_entries import entry

CONTROL, CONTRACT = load(control_folder()), load()
XML = {"Accept": "application/xml"}
MESSAGE = "apps_api_create_conversation: unknown field `titel` (did you mean `title`?)"


def as_xml(driver: AppDriver) -> ElementTree.Element:
    """Return the verdict as JUnit."""
    answer = driver.client.get(f"/_sandbox/apps/{driver.app_id}/verdict", headers=XML)
    assert answer.headers["content-type"] == "application/xml"
    return ElementTree.fromstring(answer.content)  # noqa: S314 - our own document


def test_a_finding_says_what_was_seen_who_shows_it_and_what_to_do(driver: AppDriver) -> None:
    answers = [tried(driver, "POST", "/conversations", {"titel": title}) for title in ("One", "Two")]
    (finding,) = judged(driver)["findings"]
    assert (finding["rule"], finding["message"]) == ("unknown_field", MESSAGE)
    assert finding["requests"] == [answer.headers["sandbox-request-id"] for answer in answers if answer]
    assert finding["advice"].startswith("Correct the name")


def test_the_contract_names_every_rule() -> None:
    named = CONTROL.bundle["components"]["schemas"]["VerdictFinding"]["properties"]["rule"]["enum"]
    assert named == [rule.name for rule in RULES]


def test_junit_has_a_case_a_rule_and_a_failure_a_finding(driver: AppDriver) -> None:
    tried(driver, "POST", "/conversations", {"titel": "x", "nothing": 1})
    suite = as_xml(driver)[0]
    assert [case.get("classname") for case in suite.iter("testcase")] == [f"verdict.{rule.name}" for rule in RULES]
    failures = list(suite.iter("failure"))
    assert [failure.get("type") for failure in failures] == ["unknown_field"] * 2
    assert failures[0].get("message") == MESSAGE
    assert judged(driver)["findings"][0]["requests"][0] in str(failures[0].text)
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(RULES)),
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }


def test_junit_of_a_good_client_has_no_failure(driver: AppDriver) -> None:
    create(driver)
    suite = as_xml(driver)[0]
    assert (suite.get("failures"), suite.get("skipped"), suite.get("name")) == ("0", "0", driver.app_id)


# Each row: what a client would rather have, and what it gets.
ACCEPT = [
    ("*/*", "json"),
    ("application/json", "json"),
    ("application/*", "json"),
    ("text/html, */*;q=0.1", "json"),
    ("image/png", "json"),
    ("application/xml", "xml"),
    ("Application/XML; q=0.5", "xml"),
    ("application/json;q=0.5, application/xml", "xml"),
    ("application/xml;q=0.5, application/json", "json"),
    ("application/xml;q=0, */*", "json"),
    ("application/xml;q=nonsense, */*;q=0.1", "json"),
]


@pytest.mark.parametrize(("accept", "form"), ACCEPT)
def test_accept_chooses_the_form(driver: AppDriver, accept: str, form: str) -> None:
    answer = driver.client.get(f"/_sandbox/apps/{driver.app_id}/verdict", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"application/{form}")
    assert "Accept" in answer.headers["vary"].split(", ")


def test_what_a_client_sends_does_no_harm_in_xml(driver: AppDriver) -> None:
    tried(driver, "POST", "/conversations", {"<b>&\u0001\u202e]]>": 1})
    (failure,) = as_xml(driver).iter("failure")
    assert "<b>&\\u0001\\u202e]]>" in str(failure.get("message"))


def test_no_secret_is_shown(driver: AppDriver) -> None:
    tried(driver, "POST", "/conversations", {"sk_test_0123456789WXYZ": 1})
    shown = driver.call("GET", "/verdict").text + ElementTree.tostring(as_xml(driver), encoding="unicode")
    assert "sk_…WXYZ" in shown
    assert "0123456789" not in shown


def test_a_verdict_is_about_one_app(driver: AppDriver) -> None:
    beside = AppDriver(driver.client, f"{driver.app_id}_beside")
    tried(beside, "POST", "/conversations", {"titel": "x"})
    tried(beside, "GET", "/conversation")
    assert (rules(driver), judged(driver)["requests"]) == ([], 0)
    assert set(rules(beside)) == {"unknown_field", "outside_contract"}


def test_what_the_inspector_sends_is_not_the_clients(driver: AppDriver) -> None:
    page = {"Referer": "http://127.0.0.1:8010/_sandbox/", "Sec-Fetch-Site": "same-origin"}
    tried(driver, "POST", "/conversations", {"titel": "x"}, headers=page)
    assert (rules(driver), judged(driver)["requests"]) == ([], 0)


def test_forgotten_requests_are_not_judged(driver: AppDriver) -> None:
    tried(driver, "POST", "/conversations", {"titel": "x"})
    driver.client.delete("/_sandbox/requests", params={"app_id": driver.app_id})
    assert judged(driver)["passed"] is True


def test_a_verdict_changes_nothing(make_driver: MakeDriver) -> None:
    driver = make_driver()
    assert judged(driver)["requests"] == 0
    assert driver.app_id not in [app["app_id"] for app in driver.client.get("/_sandbox/apps").json()["data"]]


def test_an_app_that_is_not_declared_has_none(make_driver: MakeDriver) -> None:
    assert_error(make_driver(strict_apps=True).call("GET", "/verdict"), 404, "not_found", param="app_id")


def test_rules_do_not_hide_each_other(driver: AppDriver) -> None:
    driver.fault("after", status=503)
    create(driver, headers={"Origin": "http://localhost:3000"})
    create(driver)
    say(driver, driver.api.created(), "Hi", nothing=1)
    assert rules(driver) == ["unknown_field", "browser_key", "repeated_post"]


def test_replies_that_failed_are_counted_and_are_no_finding(driver: AppDriver) -> None:
    conversation = driver.api.created()
    for said in ("[[fail]]", "Hi", "[[fail]]"):
        driver.api.send(conversation, said, stream=True)
    found = driver.call("GET", "/verdict").json()
    assert (found["failed_replies"], found["requests"], found["findings"], found["passed"]) == (2, 4, [], True)


def test_what_is_under_way_is_not_judged_yet() -> None:
    assert judge_client("app_a", [asked(0, ended=None)], 0, CONTRACT)["requests"] == 0


# Where entries are gone. Each row: the bodies that are left, and what can be said.
GONE = [(b"{}", None), (b'{"titel": 1}', False)]


@pytest.mark.parametrize(("body", "passed"), GONE)
def test_where_entries_are_gone_the_verdict_is_not_whole(body: bytes, passed: bool | None) -> None:
    found = judge_client("app_a", [asked(0, body)], 7, CONTRACT)
    assert (found["passed"], found["evicted"]) == (passed, 7)
    assert CONTROL.schema("Verdict").is_valid(found)
    document = ElementTree.fromstring(to_junit(found))  # noqa: S314 - our own document
    skipped = list(document.iter("skipped"))
    assert len(skipped) == len(RULES) - len(found["findings"])
    assert skipped[0].get("message") == "7 requests are gone from the journal, so it can't be said"


@given(wait=st.integers(1, 100_000), waited=st.floats(0, 200_000), took=st.floats(0, 10_000))
def test_only_who_waits_too_short_comes_too_soon(wait: int, waited: float, took: float) -> None:
    """Counted from the end of the answer, however long it took; a tenth of a second is forgiven."""
    first = asked(50, status=429, response_headers=[(b"retry-after", b"%d" % wait)], duration_ms=took * 1000)
    again = asked(50 + took + waited + 0.001)
    found = judge_client("app_a", [again, first], 0, CONTRACT)["findings"]
    if waited > wait - 0.1:
        assert found == []
    elif waited < wait - 0.102:
        assert [finding["requests"] for finding in found] == [[first.id, again.id]]


@given(wait=st.integers(1, 100_000), moved=st.integers(-100_000, 200_000))
def test_a_clock_that_is_moved_counts_as_waiting(wait: int, moved: int) -> None:
    first = asked(50, status=429, response_headers=[(b"retry-after", b"%d" % wait)], frozen_at=1_000_000)
    again = asked(51, frozen_at=1_000_000 + moved)
    assert bool(judge_client("app_a", [first, again], 0, CONTRACT)["findings"]) is (max(moved, 1) < wait)


def test_a_fraction_of_a_second_is_not_held_against_a_client_whose_clock_is_moved() -> None:
    first = asked(50, at=NOW + 0.9, status=429, response_headers=[(b"retry-after", b"60")])
    assert judge_client("app_a", [first, asked(51, frozen_at=NOW + 60)], 0, CONTRACT)["findings"] == []


# Each row: `Retry-After` thirty seconds after NOW, as HTTP writes dates, or as it does not.
DATES = {
    "Mon, 21 Sep 2026 14:13:50 GMT": ["too_soon"],
    "Monday, 21-Sep-26 14:13:50 GMT": ["too_soon"],
    "Mon Sep 21 14:13:50 2026": ["too_soon"],
    "Mon, 21 Sep 2026 14:13:20 GMT": [],
    "Tue, 21 Sep 1999 14:13:50 GMT": [],
    "in a while": [],
}


@pytest.mark.parametrize(("date", "found"), DATES.items())
def test_a_date_counts_by_the_apps_clock(driver: AppDriver, date: str, found: list[str]) -> None:
    driver.freeze(NOW)
    for moved in (29.5, 30):
        driver.fault("status", status=503, headers={"Retry-After": date})
        create(driver)
        driver.advance(moved)
        create(driver)
        driver.freeze(NOW)
    assert rules(driver) == found


def test_a_date_counts_from_the_answer_where_the_clock_runs() -> None:
    date = [(b"retry-after", b"Mon, 12 Jan 1970 13:46:50 GMT")]  # ten seconds after 1_000_000
    first = asked(50, status=503, response_headers=date, at=1_000_000.5, duration_ms=2_000)
    for started, found in ((59.3, True), (59.5, False)):
        assert bool(judge_client("app_a", [first, asked(started)], 0, CONTRACT)["findings"]) is found


def asked(started: float, body: bytes = b"{}", **more: object) -> RequestRecord:
    """Return the entry of a create that was answered at once."""
    fields = {"app_id": "app_a", "operation_id": "apps_api_create_conversation", "status": 200, **more}
    sent = {
        "at": 1_000_000,
        "started": started,
        "method": "POST",
        "path": b"/v1/apps/app_a/conversations",
        "body": body,
    }
    return entry(id=f"req_{started}", **{**sent, **fields})
