"""The webhooks of an app: what was sent or will be, to whom, when, and what came back; bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.apps.limits import Usage

DeliveryState = Literal["waiting", "delivered", "failed", "refused", "dropped"]

MAX_WAITING = 1_000
# How many an app's log keeps: beside those that may wait, as many that are done with.
MAX_DELIVERIES = 2 * MAX_WAITING
MAX_ATTEMPTS = 50
# What a delivery and an attempt cost beside the texts in them.
DELIVERY_BYTES, ATTEMPT_BYTES = 700, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One time that a webhook was sent.

    `status` is None where no response came, and then `error` says why. `lab` is what was done to it on purpose.
    """

    at: int
    signature: str | None
    lab: str | None = None
    status: int | None = None
    error: str | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook for one URL.

    `number` is its place among the deliveries of all apps, `due` when it is sent next in the app's time (None: no
    more), `tries` how many attempts failed since it last began, `reason` why it was refused or dropped.
    """

    id: str
    number: int
    app_id: str
    type: str
    url: str
    created: int
    body: bytes
    state: DeliveryState = "waiting"
    due: float | None = None
    tries: int = 0
    reason: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def byte_size(self) -> int:
        """Return about how many bytes it takes."""
        return DELIVERY_BYTES + len(self.body) + len(self.url) + ATTEMPT_BYTES * len(self.attempts)


Send = Callable[[Delivery], None]


class AppDeliveries:
    """The webhooks of one app: its deliveries, oldest first, and when those that wait are sent.

    `held_back` has by URL the number of the delivery that the lab mode `reorder` holds back until another overtakes it.
    `on_clear` is called when everything is dropped.
    """

    __slots__ = ("_deliveries", "_timers", "_usage", "held_back", "on_clear")

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._deliveries: dict[int, Delivery] = {}
        # The timers of deliveries that wait for their time, by number: None where the clock stands still.
        self._timers: dict[int, asyncio.TimerHandle | None] = {}
        self.held_back: dict[str, int] = {}
        self.on_clear: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._deliveries)

    def put(self, delivery: Delivery) -> None:
        """Add a delivery or replace it; where there are too many, the oldest that doesn't wait goes."""
        old = self._deliveries.get(delivery.number)
        self._usage.grow(delivery.byte_size - (old.byte_size if old else 0))
        self._deliveries[delivery.number] = delivery
        if len(self._deliveries) > MAX_DELIVERIES:
            # Fewer wait than are kept, so there is one.
            self._drop(next(other for other in self._deliveries.values() if other.state != "waiting"))

    def _drop(self, delivery: Delivery) -> None:
        self._usage.grow(-self._deliveries.pop(delivery.number).byte_size)

    async def settle(self) -> None:
        """Wait until what was put is where all workers see it."""

    def get(self, number: int) -> Delivery | None:
        """Return a delivery, if it is still there."""
        return self._deliveries.get(number)

    def newest_first(self) -> Iterator[Delivery]:
        """Yield all deliveries."""
        return reversed(self._deliveries.values())

    def count_waiting(self) -> int:
        """Count the deliveries that wait."""
        return sum(delivery.state == "waiting" for delivery in self._deliveries.values())

    def schedule(self, delivery: Delivery, seconds: float | None, send: Send) -> None:
        """Send a delivery after so many seconds of real time; None: when somebody looks again, the clock is frozen."""
        timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, send, delivery)
        self._timers[delivery.number] = timer

    def scheduled(self) -> list[Delivery]:
        """Return the deliveries that wait for their time."""
        return [delivery for number in self._timers if (delivery := self.get(number))]

    def is_scheduled(self, delivery: Delivery) -> bool:
        """Say whether a delivery waits for its time."""
        return delivery.number in self._timers

    def unschedule(self, delivery: Delivery) -> None:
        """Cancel the timer of a delivery."""
        if timer := self._timers.pop(delivery.number, None):
            timer.cancel()

    def stop(self) -> None:
        """Cancel all timers; what waits stays so in the log."""
        for timer in self._timers.values():
            if timer:
                timer.cancel()
        self._timers.clear()

    def clear(self) -> None:
        """Drop everything."""
        self.stop()
        self.held_back.clear()
        self._usage.grow(-sum(delivery.byte_size for delivery in self._deliveries.values()))
        self._deliveries.clear()
        if self.on_clear:
            self.on_clear()
            self.on_clear = None
