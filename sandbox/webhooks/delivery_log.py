"""The log of an app's webhooks: what was sent or will be, to whom, and what came back; bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

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
    def key(self) -> tuple[str, str]:
        """Return what the dispatcher queues it by: deliveries of one app to one URL are sent one after the other."""
        return self.app_id, self.url

    @property
    def byte_size(self) -> int:
        """Return about how many bytes it takes."""
        return DELIVERY_BYTES + len(self.body) + len(self.url) + ATTEMPT_BYTES * len(self.attempts)


class DeliveryLog:
    """The deliveries of one app, oldest first; `size` is about how many bytes they take."""

    def __init__(self) -> None:
        self._deliveries: dict[int, Delivery] = {}
        self.size = 0

    def put(self, delivery: Delivery) -> None:
        """Add a delivery or replace it; where there are too many, the oldest that doesn't wait goes."""
        old = self._deliveries.get(delivery.number)
        self.size += delivery.byte_size - (old.byte_size if old else 0)
        self._deliveries[delivery.number] = delivery
        if len(self._deliveries) > MAX_DELIVERIES:
            # Fewer wait than are kept, so there is one.
            oldest = next(other for other in self._deliveries.values() if other.state != "waiting")
            self.size -= self._deliveries.pop(oldest.number).byte_size

    def get(self, number: int) -> Delivery | None:
        """Return a delivery, if it is still there."""
        return self._deliveries.get(number)

    def newest_first(self) -> Iterator[Delivery]:
        """Yield all deliveries."""
        return reversed(self._deliveries.values())

    def count_waiting(self) -> int:
        """Count the deliveries that wait."""
        return sum(delivery.state == "waiting" for delivery in self._deliveries.values())

    def clear(self) -> None:
        """Drop all deliveries."""
        self._deliveries.clear()
        self.size = 0
