"""The webhooks of one app: the log of its deliveries, and when those that wait are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.handler_types import App
from sandbox.sources import FrozenClock
from sandbox.webhooks.delivery_log import Delivery, DeliveryLog

Send = Callable[[Delivery], None]


class AppWebhooks:
    """What belongs to one app.

    All timing is in the app's time: under a frozen clock nothing is sent again until the clock moves.
    """

    def __init__(self) -> None:
        self.log = DeliveryLog()
        # The timers of deliveries that wait for their time, by number: None where the clock stands still.
        self._timers: dict[int, asyncio.TimerHandle | None] = {}
        # By URL, the number of the delivery that the lab mode `reorder` holds back until another overtakes it.
        self.held: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Return about how many bytes the app's deliveries take."""
        return self.log.size

    def schedule(self, app: App, delivery: Delivery, send: Send) -> None:
        """Send a delivery when it is due, which may be now."""
        left = (delivery.due or 0) - app.moment
        if left <= 0:
            send(delivery)
        elif isinstance(app.clock, FrozenClock):
            self._timers[delivery.number] = None
        else:
            self._timers[delivery.number] = asyncio.get_running_loop().call_later(left, send, delivery)

    def reschedule(self, app: App, send: Send) -> None:
        """Schedule anew what waits for its time: the app's clock was set."""
        for number in list(self._timers):
            self._cancel_timer(number)
            if delivery := self.log.get(number):
                self.schedule(app, delivery, send)

    def is_scheduled(self, delivery: Delivery) -> bool:
        """Say whether a delivery waits for its time."""
        return delivery.number in self._timers

    def unschedule(self, delivery: Delivery) -> None:
        """Forget when a delivery is due, and hold it back no more."""
        self._cancel_timer(delivery.number)
        if self.held.get(delivery.url) == delivery.number:
            del self.held[delivery.url]

    def stop(self) -> None:
        """Cancel all timers; what waits stays so in the log."""
        for number in list(self._timers):
            self._cancel_timer(number)

    def clear(self) -> None:
        """Drop everything."""
        self.stop()
        self.held.clear()
        self.log.clear()

    def _cancel_timer(self, number: int) -> None:
        if timer := self._timers.pop(number, None):
            timer.cancel()
