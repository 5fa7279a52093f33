"""Queues by themselves: which thing acts on which request, held against a plain rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apps.rule_queue import MOST_WAITING, Queue
from sandbox.errors import StoreFull
from sandbox.sources import Entropy

ENTROPY = Entropy(1).at("app_a")


def anything(fields: Mapping[str, Any]) -> bool:
    return True


def taken(queue: Queue, app_id: str = "app_a") -> str | None:
    found = queue.take(app_id, ENTROPY, anything)
    return found.fields["name"] if found else None


THINGS = st.lists(
    st.fixed_dictionaries({"times": st.none() | st.integers(1, 3), "skip": st.integers(0, 3), "odd": st.booleans()}),
    max_size=5,
)


@given(things=THINGS, requests=st.lists(st.booleans(), max_size=20))
def test_the_oldest_that_matches_and_does_not_skip_acts(things: list[dict[str, Any]], requests: list[bool]) -> None:
    queue, left = Queue("fault"), [dict(thing) for thing in things]
    for number, thing in enumerate(things):
        queue.add("app_a", ENTROPY, {**thing, "name": number})
    for odd in requests:
        found = queue.take("app_a", ENTROPY, lambda fields, odd=odd: fields["odd"] == odd)  # type: ignore[misc]
        assert (found.fields["name"] if found else None) == expected(left, odd)


def expected(left: list[dict[str, Any]], odd: bool) -> int | None:
    """Say which thing acts, and note what is left of each."""
    for number, thing in enumerate(left):
        if thing["odd"] != odd or thing["times"] == 0:
            continue
        if thing["skip"]:
            thing["skip"] -= 1
            continue
        if thing["times"] is not None:
            thing["times"] -= 1
        return number
    return None


def test_a_thing_says_how_often_it_was_used() -> None:
    queue = Queue("fault")
    queue.add("app_a", ENTROPY, {"name": "x", "times": 3, "skip": 1})
    for _ in range(3):
        taken(queue)
    (waiting,) = queue.all("app_a")
    assert (waiting.times, waiting.skip, waiting.used) == (1, 0, 2)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_probability_is_a_share(probability: float) -> None:
    queue = Queue("fault")
    queue.add("app_a", ENTROPY, {"name": "x", "times": None, "probability": probability})
    hits = sum(taken(queue) is not None for _ in range(2_000))
    assert abs(hits / 2_000 - probability) < 0.05


def test_lots_hang_on_the_seed_and_on_the_thing_alone() -> None:
    def lots(seed: int) -> list[bool]:
        queue, entropy = Queue("fault"), Entropy(seed).at("app_a")
        queue.add("app_a", entropy, {"times": None, "probability": 0.5})
        return [queue.take("app_a", entropy, anything) is not None for _ in range(50)]

    assert lots(1) == lots(1) != lots(2)


def test_apps_have_queues_of_their_own() -> None:
    queue = Queue("fault")
    queue.add("app_a", ENTROPY, {"name": "x"})
    assert taken(queue, "app_b") is None
    queue.clear("app_b")
    queue.forget("app_b")
    assert taken(queue) == "x"


def test_ids_are_the_seeds_and_never_given_twice() -> None:
    queue = Queue("fault")
    first = queue.add("app_a", ENTROPY, {}).id
    queue.clear("app_a")
    assert queue.add("app_a", ENTROPY, {}).id != first
    queue.forget("app_a")
    assert queue.add("app_a", ENTROPY, {}).id == first
    assert Queue("reply").add("app_a", ENTROPY, {}).id.startswith("reply_")


def test_one_can_be_removed_once() -> None:
    queue = Queue("fault")
    names = {name: queue.add("app_a", ENTROPY, {"name": name}).id for name in ("x", "y", "z")}
    assert [queue.remove("app_a", names["y"]) for _ in range(2)] == [True, False]
    assert [waiting.fields["name"] for waiting in queue.all("app_a")] == ["x", "z"]


def test_an_app_holds_a_thousand() -> None:
    queue = Queue("fault")
    for _ in range(MOST_WAITING):
        queue.add("app_a", ENTROPY, {})
    with pytest.raises(StoreFull, match="1,000 faults"):
        queue.add("app_a", ENTROPY, {})
    assert len(queue.all("app_a")) == MOST_WAITING == 1_000
    queue.add("app_b", ENTROPY, {})
