"""The HTTP archive, in the eyes of the public schema of HAR 1.2 (`har-schema` of npm), and against the entries.

SANDBOX_NODE_MODULES names a folder with the package in its `node_modules`.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

from tests.control.conftest import MakeDriver
from tests.support.app_driver import REQUESTS, AppDriver, config_of
from tests.support.constants import NOW
from tests.support.processes import Server
from tests.support.raw_connection import open_connection

VARIABLE = "SANDBOX_NODE_MODULES"


def need_har_schema() -> Draft6Validator:
    """Return the validator of a whole archive."""
    folder = Path(os.environ.get(VARIABLE, ""), "node_modules", "har-schema", "lib")
    if not os.environ.get(VARIABLE) or not folder.is_dir():
        pytest.skip(f"needs har-schema from npm, which is in no folder that {VARIABLE} names")
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    resources = [(schema["$id"], Resource.from_contents(schema, DRAFT6)) for schema in schemas]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft6Validator({"$ref": "har.json#"}, registry=registry, format_checker=FormatChecker())


def archive(driver: AppDriver, **query: Any) -> dict[str, Any]:
    answer = driver.client.get(f"{REQUESTS}.har", params={"app_id": driver.app_id, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


@pytest.fixture
def varied(driver: AppDriver, server: Server) -> AppDriver:
    """An app whose journal has an entry of every kind."""
    conversation = driver.api.created(title="né")
    driver.api.send(conversation, "Hello", stream=True)
    driver.api.create(title=5)
    driver.client.post(f"/v1/apps/{driver.app_id}/conversations?a=1&a=2&b", content=b"\xff\x00")
    driver.client.get(f"/v1/apps/{driver.app_id}/users/a%2Fb/conversations")
    driver.fault("reset")
    with open_connection(server.url) as wire:
        wire.send(config_of(driver))
        with pytest.raises(ConnectionResetError):
            wire.socket.recv(1)
    driver.fault("stream_cut")
    with driver.open_stream(conversation=conversation) as cut:
        cut.read_to_end()
    return driver


@pytest.mark.node
def test_an_archive_keeps_the_public_schema(varied: AppDriver) -> None:
    faults = [error.message for error in need_har_schema().iter_errors(archive(varied))]
    assert faults == []


def test_an_empty_archive_is_one_too(driver: AppDriver) -> None:
    log = archive(driver)["log"]
    assert (log["version"], log["entries"]) == ("1.2", [])
    assert set(log["creator"]) == {"name", "version"}


# What HAR 1.2 demands of an entry, a request and a response.
ENTRY = {"startedDateTime", "time", "request", "response", "cache", "timings"}
REQUEST = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
RESPONSE = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"}


def test_every_field_that_the_format_demands_is_there(varied: AppDriver) -> None:
    for entry in archive(varied)["log"]["entries"]:
        assert entry.keys() >= ENTRY
        assert entry["request"].keys() >= REQUEST
        assert entry["response"].keys() >= RESPONSE | {"headersSize", "bodySize"}
        assert entry["response"]["content"].keys() >= {"size", "mimeType"}
        assert sum(entry["timings"][part] for part in ("send", "wait", "receive")) == pytest.approx(entry["time"])


def test_it_holds_the_entries_oldest_first(varied: AppDriver) -> None:
    entries, rows = archive(varied)["log"]["entries"], varied.requests()[::-1]
    assert [entry["comment"] for entry in entries] == [row["id"] for row in rows]
    for entry, row in zip(entries, rows, strict=True):
        query = f"?{row['query']}" if row["query"] else ""
        assert entry["request"]["method"] == row["method"]
        assert entry["request"]["url"].endswith(row["path"] + query)
        assert entry["response"]["status"] == (row["status"] or 0)


def test_a_query_and_a_body_are_taken_apart(driver: AppDriver) -> None:
    driver.client.post(f"/v1/apps/{driver.app_id}/conversations?a=%C3%A9&a=2&b", json={"title": "né"})
    (entry,) = archive(driver)["log"]["entries"]
    pairs = [(pair["name"], pair["value"]) for pair in entry["request"]["queryString"]]
    assert pairs == [("a", "é"), ("a", "2"), ("b", "")]
    assert entry["request"]["postData"]["mimeType"] == "application/json"
    assert json.loads(entry["request"]["postData"]["text"]) == {"title": "né"}
    assert entry["request"]["bodySize"] == len(entry["request"]["postData"]["text"].encode())


def test_the_newest_are_exported_where_there_is_a_limit(driver: AppDriver) -> None:
    ids = [driver.api.config().headers["sandbox-request-id"] for _ in range(4)]
    assert [entry["comment"] for entry in archive(driver, limit=2)["log"]["entries"]] == ids[2:]


def test_the_selection_is_that_of_the_list(driver: AppDriver) -> None:
    driver.api.config()
    driver.api.create(title=5)
    assert [entry["response"]["status"] for entry in archive(driver, status=422)["log"]["entries"]] == [422]
    assert archive(driver, operation="apps_api_get_app_metrics")["log"]["entries"] == []


def test_the_start_has_the_fraction_of_its_second(make_driver: MakeDriver) -> None:
    driver = make_driver(now=None)
    for _ in range(3):
        driver.api.config()
    starts = [entry["startedDateTime"] for entry in archive(driver)["log"]["entries"]]
    assert [start for start in starts if not re.fullmatch(r"[-0-9]{10}T[:0-9]{8}(\.[0-9]{3})?\+00:00", start)] == []
    assert any("." in start for start in starts)


def test_the_start_on_a_frozen_clock_is_its_second(driver: AppDriver) -> None:
    driver.api.config()
    assert archive(driver)["log"]["entries"][0]["startedDateTime"] == datetime.fromtimestamp(NOW, UTC).isoformat()


def test_a_page_and_an_archive_are_whole_json_however_many_entries(driver: AppDriver) -> None:
    for number in range(3):
        driver.api.create(title=f"{number} é\u2028")
    listed = driver.client.get(REQUESTS, params={"app_id": driver.app_id, "limit": 2})
    assert "content-disposition" not in listed.headers
    assert [row["body"]["title"][0] for row in listed.json()["data"]] == ["2", "1"]
    assert listed.json()["has_more"] is True
    nothing = driver.client.get(REQUESTS, params={"app_id": "app_nobody"}).json()
    assert nothing == {"data": [], "object": "list", "first_id": None, "last_id": None, "has_more": False}


def test_it_has_the_whole_journal(make_driver: MakeDriver) -> None:
    driver = make_driver()
    for _ in range(1_001):
        driver.api.config()
    entries = driver.client.get("/_sandbox/requests.har").json()["log"]["entries"]
    assert len(entries) == 1_001
