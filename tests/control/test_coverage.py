"""Coverage: what of the contract a client has met, and what it never has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_dimedove.report import merge_coverage
from sandbox.contract import load
from tests.control.conftest import MakeDriver
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH

CREATE, SEND = "apps_api_create_conversation", "apps_api_send_message"


def coverage(driver: AppDriver) -> dict[str, Any]:
    answer = driver.call("GET", "/coverage")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def met(node: Any, place: str = "") -> Iterator[tuple[str, int]]:
    """Yield each count that isn't 0, by its place."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield from met(child, f"{place}/{name}")
    elif isinstance(node, int) and node:
        yield place, node


def test_nothing_is_met_by_whom_nobody_has_heard_of(driver: AppDriver) -> None:
    document = coverage(driver)
    assert dict(met(document)) == {}
    assert set(document["operations"]) == {operation.id for operation in load().operations}
    assert "response.failed" in document["events"]
    assert document["operations"][CREATE]["request_fields"] == {"external_user_id": 0, "title": 0, "metadata": 0}


def test_what_a_client_sent_and_got_is_met(driver: AppDriver) -> None:
    conversation = driver.api.created(title="x", metadata={"title": None, "secret": "kept out"})
    driver.api.create(title=5)
    driver.api.list(limit=1)
    found = dict(met(coverage(driver)))
    place = f"/operations/{CREATE}"
    assert found[f"{place}/statuses/200"] == found[f"{place}/statuses/422"] == 1
    assert found[f"{place}/request_fields/title"] == 2
    assert found[f"{place}/nulls/external_user_id"] == 1
    assert found["/operations/apps_api_list_conversations/request_fields/?limit"] == 1
    assert found["/error_types/invalid_request_error"] == 1
    assert (found["/requests"], conversation in str(found), "secret" in str(found)) == (3, False, False)


def test_an_error_outside_every_operation_is_met(make_driver: MakeDriver) -> None:
    driver = make_driver()
    answer = driver.client.put(driver.api.url(driver.api.created()), json={})
    assert answer.status_code == 405
    found = dict(met(driver.client.get("/_sandbox/coverage").json()))
    assert (found["/error_types/method_not_allowed"], found["/requests"]) == (1, 2)


def test_events_and_framings_of_streams_are_met(driver: AppDriver) -> None:
    driver.set(framing=["crlf", "comments"])
    conversation = driver.api.created()
    driver.client.post(driver.api.url(conversation), json={"message": {"content": "[[fail]]"}, "stream": True})
    found = dict(met(coverage(driver)))
    events = {place for place in found if place.startswith(("/events", "/framings"))}
    assert events == {"/events/response.created", "/events/response.failed", "/framings/crlf", "/framings/comments"}


def test_what_the_inspector_sends_is_not_the_clients(driver: AppDriver) -> None:
    referer = {"referer": f"{driver.client.base_url}/_sandbox/"}
    driver.client.get(f"/v1/apps/{driver.app_id}/config", headers=referer)
    assert coverage(driver)["requests"] == 0


def test_of_a_deleted_app_the_server_still_knows_it(make_driver: MakeDriver) -> None:
    sole = make_driver()
    sole.api.config()
    sole.call("DELETE")
    whole = sole.client.get("/_sandbox/coverage").json()
    assert (coverage(sole)["requests"], whole["requests"], whole["app_id"]) == (0, 1, None)
    sole.client.post("/_sandbox/reset")
    assert sole.client.get("/_sandbox/coverage").json()["requests"] == 0


def test_as_a_table_it_names_what_was_never_met(driver: AppDriver) -> None:
    driver.api.config()
    answer = driver.client.get(f"/_sandbox/apps/{driver.app_id}/coverage", headers={**AUTH, "Accept": "text/markdown"})
    assert answer.headers["content-type"] == "text/markdown"
    lines = answer.text.splitlines()
    assert lines[0] == f"# Coverage of the contract by the client of `{driver.app_id}`"
    assert any(line.startswith("| operations | 1 of 10 | `list_conversations`") for line in lines)
    assert any("`response.failed`" in line for line in lines)
    assert not any("send_message` |" in line for line in lines if line.startswith("| statuses"))


def test_it_is_in_the_order_of_the_contract_whatever_was_sent_first(driver: AppDriver) -> None:
    before = coverage(driver)
    driver.api.metrics()
    driver.api.config()

    def names(node: Any) -> Any:
        return {name: list(map(names, [child])) for name, child in node.items()} if isinstance(node, dict) else None

    assert list(before["operations"]) == list(coverage(driver)["operations"])
    assert str(names(before)) == str(names(coverage(driver)))


COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 5), max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {
        "object": st.just("coverage"),
        "requests": st.integers(0, 5),
        "events": COUNTS,
        "operations": st.dictionaries(st.sampled_from("xy"), st.fixed_dictionaries({"statuses": COUNTS})),
    }
)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_merging_is_adding_in_any_order(one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]) -> None:
    assert merge_coverage(one, two) == merge_coverage(two, one)
    assert merge_coverage(merge_coverage(one, two), three) == merge_coverage(one, merge_coverage(two, three))
    assert sum(count for _, count in met(merge_coverage(one, two))) == sum(
        count for each in (one, two) for _, count in met(each)
    )
