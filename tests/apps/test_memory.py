"""The bounds of the store in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.apps.app import App
from sandbox.apps.history import ControlCallRecord
from sandbox.apps.journal import Journal
from sandbox.apps.records import Conversation, Item
from sandbox.errors import StoreFull
from tests.apps.plain import now, registry


def record(number: int = 1, **more: Any) -> Conversation:
    return Conversation(**{"id": f"id_{number}", "number": number, "created_at": 0, **more})


def item(position: int) -> Item:
    return Item("user", b"%d" % position)


def app(**limits: Any) -> App:
    return registry(Journal(str), **limits).find("app_a")


def create(app: App, **more: Any) -> Conversation:
    return now(app.conversations.create(lambda number: record(number, **more)))


def test_more_apps_than_fit_are_refused_but_for_declared_ones() -> None:
    apps = registry(Journal(str), max_apps=1)
    create(apps.find("app_a"))

    with pytest.raises(StoreFull, match="max-apps"):
        create(apps.find("app_b"))
    create(apps.find("app_declared"))

    assert [one.id for one in apps.stored()] == ["app_a", "app_declared"]


def test_an_app_that_nobody_wrote_to_makes_room_for_others() -> None:
    apps = registry(Journal(str), max_unstored=100)
    kept, lost = apps.find("app_kept"), apps.find("app_lost")
    create(kept)

    for number in range(100):
        apps.find(f"app_{number}")

    assert apps.find("app_kept") is kept
    assert apps.find("app_lost") is not lost
    assert len(list(apps)) <= 101


LARGE = "x" * 20_000
# What can be made large by a client, and how it comes into the store.
FILLINGS: dict[str, Callable[[App], Any]] = {
    "metadata at creation": lambda one: create(one, metadata=LARGE.encode()),
    "a title at creation": lambda one: create(one, title=LARGE),
    "a user id": lambda one: create(one, external_user_id=LARGE),
    "a message": lambda one: now(one.conversations.append_message("id_1", lambda *_: Item("user", LARGE.encode()))),
    "a reply": lambda one: now(one.conversations.append_reply("id_1", lambda _: Item("assistant", LARGE.encode()))),
    "a title set later": lambda one: now(one.conversations.set_title("id_1", LARGE)),
    "metadata of a message": lambda one: now(
        one.conversations.append_message("id_1", lambda *_: item(0), LARGE.encode())
    ),
    "settings": lambda one: now(one.override({"agent": {"name": LARGE}})),
    "a fault": lambda one: now(one.faults.add({"body": LARGE})),
    "a reply that waits": lambda one: now(one.replies.add({"text": LARGE})),
    "a control call": lambda one: one.history.add(ControlCallRecord(seq=1, at=0, method="PATCH", path="/", body=LARGE)),
}


@pytest.mark.parametrize("filling", FILLINGS)
def test_everything_that_is_kept_counts_against_the_bound(filling: str) -> None:
    one = app(max_bytes=10_000)
    create(one)
    FILLINGS[filling](one)

    with pytest.raises(StoreFull, match="max-bytes"):
        create(one)
    assert now(one.conversations.totals()).conversations <= 2


def test_a_deleted_app_makes_room() -> None:
    apps = registry(Journal(str), max_bytes=10_000)
    one = apps.find("app_a")
    create(one, metadata=LARGE.encode())

    now(apps.delete(one))

    assert create(one) == record()
