"""The journal: what was really asked and answered, found by whoever has the answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from sandbox.contract import load
from sandbox.contract.document import control_folder
from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver, config_of, entry
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.processes import Server
from tests.support.raw_connection import full_request, open_connection
from tests.support.request_spec import GOOD
from tests.support.sse import parse

ENTRY = load(control_folder()).schema("RequestEntry")


def test_an_entry_says_what_came_and_what_went(driver: AppDriver) -> None:
    answer = driver.client.post(
        f"/v1/apps/{driver.app_id}/conversations?a=%C3%A9&b",
        content=b' {"title": "Caf\xc3\xa9"} ',
        headers={"Content-Type": "application/json; charset=utf-8", "X-Trace": "1"},
    )
    (found,) = driver.requests()
    assert ENTRY.is_valid(found)
    assert (found["id"], found["at"], found["app_id"]) == (answer.headers["sandbox-request-id"], NOW, driver.app_id)
    assert (found["operation"], found["method"]) == ("apps_api_create_conversation", "POST")
    assert (found["path"], found["query"]) == (f"/v1/apps/{driver.app_id}/conversations", "a=%C3%A9&b")
    assert found["headers"]["content-type"] == "application/json; charset=utf-8"
    assert found["headers"]["x-trace"] == "1"
    assert (found["body"], found["status"], found["response"]) == ({"title": "Café"}, 200, answer.json())
    assert (found["fault"], found["violation"], found["ended"]) == (None, None, "complete")
    assert found["duration_ms"] >= 0


def test_of_a_long_stream_the_beginning_and_the_end_are_kept(driver: AppDriver) -> None:
    answer = driver.api.send(driver.api.created(), "[[long]]", stream=True)
    found = driver.requests()[0]
    sent = parse(answer.content)
    kept = [(each["event"], each["data"]) for each in found["response"]]
    assert ENTRY.is_valid(found)
    assert found["response_bytes"] == len(answer.content) > 5 * len(json.dumps(kept))
    assert 100 < len(kept) < len(sent)
    assert kept == [tuple(event) for event in [*sent[: len(kept) - 1], sent[-1]]]


@pytest.mark.parametrize("operation", GOOD)
def test_every_operation_leaves_an_entry(driver: AppDriver, operation: str) -> None:
    answer = driver.ask(GOOD[operation])
    assert driver.entry(answer)["operation"] == f"apps_api_{operation}"


# Requests that no operation answers: what was sent is what an SDK's author wants to see.
BODY = {"title": "Support inquiry"}
STRAY: dict[str, dict[str, Any]] = {
    "an unknown path": {"method": "POST", "path": "/v1/apps/{app}/conversation"},
    "no base path": {"method": "POST", "path": "/apps/{app}/conversations"},
    "another method": {"method": "PUT", "path": "/v1/apps/{app}/conversations"},
    "no key": {"headers": {"Authorization": ""}, "path": "/v1/apps/{app}/conversations"},
    "another type": {"headers": {"Content-Type": "text/plain"}, "path": "/v1/apps/{app}/conversations"},
    "no such app": {"path": "/v1/apps/app_missing/conversations"},
    "no operation's body": {"method": "DELETE", "path": "/v1/apps/{app}/conversations/none"},
    "the root": {"method": "POST", "path": "/"},
}


@pytest.mark.parametrize("case", STRAY.values(), ids=STRAY)
def test_the_body_of_a_refused_request_is_there_too(driver: AppDriver, case: dict[str, Any]) -> None:
    path = case["path"].replace("{app}", driver.app_id)
    headers = {"Content-Type": "application/json", **case.get("headers", {})}
    content = json.dumps(BODY).encode()
    answer = driver.client.request(case.get("method", "POST"), path, content=content, headers=headers)
    found = entry(driver.client, answer)
    assert (found["path"], found["status"]) == (path, answer.status_code)
    assert found["body"] == BODY


@pytest.mark.parametrize("kind", [("status", {"status": 503}), ("malformed", {}), ("wrong_type", {})])
def test_the_body_of_a_request_that_met_a_fault_is_there_too(driver: AppDriver, kind: tuple[str, Any]) -> None:
    driver.fault(kind[0], **kind[1])
    found = driver.entry(driver.api.create(title="retried"))
    assert (found["fault"], found["body"]) == (kind[0], {"title": "retried"})


def test_an_unmatched_path_has_no_operation(driver: AppDriver) -> None:
    answer = driver.client.get(f"/apps/{driver.app_id}/config")
    found = entry(driver.client, answer)
    assert (found["operation"], found["status"]) == (None, 404)
    assert found["response"] == answer.json()


# Each row: a request that no operation answers, though its path names an app.
NAMING = [
    ("PUT", "/v1/apps/{app}/conversations"),
    ("GET", "/v1/apps/{app}/conversation"),
    ("GET", "/v1/apps/{app}/config/"),
    ("GET", "/apps/{app}/config"),
    ("GET", "//v1/apps/{app}/config"),
    ("GET", "/v1//apps/{app}/config"),
    ("GET", "/v1/v1/apps/{app}/config"),
    ("GET", "/api/v1/apps/{app}/config"),
    ("GET", "/api/apps/{app}/nothing"),
    ("GET", "/v2/app/{app}/config"),
]


@pytest.mark.parametrize(("method", "path"), NAMING)
def test_a_stray_request_is_its_apps_where_the_path_names_one(driver: AppDriver, method: str, path: str) -> None:
    driver.client.request(method, path.replace("{app}", driver.app_id))
    assert [row["operation"] for row in driver.requests()] == [None]


def test_the_control_api_and_preflights_are_not_journalled(driver: AppDriver) -> None:
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    preflight = driver.client.options(f"/v1/apps/{driver.app_id}/config", headers=asked)
    assert "sandbox-request-id" not in preflight.headers
    assert "sandbox-request-id" not in driver.call("GET").headers
    assert (driver.requests(), driver.counts["requests"]) == ([], 0)


# Each row: a body as it is sent, and as it is shown.
BODIES = [
    (b'{"title": null, "title": "x"}', {"title": "x"}),
    (b"[1, 2]", [1, 2]),
    (b"{broken", "{broken"),
    (b"\xff\xfe", "\ufffd\ufffd"),
    (b"", None),
    (b"null", None),
    (b'{"metadata": {"n": 12345678901234567890123}}', {"metadata": {"n": 12345678901234567890123}}),
    (b'{"metadata": {"n": 1.10}}', {"metadata": {"n": 1.1}}),
]


@pytest.mark.parametrize(("content", "shown"), BODIES)
def test_a_body_is_json_where_it_can_be_else_text(driver: AppDriver, content: bytes, shown: Any) -> None:
    path = f"/v1/apps/{driver.app_id}/conversations"
    driver.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert driver.requests()[0]["body"] == shown


def test_headers_that_come_twice_are_joined(driver: AppDriver, server: Server) -> None:
    with open_connection(server.url) as wire:
        wire.send(config_of(driver, "X-A: one", "X-A: two"))
        wire.answer("GET")
    assert driver.requests()[0]["headers"]["x-a"] == "one, two"


def test_a_chunked_body_is_whole(driver: AppDriver, server: Server) -> None:
    path = f"/v1/apps/{driver.app_id}/conversations"
    with open_connection(server.url) as wire:
        head = full_request("POST", path, b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        wire.send(head, b'9\r\n{"title":\r\n', b'4\r\n"x"}\r\n', b"0\r\n\r\n")
        assert wire.answer().status_code == 200
    assert driver.requests()[0]["body"] == {"title": "x"}


# Answers


@pytest.mark.parametrize("framing", ["plain", "split", "crlf", "comments", "multiline"])
def test_a_stream_is_shown_event_by_event(driver: AppDriver, framing: str) -> None:
    driver.set(framing=framing)
    conversation = driver.api.created()
    answer = driver.api.send(conversation, "[[echo]] né, 👩‍👩‍👧‍👦!", stream=True)
    shown = driver.entry(answer)["response"]
    assert {frozenset(event) for event in shown} == {frozenset({"event", "data", "at_ms"})}
    assert [event["event"] for event in shown][:: len(shown) - 1] == ["response.created", "response.completed"]
    assert all(event["data"]["type"] == event["event"] for event in shown)
    text = "".join(event["data"].get("delta", "") for event in shown)
    assert text == "né, 👩‍👩‍👧‍👦!"
    times = [event["at_ms"] for event in shown]
    assert times == sorted(times)


def test_a_stream_whose_client_left_is_shown_as_far_as_it_came(driver: AppDriver) -> None:
    driver.set(pace={"delta_ms": 600_000})
    with driver.open_stream() as stream:
        stream.read_until(b"response.created")
    while not (found := driver.requests(operation="apps_api_send_message"))[0]["ended"]:
        pass
    assert (found[0]["ended"], found[0]["status"]) == ("client_gone", 200)
    assert [event["event"] for event in found[0]["response"]] == ["response.created"]


# Each row: a way to ask for a reply, what the agent says, the fault, and how the reply ended for the client.
REPLIES = [
    (False, "Hi", None, "completed"),
    (True, "Hi", None, "completed"),
    (False, "[[fail]]", None, "failed"),
    (True, "[[fail]]", None, "failed"),
    (True, "Hi", "stream_fail", "failed"),
    (False, "Hi", "after", None),
]


@pytest.mark.parametrize(("stream", "said", "fault", "reply_status"), REPLIES)
def test_an_entry_says_how_the_reply_ended(
    driver: AppDriver, stream: bool, said: str, fault: str | None, reply_status: str | None
) -> None:
    conversation = driver.api.created()
    if fault:
        driver.fault(fault, **({"status": 500} if fault == "after" else {}))
    driver.api.send(conversation, said, stream=stream)
    assert [row["reply_status"] for row in driver.requests()] == [reply_status, None]


def test_a_reply_that_was_cut_off_has_no_end(driver: AppDriver) -> None:
    driver.fault("stream_cut")
    with driver.open_stream() as cut:
        cut.read_to_end()
    assert [(row["ended"], row["reply_status"]) for row in driver.requests()] == [("cut", None), ("complete", None)]


# Under way


def test_a_stream_can_be_read_from_its_start(driver: AppDriver) -> None:
    driver.set(pace={"delta_ms": 600_000})
    with driver.open_stream() as stream:
        head = stream.read_until(b"response.created").decode()
        found = driver.requests()[0]
        assert ENTRY.is_valid(found)
        assert f"sandbox-request-id: {found['id']}\r\n" in head
        assert (found["ended"], found["status"], found["reply_status"]) == (None, 200, None)
        assert [event["event"] for event in found["response"]] == ["response.created"]
        assert (driver.verify(body={"message": {"content": "Hi"}})["count"], driver.counts["requests"]) == (1, 2)


def test_requests_are_listed_in_the_order_of_their_starts(driver: AppDriver, server: Server) -> None:
    driver.fault("hang", operation="apps_api_get_app_config")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        while driver.faults:
            pass
        driver.api.created()
        later, first = driver.requests()
        assert (first["fault"], first["status"], first["response"], first["ended"]) == ("hang", None, None, None)
    while not driver.requests()[1]["ended"]:
        pass
    assert [row["id"] for row in driver.requests()] == [later["id"], first["id"]]
    archive = driver.client.get(f"{REQUESTS}.har", params={"app_id": driver.app_id}).json()
    assert [row["comment"] for row in archive["log"]["entries"]] == [first["id"], later["id"]]


def test_a_violation_is_what_the_answer_said(driver: AppDriver) -> None:
    answer = driver.api.create(title=5)
    assert driver.entry(answer)["violation"] == answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_whoever_has_an_answer_finds_its_entry(driver: AppDriver, stream: bool) -> None:
    """Many at once, each looking for its own as soon as the last byte is there."""

    def found(number: int) -> bool:
        for _ in range(5):
            shown = driver.entry(driver.api.complete(f"[[echo]] {number}", stream=stream))
            assert str(number) in str(shown["response"])
            assert shown["body"]["prompt"] == f"[[echo]] {number}"
        return True

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(found, range(24)))
    assert driver.counts["requests"] == 120


def test_the_same_requests_have_the_same_ids(driver: AppDriver) -> None:
    ids = []
    for _ in range(2):
        ids.append(
            [driver.api.create().headers["sandbox-request-id"], driver.api.config().headers["sandbox-request-id"]]
        )
        driver.call("DELETE")
    assert ids[0] == ids[1]


# Listed


def test_entries_are_listed_newest_first_page_by_page(driver: AppDriver) -> None:
    ids = [driver.api.config().headers["sandbox-request-id"] for _ in range(7)][::-1]
    seen: list[str] = []
    query: dict[str, Any] = {"app_id": driver.app_id, "limit": 3}
    while True:
        page = driver.client.get(REQUESTS, params=query).json()
        assert page["object"] == "list"
        rows = [row["id"] for row in page["data"]]
        assert (page["first_id"], page["last_id"]) == (rows[0], rows[-1])
        seen += rows
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert seen == ids


def test_an_empty_page_has_no_ids(driver: AppDriver) -> None:
    page = driver.client.get(REQUESTS, params={"app_id": driver.app_id}).json()
    assert page == {"data": [], "object": "list", "first_id": None, "last_id": None, "has_more": False}


def test_entries_are_chosen_by_operation_and_status(driver: AppDriver) -> None:
    driver.api.create()
    driver.api.create(title=5)
    driver.api.config()
    create = "apps_api_create_conversation"
    assert [row["status"] for row in driver.requests(operation=create)] == [422, 200]
    assert [row["operation"] for row in driver.requests(status=200)] == ["apps_api_get_app_config", create]
    assert len(driver.requests(operation=create, status=422)) == 1
    assert driver.requests(status=500) == []


# Each row: a question that can't be asked, its status, its place.
WRONG = [
    ({"limit": "0"}, 422, "limit"),
    ({"limit": "101"}, 422, "limit"),
    ({"limit": "1.0"}, 422, "limit"),
    ({"status": "99"}, 422, "status"),
    ({"status": "ok"}, 422, "status"),
    ({"operation": "create"}, 422, "operation"),
    ({"app_id": "a b"}, 422, "app_id"),
    ({"after": "req_none"}, 404, "after"),
]


@pytest.mark.parametrize(("query", "status", "param"), WRONG)
def test_a_wrong_question_is_refused_by_place(
    sandbox: httpx2.Client, query: dict[str, str], status: int, param: str
) -> None:
    kind = "not_found" if status == 404 else "invalid_request_error"
    assert_error(sandbox.get(REQUESTS, params=query), status, kind, param=param)


@pytest.mark.parametrize("path", ["", "/curl"])
def test_an_entry_that_is_not_there_is_not_found(sandbox: httpx2.Client, path: str) -> None:
    answer = sandbox.get(f"{REQUESTS}/req_000000000000000000000000{path}")
    assert_error(answer, 404, "not_found", param="request_id")


def test_the_entries_of_an_app_can_be_forgotten(driver: AppDriver) -> None:
    beside = AppDriver(driver.client, f"{driver.app_id}.beside")
    for each in (driver, beside):
        each.api.config()
    assert driver.client.delete(REQUESTS, params={"app_id": driver.app_id}).status_code == 204
    assert (driver.requests(), len(beside.requests())) == ([], 1)
    assert driver.counts["requests"] == 1


def test_all_entries_can_be_forgotten(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.api.config()
    driver.client.get("/nowhere")
    assert driver.client.delete(REQUESTS).status_code == 204
    assert driver.client.get(REQUESTS).json()["data"] == []
