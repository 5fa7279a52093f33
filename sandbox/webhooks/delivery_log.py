"""The journal of webhooks: what was sent, or will be, to whom, and what came back; bounded for each app."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

State = Literal["waiting", "delivered", "failed", "refused", "dropped"]

MAX_WAITING = 1_000
# So many of an app are kept: beside those that may wait, as many that are done with.
MAX_KEPT = 2 * MAX_WAITING
MAX_ATTEMPTS = 50
# What a delivery and an attempt cost beside the texts in them.
DELIVERY_BYTES, ATTEMPT_BYTES = 700, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One time that a webhook was sent.

    `status` is None where no answer came, and then `error` says why. `lab` is what was done to it on purpose.
    """

    at: int
    signature: str | None
    lab: str | None = None
    status: int | None = None
    error: str | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook on its way to one URL.

    `number` is its place in the journal, `due` when it goes out next in the app's time (None: no more), `tries` how
    often it was tried since it last began, `reason` why it was refused or dropped.
    """

    id: str
    number: int
    app_id: str
    type: str
    url: str
    created: int
    body: bytes
    state: State = "waiting"
    due: float | None = None
    tries: int = 0
    reason: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Deliveries of one app to one URL go out one after the other."""
        return self.app_id, self.url


class DeliveryLog:
    """Keeps the deliveries of every app, oldest first; `size` is about how many bytes all of them take."""

    def __init__(self) -> None:
        self._apps: defaultdict[str, dict[int, Delivery]] = defaultdict(dict)
        self._last = 0
        self.size = 0

    def next_number(self) -> int:
        """Return the place of the next delivery."""
        self._last += 1
        return self._last

    def put(self, delivery: Delivery) -> None:
        """Keep a delivery, in place of what was kept under its number; an app's oldest goes when it has too many."""
        kept = self._apps[delivery.app_id]
        old = kept.get(delivery.number)
        self.size += weight(delivery) - (weight(old) if old else 0)
        kept[delivery.number] = delivery
        if len(kept) > MAX_KEPT:
            # Those that wait are fewer than are kept, so there is one that doesn't.
            gone = next(other for other in kept.values() if other.state != "waiting")
            self.size -= weight(kept.pop(gone.number))

    def at(self, app_id: str, number: int) -> Delivery | None:
        """Return the delivery at a place, if it is still there."""
        return self._apps[app_id].get(number) if app_id in self._apps else None

    def get(self, delivery_id: str, app_id: str | None = None) -> Delivery | None:
        """Return the newest delivery of this id; an app that was put back under another name has the same ids."""
        return next((found for found in self.newest_first(app_id) if found.id == delivery_id), None)

    def newest_first(self, app_id: str | None = None) -> Iterator[Delivery]:
        """Yield the deliveries of one app, or of all."""
        apps = [app_id] if app_id is not None else list(self._apps)
        rows = [reversed(self._apps[app].values()) for app in apps if app in self._apps]
        return heapq.merge(*rows, key=lambda delivery: -delivery.number)

    def waiting(self, app_id: str) -> int:
        """Count the deliveries of an app that wait."""
        return sum(delivery.state == "waiting" for delivery in self.newest_first(app_id))

    def forget(self, app_id: str) -> None:
        """Drop all deliveries of an app."""
        self.size -= sum(map(weight, self._apps.pop(app_id, {}).values()))

    def forget_all(self) -> None:
        """Drop all deliveries of every app."""
        self._apps.clear()
        self.size = 0


def weight(delivery: Delivery) -> int:
    """Return about how many bytes a delivery takes."""
    return DELIVERY_BYTES + len(delivery.body) + len(delivery.url) + ATTEMPT_BYTES * len(delivery.attempts)
