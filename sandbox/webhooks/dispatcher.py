"""Sends webhooks in the background: when, in which order and how often; what became of each is in the journal."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sandbox import webhook_url
from sandbox.app_settings import Webhook
from sandbox.apps.events import Bus
from sandbox.apps.store import Worlds
from sandbox.contract import Validator, encode
from sandbox.errors import StoreFull
from sandbox.handler_types import App
from sandbox.redaction import escape
from sandbox.sources import FrozenClock, monotonic, unix_time
from sandbox.webhooks import lab
from sandbox.webhooks.client import BlockedAddress, NoResponse, WebhookClient
from sandbox.webhooks.delivery_log import (
    DELIVERY_BYTES,
    MAX_ATTEMPTS,
    MAX_WAITING,
    Attempt,
    Delivery,
    DeliveryLog,
    State,
    weight,
)
from sandbox.webhooks.keyed_queue import KeyedQueue, Lane

log = logging.getLogger("sandbox")

# Seconds of the app's time between an attempt that failed and the next one.
DELAYS = (1, 2, 4, 8)
MAX_IN_FLIGHT = 16
# What stands around the data in a body: id, type, time.
ENVELOPE_BYTES = 150
# For how many seconds of the app's time the lab mode `reorder` lets one webhook wait for the next to overtake it.
HOLD = 2


class Apps(Protocol):
    """Where apps are looked up."""

    async def app(self, app_id: str) -> App | None:
        """Return an app, or None when there is none of this id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What the courier works with; `schemas` has the contract of each type, `agent` names the sandbox to receivers.

    `refuse_more_than_fits` raises `StoreFull` where so many bytes are more than the sandbox keeps.
    """

    apps: Apps
    worlds: Worlds
    refuse_more_than_fits: Callable[[int], None]
    book: DeliveryLog
    bus: Bus
    client: WebhookClient
    schemas: Mapping[str, Validator]
    agent: str


class WebhookDispatcher:
    """Delivers the webhooks of every app.

    Those of one app to one URL go out one after the other, in the order of what happened; these lanes take turns, so a
    slow receiver holds up nobody else. All bookkeeping is in the app's time: under a frozen clock nothing is tried
    again until the clock moves.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._lanes = KeyedQueue(self._deliver, MAX_IN_FLIGHT)
        # What waits for its time, by app: a timer, or None where the clock stands still.
        self._later: defaultdict[str, dict[int, asyncio.TimerHandle | None]] = defaultdict(dict)
        self._held: dict[Lane, int] = {}

    async def enqueue(self, app: App, kind: str, data: Mapping[str, Any]) -> Sequence[Delivery]:
        """Tell every webhook of an app that wants to know; return one delivery for each.

        What does not fit is dropped, and journalled so: what happened has happened.
        """
        return [await self._announced(app, hook, kind, data) for hook in _wanting(app, kind)]

    async def send(self, app: App, kind: str, data: Mapping[str, Any]) -> Sequence[Delivery]:
        """Do the same on demand.

        Raises:
            StoreFull: it does not fit; nothing is sent.
        """
        body = len(encode(data)) + ENVELOPE_BYTES
        self._post.refuse_more_than_fits(sum(DELIVERY_BYTES + body + len(hook.url) for hook in _wanting(app, kind)))
        return await self.enqueue(app, kind, data)

    def redeliver(self, app: App, delivery: Delivery) -> Delivery:
        """Let a delivery begin anew, now."""
        later = delivery.number in self._later.get(app.id, ())
        if delivery.state == "waiting" and not later and self._lanes.moves(delivery.key, delivery.number):
            return delivery
        self._unwait(delivery)
        anew = replace(delivery, state="waiting", due=app.moment, tries=0, reason=None)
        self._note(anew)
        self._lanes.add(anew.key, anew.number)
        return anew

    def moved(self, app: App) -> None:
        """Look again at what waits: the app's clock was set."""
        for number in list(self._later.get(app.id, ())):
            delivery = self._post.book.at(app.id, number)
            self._cancel_timer(app.id, number)
            if delivery:
                self._wait(app, delivery)

    def forget(self, app_id: str) -> None:
        """End everything of an app."""
        for number in list(self._later.get(app_id, ())):
            self._cancel_timer(app_id, number)
        for key in [key for key in self._held if key[0] == app_id]:
            del self._held[key]
        self._lanes.forget(app_id)
        self._post.book.forget(app_id)

    def forget_all(self) -> None:
        """End everything of every app."""
        self.stop()
        self._held.clear()
        self._post.book.forget_all()

    def stop(self) -> None:
        """End everything; what waits stays so in the journal."""
        for app_id, numbers in list(self._later.items()):
            for number in list(numbers):
                self._cancel_timer(app_id, number)
        self._lanes.stop()

    async def _announced(self, app: App, hook: Webhook, kind: str, data: Mapping[str, Any]) -> Delivery:
        number = await self._post.worlds.number(app.id, "webhook")
        created = app.clock.now()
        delivery_id = "webhook_" + app.entropy.hex(24, "webhook", number)
        payload = {
            "id": delivery_id,
            "type": kind,
            "created": created,
            "data": {**data, "created": data.get("created", created)},
        }
        delivery = Delivery(
            id=delivery_id,
            number=self._post.book.next_number(),
            app_id=app.id,
            type=kind,
            url=hook.url,
            created=created,
            body=encode(payload),
            due=app.moment,
        )
        if not self._post.schemas[kind].is_valid(payload):
            log.error("the webhook %s breaks the contract", kind)
            return self._ended(delivery, "dropped", "The sandbox's own webhook breaks the contract.")
        if self._post.book.waiting(app.id) >= MAX_WAITING:
            return self._ended(delivery, "dropped", f"{MAX_WAITING:,} webhooks of this app wait already.")
        try:
            self._post.refuse_more_than_fits(weight(delivery))
        except StoreFull as full:
            return self._ended(delivery, "dropped", full.message)
        return self._begin(app, delivery)

    def _begin(self, app: App, delivery: Delivery) -> Delivery:
        key = delivery.key
        if app.settings.webhook_lab == "reorder" and key not in self._held:
            delivery = replace(delivery, due=unix_time(app.moment + HOLD))
            self._held[key] = delivery.number
            self._note(delivery)
            self._wait(app, delivery)
            return delivery
        self._note(delivery)
        self._lanes.add(delivery.key, delivery.number)
        overtaken = self._held.pop(key, None)
        if overtaken is not None and (held := self._post.book.at(app.id, overtaken)):
            self._due(held)
        return delivery

    # When

    def _wait(self, app: App, delivery: Delivery) -> None:
        """Send a delivery when its time has come, which may be now."""
        left = (delivery.due or 0) - app.moment
        if left <= 0:
            self._due(delivery)
        elif isinstance(app.clock, FrozenClock):
            self._later[app.id][delivery.number] = None
        else:
            timer = asyncio.get_running_loop().call_later(left, self._due, delivery)
            self._later[app.id][delivery.number] = timer

    def _due(self, delivery: Delivery) -> None:
        """Send a delivery now, and hold nothing back for it."""
        self._unwait(delivery)
        self._lanes.add(delivery.key, delivery.number)

    def _unwait(self, delivery: Delivery) -> None:
        self._cancel_timer(delivery.app_id, delivery.number)
        if self._held.get(delivery.key) == delivery.number:
            del self._held[delivery.key]

    def _cancel_timer(self, app_id: str, number: int) -> None:
        timers = self._later.get(app_id, {})
        timer = timers.pop(number, None)
        if timer is not None:
            timer.cancel()
        if not timers:
            self._later.pop(app_id, None)

    # What is sent, and what comes of it

    async def _deliver(self, app_id: str, number: int) -> None:
        app = await self._post.apps.app(app_id)
        delivery = self._post.book.at(app_id, number)
        if app is None or delivery is None:
            return
        fits = (h for h in app.settings.webhooks if h.enabled and h.url == delivery.url and delivery.type in h.events)
        hook = next(fits, None)
        if hook is None:
            self._ended(delivery, "dropped", "The webhook was taken away, or switched off.")
            return
        good = False
        for variant in lab.variants(app.settings.webhook_lab, delivery.tries):
            if not variant.counts and variant.lab == "duplicate" and not good:
                continue
            try:
                attempt = await self._attempt(app, delivery, hook, variant)
            except BlockedAddress as refusal:
                log.warning("a webhook of %s was not sent: %s", escape(app_id), escape(str(refusal)))
                self._ended(delivery, "refused", str(refusal))
                return
            delivery = replace(delivery, attempts=(*delivery.attempts, attempt)[-MAX_ATTEMPTS:])
            if variant.counts:
                good = attempt.status is not None and 200 <= attempt.status < 300
        await self._settle(delivery, good=good)

    async def _attempt(self, app: App, delivery: Delivery, hook: Webhook, variant: lab.Variant) -> Attempt:
        now = app.clock.now()
        body, signature = lab.signed(variant, delivery.body, hook.secret, now)
        headers = {"Content-Type": "application/json", "User-Agent": self._post.agent, lab.DELIVERY: delivery.id}
        if signature:
            headers[lab.SIGNATURE] = signature
        attempt = Attempt(at=now, signature=signature, lab=variant.lab)
        began = monotonic()
        try:
            status = await self._post.client.post(webhook_url.read(delivery.url), headers, body)
            attempt = replace(attempt, status=status)
        except NoResponse as silence:
            attempt = replace(attempt, error=str(silence))
        return replace(attempt, duration_ms=(monotonic() - began) * 1000)

    async def _settle(self, delivery: Delivery, *, good: bool) -> None:
        """Note how it went, and try again later where it went wrong."""
        app = await self._post.apps.app(delivery.app_id)
        if app is None or self._post.book.at(delivery.app_id, delivery.number) is None:
            return
        if good:
            self._ended(delivery, "delivered")
        elif delivery.tries == len(DELAYS):
            self._ended(delivery, "failed")
        else:
            # A clock that stands still counts by the schedule: one move past several attempts lets all of them happen.
            frozen = isinstance(app.clock, FrozenClock)
            base = delivery.due if frozen and delivery.due is not None else app.moment
            delivery = replace(delivery, due=unix_time(base + DELAYS[delivery.tries]), tries=delivery.tries + 1)
            self._note(delivery)
            self._wait(app, delivery)

    def _ended(self, delivery: Delivery, state: State, reason: str | None = None) -> Delivery:
        ended = replace(delivery, state=state, due=None, reason=reason)
        self._note(ended)
        return ended

    def _note(self, delivery: Delivery) -> None:
        self._post.book.put(delivery)
        self._post.bus.say("delivery", delivery.app_id, delivery)


def _wanting(app: App, kind: str) -> Sequence[Webhook]:
    return [hook for hook in app.settings.webhooks if hook.enabled and kind in hook.events]
