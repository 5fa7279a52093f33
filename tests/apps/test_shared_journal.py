"""The journal of two servers on one store: numbered, bounded and read over both."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.apps.app import App
from sandbox.apps.request_record import RequestRecord
from sandbox.redis_store import journal as redis_journal
from tests.apps.stores import Store
from tests.support.journal_entries import MadeRequest, entry


class NumberedRequest(MadeRequest):
    """A request whose record has the place that it was given."""

    def fields(self) -> tuple[Any, ...]:
        return tuple(RequestRecord._make(super().fields())._replace(seq=self.seq))


def pair(store: Store) -> tuple[App, App]:
    """Return the same app of two servers."""
    return store.registry().find("app_a"), store.registry().find("app_a")


def begin(store: Store, app: App, **fields: Any) -> MadeRequest:
    """Let a request come to a server."""
    request = NumberedRequest(app.journal, entry(app_id=app.id, **fields))
    app.journal.shared.begin(request)
    store.now(app.refresh(request))
    return request


def ask(store: Store, app: App, **fields: Any) -> str:
    """Let a request come and be over; return its id."""
    request = begin(store, app, **fields)

    async def end() -> None:
        app.journal.shared.add(request, size=0)
        await app.journal.shared.flush()

    store.now(end())
    return request.id.decode()


def records(store: Store, app: App, **query: Any) -> list[RequestRecord]:
    return list(store.now(app.journal.shared.view(app.journal)).newest_first(**query))


def ids(store: Store, app: App, **query: Any) -> list[str]:
    return [record.id for record in records(store, app, **query)]


def test_requests_are_numbered_over_both_and_each_reads_all(shared: Store) -> None:
    one, other = pair(shared)
    asked = [ask(shared, app, operation_id=name) for app, name in ((one, "a"), (other, "b"), (one, "a"), (other, "a"))]

    assert [int(each[-8:], 16) for each in asked] == [1, 2, 3, 4]
    assert ids(shared, one) == ids(shared, other) == asked[::-1]
    assert ids(shared, other, operation_id="a") == [asked[3], asked[2], asked[0]]
    assert ids(shared, other, after=asked[2]) == [asked[1], asked[0]]
    with pytest.raises(LookupError):
        ids(shared, one, after="req_app_a_ffffffff")


def test_a_record_is_kept_to_the_byte(shared: Store) -> None:
    one, other = pair(shared)
    whole = {
        "operation_id": "a",
        "path": b"/\xff",
        "query": b"a=%00",
        "headers": [(b"x-a", b"\xe9"), (b"x-a", b"2")],
        "body": bytes(range(256)),
        "status": 200,
        "response_headers": [(b"x-b", b"")],
        "response_pieces": [(0.5, b"\x00\xfe"), (1.5, b"")],
        "frozen_at": 1.25,
        "violation": "é",
    }
    request_id = ask(shared, one, **whole)

    found = shared.now(other.journal.shared.find(request_id))

    assert found is not None
    assert {name: getattr(found, name) for name in whole} == whole
    assert shared.now(other.journal.shared.find(request_id[:-1] + "9")) is None


def test_the_oldest_go_and_are_counted(shared: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_journal, "MAX_RECORDS", 3)
    one, other = pair(shared)
    asked = [ask(shared, (one, other)[number % 2], operation_id="ab"[number % 2]) for number in range(8)]

    view = shared.now(one.journal.shared.view(other.journal))

    assert sorted(record.id for record in view.newest_first()) == asked[5:]
    assert [view.count_evicted(name) for name in (None, "a", "b", "c")] == [5, 3, 2, 0]


def test_bytes_are_bounded_too(shared: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_journal, "MAX_BYTES", 5_000)
    one, _ = pair(shared)
    asked = [ask(shared, one, body=b"x" * 2_000) for _ in range(5)]
    assert ids(shared, one) == asked[:2:-1]


def test_what_is_dropped_is_gone_and_numbers_go_on(shared: Store) -> None:
    one, other = pair(shared)
    first = ask(shared, one)
    under_way = begin(shared, other)

    shared.now(other.journal.shared.drop(other.journal))

    assert under_way.id.decode() in ids(shared, other)
    assert int(ask(shared, one)[-8:], 16) == 3
    assert first not in ids(shared, other)


def test_what_is_over_after_a_reset_leaves_nothing(shared: Store) -> None:
    one, other = pair(shared)
    request = begin(shared, one)
    shared.now(other.reset())

    async def end() -> None:
        request.journal.shared.add(request, size=0)

    shared.now(end())

    assert ids(shared, other) == []
    assert int(ask(shared, other)[-8:], 16) == 1


def test_the_journal_of_all_has_every_app(shared: Store) -> None:
    registry = shared.registry()
    asked = [ask(shared, registry.find(name)) for name in ("app_b", "app_a", "app_b")]
    journal = registry.find("app_a").journal.shared
    assert [record.id for record in shared.now(journal.view()).newest_first()] == asked[::-1]
