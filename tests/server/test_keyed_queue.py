"""What runs at once: so many in all, one a key, each key in its turn."""

from __future__ import annotations

import asyncio

from sandbox.webhooks.dispatcher import MAX_IN_FLIGHT
from sandbox.webhooks.keyed_queue import KeyedQueue


class Work:
    """Runs until it is let go, and notes what began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, app_id: str, number: int) -> None:
        self.began.append((app_id, number))
        await self.gate.wait()


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_no_more_are_in_flight_than_may_be() -> None:
    async def run() -> None:
        work = Work()
        queue = KeyedQueue(work, MAX_IN_FLIGHT)
        for number in range(100):
            queue.add((f"app_{number}", "url"), number)
        await turns(5)
        assert len(work.began) == MAX_IN_FLIGHT == 16
        work.gate.set()
        await turns(50)
        assert len(work.began) == 100

    asyncio.run(run())


def test_a_key_that_stands_still_holds_up_no_other() -> None:
    async def run() -> None:
        work = Work()
        queue = KeyedQueue(work, 16)
        for number in range(50):
            queue.add(("slow", "url"), number)
        queue.add(("other", "url"), 1)
        await turns(5)
        assert work.began == [("slow", 0), ("other", 1)]
        queue.cancel()

    asyncio.run(run())


def test_nothing_is_left_when_it_stops() -> None:
    async def run() -> None:
        queue = KeyedQueue(Work(), 16)
        for number in range(50):
            queue.add(("app", f"url{number % 3}"), number)
        await turns(3)
        queue.cancel()
        await turns(3)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
