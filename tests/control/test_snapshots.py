"""Snapshots: an app's whole state as a document, and the same app again wherever it is put back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.wire import asking
from tests.conftest import NOW, Server
from tests.control.conftest import MakeWorld
from tests.control.driver import World
from tests.depth import up_to
from tests.envelope import assert_error
from tests.inprocess import calling
from tests.strategies import json_values

JSON = {"Content-Type": "application/json"}


def taken(world: World, *, secrets: bool = False) -> bytes:
    """Return an app's snapshot as it is sent."""
    answer = world.call("GET", f"/snapshot?secrets={str(secrets).lower()}")
    assert answer.status_code == 200, answer.text
    return answer.content


def put(world: World, document: Any) -> Any:
    """Put a snapshot back."""
    content = document if isinstance(document, bytes) else json.dumps(document)
    url = f"/_sandbox/apps/{world.app_id}/snapshot"
    return world.client.put(url, content=content, headers=JSON)


def lived_in(world: World) -> World:
    """Let an app be used for a while."""
    world.set(titles="after_first_exchange", rate_limit={"per_minute": 50}, agent={"name": "Léa"})
    first = world.api.created(external_user_id="ada", metadata={"first_name": "Ada", "plan": [1, None]})
    world.api.send(first, "I'd like an appointment [[tool]]")
    world.api.delete(world.api.created(title="Gone"))
    world.api.created(title="Kept")
    world.api.complete("Hello")
    world.fault("status", status=503, skip=9, operation="apps_api_create_completion")
    world.reply({"type": "message", "text": "Later."}, contains="never said")
    world.freeze(NOW + 60)
    return world


def views(world: World) -> list[bytes]:
    """Return everything that a client can read of an app."""
    pages = [world.api.list(limit=2), world.api.list(order="asc"), world.api.list_of_user("ada")]
    details = [world.api.get(row["id"]) for row in pages[1].json()["data"]]
    control = [world.call("GET", path) for path in ("/clock", "/faults", "/replies")]
    return [answer.content for answer in (*pages, *details, world.api.metrics(), world.api.config(), *control)]


def test_everything_that_can_be_read_is_byte_for_byte_the_same(make_world: MakeWorld) -> None:
    world, elsewhere = lived_in(make_world()), make_world(seed=99)
    assert put(elsewhere, taken(world)).status_code == 200
    assert views(elsewhere) == views(world)


def test_the_next_ids_and_texts_are_those_that_would_have_come(make_world: MakeWorld) -> None:
    world, elsewhere = lived_in(make_world()), make_world("app_copy", seed=99)
    put(elsewhere, taken(world))
    for copied in (elsewhere, world):
        copied.set(agent=None)
    mine, others = ([w.api.create(), w.api.complete("Quote?"), w.api.create()] for w in (world, elsewhere))
    assert [answer.content for answer in others] == [answer.content for answer in mine]


def test_a_cursor_still_works(make_world: MakeWorld) -> None:
    world = lived_in(make_world())
    [newest, *_] = world.api.list().json()["data"]
    rest = world.api.list(after=newest["id"]).content
    put(world, taken(world))
    assert world.api.list(after=newest["id"]).content == rest


def test_a_snapshot_of_what_was_put_back_is_the_same_document(make_world: MakeWorld) -> None:
    document = taken(lived_in(make_world()))
    elsewhere = make_world("app_other", seed=3, titles="after_first_exchange")
    put(elsewhere, document)
    assert taken(elsewhere) == document


def test_numbers_come_back_exactly_as_they_were_sent(make_world: MakeWorld) -> None:
    world = make_world()
    raw = b'{"metadata":{"price":1.10,"big":123456789012345678901234567890,"small":1e-400}}'
    made = world.client.post("/v1/apps/app_spec/conversations", content=raw, headers=JSON).json()["id"]
    put(world, taken(world))
    assert (
        b'"metadata":{"price":1.10,"big":123456789012345678901234567890,"small":1e-400}' in world.api.get(made).content
    )


def test_metadata_as_deep_as_it_may_be_comes_back(make_world: MakeWorld) -> None:
    world = make_world()
    deep: Any = {}
    for _ in range(98):
        deep = {"a": deep}
    made = world.api.created(metadata=deep)
    assert put(world, taken(world)).status_code == 200
    assert world.api.get(made).json()["metadata"] == deep


def test_what_was_there_before_is_forgotten(make_world: MakeWorld) -> None:
    fresh = taken(make_world())
    world = lived_in(make_world())
    put(world, fresh)
    assert world.counts == {"conversations": 0, "messages": 0, "users": 0, "requests": 0}
    assert world.requests() == []


def test_taking_one_changes_nothing(make_world: MakeWorld) -> None:
    world = make_world()
    assert json.loads(taken(world))["conversations"] == []
    assert world.client.get("/_sandbox/apps").json()["data"][-1]["app_id"] == "app_demo"


def test_app_demo_stays_as_it_was_put_back(make_world: MakeWorld) -> None:
    world, elsewhere = make_world("app_demo"), make_world("app_demo", seed=5)
    world.api.created(title="Mine")
    put(elsewhere, taken(world))
    assert views(elsewhere) == views(world)


def test_declared_settings_give_way_to_those_of_the_snapshot(make_world: MakeWorld) -> None:
    declared = {"app_spec": {"agent": {"name": "Declared"}, "tools": [], "rate_limit": {"per_day": 1}}}
    world, elsewhere = make_world(), make_world(apps=declared)
    put(elsewhere, taken(world))
    assert elsewhere.settings == world.settings


def test_null_still_gives_the_declared_default_back(make_world: MakeWorld) -> None:
    world = make_world(apps={"app_spec": {"agent": {"name": "Declared"}}})
    put(world, taken(make_world()))
    assert world.set(agent=None).json()["settings"]["agent"]["name"] == "Declared"


def test_rate_windows_go_on(make_world: MakeWorld) -> None:
    world = make_world()
    world.set(rate_limit={"per_minute": 1})
    world.api.complete("One")
    put(world, taken(world))
    assert_error(world.api.complete("Two"), 429, "rate_limit_exceeded")


def test_a_stream_that_is_open_ends_with_response_failed(server: Server, world: World) -> None:
    conversation = world.api.created()
    document = taken(world)
    world.set(pace={"first_ms": 0, "delta_ms": 1_000})
    with asking(server.url, world.api.url(conversation), {"message": {"content": "Hi"}, "stream": True}) as slow:
        slow.until(b"event: response.created")
        put(world, document)
        slow.until(b"event: response.failed")
    assert world.api.items(conversation) == []


# Secrets


def test_secrets_are_masked_unless_they_are_asked_for(make_world: MakeWorld) -> None:
    world = make_world()
    conversation = world.api.created(metadata={"key": "sk_live_0123456789abc"})
    world.api.send(conversation, "[[echo]] my key is sk_live_0123456789abc")
    world.set(keys=["sk_test_spec", "sk_live_0123456789abc"])
    assert b"0123456789" not in taken(world)
    assert taken(world, secrets=True).count(b"sk_live_0123456789abc") == 4


def test_masked_keys_are_refused_with_their_place(make_world: MakeWorld) -> None:
    world = make_world()
    world.set(keys=["sk_test_spec"])
    assert_error(put(world, taken(world)), 422, "invalid_request_error", param="settings.keys[0]")
    assert put(world, taken(world, secrets=True)).status_code == 200


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
    from tests.conftest import AUTH

    client = calling(create_app(Settings(now=NOW)), AUTH)
    return taken(lived_in(World(client, "app_spec")))


def test_what_is_wrong_is_refused_with_its_place_and_changes_nothing(
    make_world: MakeWorld, good: bytes, subtests: pytest.Subtests
) -> None:
    for place, path, value in SPOILT:
        with subtests.test(place=place, path=path, value=value):
            world = lived_in(make_world("app_kept"))
            before = taken(world)
            answer = put(world, spoilt(json.loads(good), *path, value=value))
            assert_error(answer, 422, "invalid_request_error", param=place)
            assert taken(world) == before


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
    [
        (doubled_fault, "faults[1].id"),
        (doubled_item, "conversations[0].items[2].id"),
        (doubled_window, "rate_windows"),
    ],
)
def test_what_stands_there_twice_is_refused(
    make_world: MakeWorld, good: bytes, spoil: Callable[[dict[str, Any]], None], place: str
) -> None:
    document = json.loads(good)
    spoil(document)
    assert_error(put(make_world(), document), 422, "invalid_request_error", param=place, code="repeated")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_document_that_is_cut_is_refused(make_world: MakeWorld, good: bytes, share: float) -> None:
    answer = put(make_world(), good[: int(len(good) * share)])
    assert_error(answer, 422, "invalid_request_error", code="invalid_json")


def test_a_snapshot_may_be_larger_than_other_bodies(make_world: MakeWorld) -> None:
    world = make_world()
    conversation = world.api.created()
    for _ in range(3):
        world.api.send(conversation, "long " * 100_000)
    document = taken(world)
    assert len(document) > 1024**2
    assert put(world, document).status_code == 200
    assert_error(world.client.patch("/_sandbox/apps/app_spec", content=document), 413, "payload_too_large")


def test_one_larger_than_64_mib_is_413(make_world: MakeWorld) -> None:
    assert_error(put(make_world(), b" " * (64 * 1024**2 + 1)), 413, "payload_too_large")


def test_one_whose_values_would_fill_the_memory_is_413(make_world: MakeWorld) -> None:
    refused = put(make_world(), b'{"apps": [' + b"{}," * 3_000_000 + b"{}]}")
    assert "5,000,000 values" in assert_error(refused, 413, "payload_too_large")["message"]


def test_one_that_does_not_fit_is_refused_and_changes_nothing(make_world: MakeWorld, good: bytes) -> None:
    world = make_world(max_bytes=3_000)
    world.api.created(title="Mine")
    before = taken(world)
    assert_error(put(world, good), 503, "internal_error")
    assert taken(world) == before


@pytest.mark.parametrize("app_id", ["app_missing", "app_inactive", "app_no_agent", "app_error"])
def test_an_app_that_always_behaves_the_same_way_has_none(make_world: MakeWorld, good: bytes, app_id: str) -> None:
    world = make_world(app_id)
    assert_error(world.call("GET", "/snapshot"), 409, "invalid_request_error")
    assert_error(put(world, good), 409, "invalid_request_error")


def places(value: Any) -> list[tuple[str | int, ...]]:
    """Return the way to every place of a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, child in below for path in places(child))]


@settings(max_examples=up_to(150, here=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=json_values)
def test_with_anything_anywhere_it_is_refused_or_can_be_shown(
    make_world: MakeWorld, good: bytes, data: st.DataObject, value: Any
) -> None:
    document, world = json.loads(good), make_world()
    answer = put(world, spoilt(document, *data.draw(st.sampled_from(places(document)[1:])), value=value))
    assert answer.status_code in (200, 422), answer.text
    assert {world.api.list().status_code, world.call("GET").status_code} <= {200, 403}
    for conversation in document["conversations"] if answer.status_code == 200 else ():
        assert world.api.get(conversation["id"]).status_code in (200, 403, 404)


def test_a_secret_that_json_writes_otherwise_is_masked_too(make_world: MakeWorld) -> None:
    """The control token may be any text."""
    token = 'a "token"\\of mine'
    world = make_world(control_token=token)
    conversation = world.api.created(title=f"This is {token}.")
    world.client.headers["Authorization"] = f"Bearer {token}"
    [shown] = json.loads(taken(world))["conversations"]
    assert (shown["id"], shown["title"]) == (conversation, "This is ….")
