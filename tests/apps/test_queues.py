"""Queues by themselves: which thing acts on which request, held against a plain rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apps.limits import SharedUsage, Usage
from sandbox.apps.rule_queue import MAX_QUEUED, MemoryRuleQueue
from sandbox.errors import StoreFull
from sandbox.rng import Entropy
from tests.apps.plain import now


def anything(fields: Mapping[str, Any]) -> bool:
    return True


def empty(kind: str = "fault", seed: int = 1) -> MemoryRuleQueue:
    return MemoryRuleQueue(kind, Usage(SharedUsage()), Entropy(seed).at("app_a"))


def add(queue: MemoryRuleQueue, **fields: Any) -> str:
    return now(queue.add(fields)).id


def take(queue: MemoryRuleQueue, matches: Callable[[Mapping[str, Any]], bool] = anything) -> Any:
    """Return the name of the rule that acts."""
    rule = now(queue.take(matches))
    return rule and rule.fields.get("name", "nameless")


THINGS = st.lists(
    st.fixed_dictionaries({"times": st.none() | st.integers(1, 3), "skip": st.integers(0, 3), "odd": st.booleans()}),
    max_size=5,
)


@given(things=THINGS, requests=st.lists(st.booleans(), max_size=20))
def test_the_oldest_that_matches_and_does_not_skip_acts(things: list[dict[str, Any]], requests: list[bool]) -> None:
    queue, left = empty(), [dict(thing) for thing in things]
    for number, thing in enumerate(things):
        add(queue, **thing, name=number)
    for odd in requests:
        assert take(queue, lambda fields: fields["odd"] == odd) == expected(left, odd)  # noqa: B023 - called at once


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


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_probability_is_a_share(probability: float) -> None:
    queue = empty()
    add(queue, times=None, probability=probability)
    hits = sum(take(queue) is not None for _ in range(2_000))
    assert abs(hits / 2_000 - probability) < 0.05


def test_lots_hang_on_the_seed_and_on_the_thing_alone() -> None:
    def lots(seed: int) -> list[bool]:
        queue = empty(seed=seed)
        add(queue, times=None, probability=0.5)
        return [take(queue) is not None for _ in range(50)]

    assert lots(1) == lots(1) != lots(2)


def test_ids_are_the_seeds_and_never_given_twice() -> None:
    queue = empty()
    first = add(queue)
    now(queue.clear())
    assert add(queue) != first
    assert add(empty()) == first
    assert add(empty("reply")).startswith("reply_")


def test_an_app_holds_a_thousand() -> None:
    queue = empty()
    for _ in range(MAX_QUEUED):
        add(queue)
    with pytest.raises(StoreFull, match="1,000 faults"):
        add(queue)
    assert len(queue.rules) == MAX_QUEUED == 1_000


@given(things=THINGS, requests=st.integers(0, 10))
def test_what_waits_counts_as_long_as_it_waits(things: list[dict[str, Any]], requests: int) -> None:
    usage = Usage(SharedUsage())
    queue = MemoryRuleQueue("fault", usage, Entropy(1))
    for thing in things:
        add(queue, **thing)
    for _ in range(requests):
        take(queue)
    assert (usage.bytes > 0) == bool(queue.rules)
    copy = Usage(SharedUsage())
    MemoryRuleQueue("fault", copy, Entropy(1), queue.state)
    assert copy.bytes == usage.bytes
    now(queue.clear())
    assert usage.bytes == 0
