"""Snapshots: an app's whole state as a document, and the same app again wherever it is put back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.conftest import MakeDriver
from tests.support.app_driver import AppDriver
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of
from tests.support.requirements import examples
from tests.support.strategies import json_values

JSON = {"Content-Type": "application/json"}


def taken(driver: AppDriver, *, secrets: bool = False) -> bytes:
    """Return an app's snapshot as it is sent."""
    answer = driver.call("GET", f"/snapshot?secrets={str(secrets).lower()}")
    assert answer.status_code == 200, answer.text
    return answer.content


def put(driver: AppDriver, document: Any) -> Any:
    """Put a snapshot back."""
    content = document if isinstance(document, bytes) else json.dumps(document)
    url = f"/_sandbox/apps/{driver.app_id}/snapshot"
    return driver.client.put(url, content=content, headers=JSON)


def lived_in(driver: AppDriver) -> AppDriver:
    """Let an app be used for a while."""
    driver.set(titles="after_first_exchange", rate_limit={"per_minute": 50}, agent={"name": "Léa"})
    first = driver.api.created(external_user_id="ada", metadata={"first_name": "Ada", "plan": [1, None]})
    driver.api.send(first, "I'd like an appointment [[tool]]")
    driver.api.delete(driver.api.created(title="Gone"))
    driver.api.created(title="Kept")
    driver.api.complete("Hello")
    driver.fault("status", status=503, skip=9, operation="apps_api_create_completion")
    driver.reply({"type": "message", "text": "Later."}, contains="never said")
    driver.freeze(NOW + 60)
    return driver


def views(driver: AppDriver) -> list[bytes]:
    """Return everything that a client can read of an app."""
    pages = [driver.api.list(limit=2), driver.api.list(order="asc"), driver.api.list_of_user("ada")]
    details = [driver.api.get(row["id"]) for row in pages[1].json()["data"]]
    control = [driver.call("GET", path) for path in ("/clock", "/faults", "/replies")]
    return [answer.content for answer in (*pages, *details, driver.api.metrics(), driver.api.config(), *control)]


def test_everything_that_can_be_read_is_byte_for_byte_the_same(make_driver: MakeDriver) -> None:
    driver, elsewhere = lived_in(make_driver()), make_driver(seed=99)
    assert put(elsewhere, taken(driver)).status_code == 200
    assert views(elsewhere) == views(driver)


def test_the_next_ids_and_texts_are_those_that_would_have_come(make_driver: MakeDriver) -> None:
    driver, elsewhere = lived_in(make_driver()), make_driver("app_copy", seed=99)
    put(elsewhere, taken(driver))
    for copied in (elsewhere, driver):
        copied.set(agent=None)
    mine, others = ([w.api.create(), w.api.complete("Quote?"), w.api.create()] for w in (driver, elsewhere))
    assert [answer.content for answer in others] == [answer.content for answer in mine]


def test_a_cursor_still_works(make_driver: MakeDriver) -> None:
    driver = lived_in(make_driver())
    [newest, *_] = driver.api.list().json()["data"]
    rest = driver.api.list(after=newest["id"]).content
    put(driver, taken(driver))
    assert driver.api.list(after=newest["id"]).content == rest


def test_a_snapshot_of_what_was_put_back_is_the_same_document(make_driver: MakeDriver) -> None:
    document = taken(lived_in(make_driver()))
    elsewhere = make_driver("app_other", seed=3, titles="after_first_exchange")
    put(elsewhere, document)
    assert taken(elsewhere) == document


def test_numbers_come_back_exactly_as_they_were_sent(make_driver: MakeDriver) -> None:
    driver = make_driver()
    raw = b'{"metadata":{"price":1.10,"big":123456789012345678901234567890,"small":1e-400}}'
    made = driver.client.post("/v1/apps/app_spec/conversations", content=raw, headers=JSON).json()["id"]
    put(driver, taken(driver))
    assert (
        b'"metadata":{"price":1.10,"big":123456789012345678901234567890,"small":1e-400}' in driver.api.get(made).content
    )


def test_metadata_as_deep_as_it_may_be_comes_back(make_driver: MakeDriver) -> None:
    driver = make_driver()
    deep: Any = {}
    for _ in range(98):
        deep = {"a": deep}
    made = driver.api.created(metadata=deep)
    assert put(driver, taken(driver)).status_code == 200
    assert driver.api.get(made).json()["metadata"] == deep


def test_what_was_there_before_is_forgotten(make_driver: MakeDriver) -> None:
    fresh = taken(make_driver())
    driver = lived_in(make_driver())
    put(driver, fresh)
    assert driver.counts == {"conversations": 0, "messages": 0, "users": 0, "requests": 0}
    assert driver.requests() == []


def test_taking_one_changes_nothing(make_driver: MakeDriver) -> None:
    driver = make_driver()
    assert json.loads(taken(driver))["conversations"] == []
    assert driver.client.get("/_sandbox/apps").json()["data"][-1]["app_id"] == "app_demo"


def test_app_demo_stays_as_it_was_put_back(make_driver: MakeDriver) -> None:
    driver, elsewhere = make_driver("app_demo"), make_driver("app_demo", seed=5)
    driver.api.created(title="Mine")
    put(elsewhere, taken(driver))
    assert views(elsewhere) == views(driver)


def test_declared_settings_give_way_to_those_of_the_snapshot(make_driver: MakeDriver) -> None:
    declared = {"app_spec": {"agent": {"name": "Declared"}, "tools": [], "rate_limit": {"per_day": 1}}}
    driver, elsewhere = make_driver(), make_driver(apps=declared)
    put(elsewhere, taken(driver))
    assert elsewhere.settings == driver.settings


def test_null_still_gives_the_declared_default_back(make_driver: MakeDriver) -> None:
    driver = make_driver(apps={"app_spec": {"agent": {"name": "Declared"}}})
    put(driver, taken(make_driver()))
    assert driver.set(agent=None).json()["settings"]["agent"]["name"] == "Declared"


def test_rate_windows_go_on(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.set(rate_limit={"per_minute": 1})
    driver.api.complete("One")
    put(driver, taken(driver))
    assert_error(driver.api.complete("Two"), 429, "rate_limit_exceeded")


def test_a_stream_that_is_open_ends_with_response_failed(driver: AppDriver) -> None:
    conversation = driver.api.created()
    document = taken(driver)
    driver.set(pace={"first_ms": 0, "delta_ms": 1_000})
    with driver.open_stream(conversation=conversation) as slow:
        slow.read_until(b"event: response.created")
        put(driver, document)
        slow.read_until(b"event: response.failed")
    assert driver.api.items(conversation) == []


# Secrets


def test_secrets_are_masked_unless_they_are_asked_for(make_driver: MakeDriver) -> None:
    driver = make_driver()
    conversation = driver.api.created(metadata={"key": "sk_live_0123456789abc"})
    driver.api.send(conversation, "[[echo]] my key is sk_live_0123456789abc")
    driver.set(keys=["sk_test_spec", "sk_live_0123456789abc"])
    assert b"0123456789" not in taken(driver)
    assert taken(driver, secrets=True).count(b"sk_live_0123456789abc") == 4


def test_masked_keys_are_refused_with_their_place(make_driver: MakeDriver) -> None:
    driver = make_driver()
    driver.set(keys=["sk_test_spec"])
    assert_error(put(driver, taken(driver)), 422, "invalid_request_error", param="settings.keys[0]")
    assert put(driver, taken(driver, secrets=True)).status_code == 200


# Refused whole

Spoil = Callable[[dict[str, Any]], Any]


def spoilt(document: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """Put another value at a place of a document."""
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return document


# Each row: the place that is named, and what is wrong there.
SPOILT: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("version", ("version",), 2),
    ("object", ("object",), "snapshots"),
    ("surprise", ("surprise",), 1),
    ("origin.seed", ("origin", "seed"), "one"),
    ("settings.status", ("settings", "status"), "asleep"),
    ("settings.colour", ("settings", "colour"), "red"),
    ("clock", ("clock",), -1),
    ("counters.conversations", ("counters", "conversations"), 2),
    ("counters.faults", ("counters", "faults"), 0),
    ("counters.replies", ("counters", "replies"), 0),
    ("faults[0].fields.kind", ("faults", 0, "fields", "kind"), "boredom"),
    ("faults[0].fields.status", ("faults", 0, "fields", "status"), 99),
    ("replies[0].fields.output", ("replies", 0, "fields", "output"), "Hi"),
    ("rate_windows[0].seconds", ("rate_windows", 0, "seconds"), 61),
    ("conversations[0].id", ("conversations", 0, "id"), "11111111-1111-4111-8111-111111111111"),
    ("conversations[1].number", ("conversations", 1, "number"), 1),
    ("conversations[0].metadata", ("conversations", 0, "metadata"), {"x": "y" * 16_384}),
    ("conversations[0].generated_title.fr-ca", ("conversations", 0, "generated_title"), {"en-ca": "One"}),
    ("conversations[0].items[1].role", ("conversations", 0, "items", 1, "role"), "system"),
    ("conversations[0].items[1].parts[0].type", ("conversations", 0, "items", 1, "parts", 0, "type"), "image"),
    ("conversations[0].items[1].created_at", ("conversations", 0, "items", 1, "created_at"), "now"),
]


@pytest.fixture(scope="module")
def good() -> bytes:
    """A snapshot of an app that was lived in."""
    from sandbox import Settings, create_app
    from tests.support.constants import AUTH

    client = client_of(create_app(Settings(now=NOW)), AUTH)
    return taken(lived_in(AppDriver(client, "app_spec")))


def test_what_is_wrong_is_refused_with_its_place_and_changes_nothing(
    make_driver: MakeDriver, good: bytes, subtests: pytest.Subtests
) -> None:
    for place, path, value in SPOILT:
        with subtests.test(place=place, path=path, value=value):
            driver = lived_in(make_driver("app_kept"))
            before = taken(driver)
            answer = put(driver, spoilt(json.loads(good), *path, value=value))
            assert_error(answer, 422, "invalid_request_error", param=place)
            assert taken(driver) == before


def doubled_fault(document: dict[str, Any]) -> None:
    document["faults"] *= 2
    document["counters"]["faults"] = 2


def doubled_item(document: dict[str, Any]) -> None:
    document["conversations"][0]["items"] *= 2


def doubled_window(document: dict[str, Any]) -> None:
    document["rate_windows"] *= 2
    del document["rate_windows"][2:]


@pytest.mark.parametrize(
    ("spoil", "place"),
    [(doubled_fault, "faults[1].id"), (doubled_item, "conversations[0].items[2].id"), (doubled_window, "rate_windows")],
)
def test_what_stands_there_twice_is_refused(
    make_driver: MakeDriver, good: bytes, spoil: Callable[[dict[str, Any]], None], place: str
) -> None:
    document = json.loads(good)
    spoil(document)
    assert_error(put(make_driver(), document), 422, "invalid_request_error", param=place, code="repeated")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_document_that_is_cut_is_refused(make_driver: MakeDriver, good: bytes, share: float) -> None:
    answer = put(make_driver(), good[: int(len(good) * share)])
    assert_error(answer, 422, "invalid_request_error", code="invalid_json")


def test_a_snapshot_may_be_larger_than_other_bodies(make_driver: MakeDriver) -> None:
    driver = make_driver()
    conversation = driver.api.created()
    for _ in range(3):
        driver.api.send(conversation, "long " * 100_000)
    document = taken(driver)
    assert len(document) > 1024**2
    assert put(driver, document).status_code == 200
    assert_error(driver.client.patch("/_sandbox/apps/app_spec", content=document), 413, "payload_too_large")


def test_one_larger_than_64_mib_is_413(make_driver: MakeDriver) -> None:
    assert_error(put(make_driver(), b" " * (64 * 1024**2 + 1)), 413, "payload_too_large")


def test_one_whose_values_would_fill_the_memory_is_413(make_driver: MakeDriver) -> None:
    refused = put(make_driver(), b'{"apps": [' + b"{}," * 3_000_000 + b"{}]}")
    assert "5,000,000 values" in assert_error(refused, 413, "payload_too_large")["message"]


@pytest.mark.memory
def test_one_that_does_not_fit_is_refused_and_changes_nothing(make_driver: MakeDriver, good: bytes) -> None:
    driver = make_driver(max_bytes=3_000)
    driver.api.created(title="Mine")
    before = taken(driver)
    assert_error(put(driver, good), 503, "internal_error")
    assert taken(driver) == before


@pytest.mark.parametrize("app_id", ["app_missing", "app_inactive", "app_no_agent", "app_error"])
def test_an_app_that_always_behaves_the_same_way_has_none(make_driver: MakeDriver, good: bytes, app_id: str) -> None:
    driver = make_driver(app_id)
    assert_error(driver.call("GET", "/snapshot"), 409, "invalid_request_error")
    assert_error(put(driver, good), 409, "invalid_request_error")


def places(value: Any) -> list[tuple[str | int, ...]]:
    """Return the way to every place of a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, child in below for path in places(child))]


@settings(max_examples=examples(150, quick=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=json_values)
def test_with_anything_anywhere_it_is_refused_or_can_be_shown(
    make_driver: MakeDriver, good: bytes, data: st.DataObject, value: Any
) -> None:
    document, driver = json.loads(good), make_driver()
    answer = put(driver, spoilt(document, *data.draw(st.sampled_from(places(document)[1:])), value=value))
    assert answer.status_code in (200, 422), answer.text
    assert {driver.api.list().status_code, driver.call("GET").status_code} <= {200, 403}
    for conversation in document["conversations"] if answer.status_code == 200 else ():
        assert driver.api.get(conversation["id"]).status_code in (200, 403, 404)


def test_a_secret_that_json_writes_otherwise_is_masked_too(make_driver: MakeDriver) -> None:
    """The control token may be any text."""
    token = 'a "token"\\of mine'
    driver = make_driver(control_token=token)
    conversation = driver.api.created(title=f"This is {token}.")
    driver.client.headers["Authorization"] = f"Bearer {token}"
    [shown] = json.loads(taken(driver))["conversations"]
    assert (shown["id"], shown["title"]) == (conversation, "This is ….")
