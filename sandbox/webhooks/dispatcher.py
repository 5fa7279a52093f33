"""Sends the webhooks of all apps in the background, each until it is delivered or has failed for good."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from sandbox.webhooks.app_webhooks import AppWebhooks
from sandbox.webhooks.client import BlockedAddress, NoResponse, WebhookClient
from sandbox.webhooks.delivery_log import (
    DELIVERY_BYTES,
    MAX_ATTEMPTS,
    MAX_WAITING,
    Attempt,
    Delivery,
    DeliveryState,
)
from sandbox.webhooks.keyed_queue import KeyedQueue

log = logging.getLogger("sandbox")

# Seconds of the app's time between a failed attempt and the next one.
BACKOFF = (1, 2, 4, 8)
MAX_IN_FLIGHT = 16
# What stands around the data in a body: id, type, time.
ENVELOPE_BYTES = 150
# For how many seconds of the app's time the lab mode `reorder` holds a webhook back for the next to overtake it.
REORDER_SECONDS = 2


class Apps(Protocol):
    """Where apps are looked up."""

    async def app(self, app_id: str) -> App | None:
        """Return an app, or None when there is none of this id."""
        ...


class WebhookDispatcher:
    """Delivers the webhooks of every app.

    Those of one app to one URL are sent one after the other, in the order of what happened; URLs take turns, so a slow
    receiver holds up nobody else.

    Args:
        check_fits: raises `StoreFull` where so many bytes are more than the sandbox keeps.
        schemas: the contract of each type of webhook.
        user_agent: names the sandbox to receivers.
    """

    def __init__(
        self,
        *,
        apps: Apps,
        worlds: Worlds,
        check_fits: Callable[[int], None],
        bus: Bus,
        client: WebhookClient,
        schemas: Mapping[str, Validator],
        user_agent: str,
    ) -> None:
        self._apps = apps
        self._worlds = worlds
        self._check_fits = check_fits
        self._bus = bus
        self._client = client
        self._schemas = schemas
        self._user_agent = user_agent
        self._of: dict[str, AppWebhooks] = {}
        self._queue = KeyedQueue(self._deliver, MAX_IN_FLIGHT)
        self._last_number = 0
        # About how many bytes the deliveries of all apps take.
        self.size = 0

    def of(self, app_id: str) -> AppWebhooks:
        """Return what belongs to an app."""
        if app_id not in self._of:
            self._of[app_id] = AppWebhooks()
        return self._of[app_id]

    def newest_first(self, app_id: str | None = None) -> Iterator[Delivery]:
        """Yield the deliveries of one app, or of all."""
        apps = [webhooks for key, webhooks in self._of.items() if app_id in (None, key)]
        return heapq.merge(*(webhooks.log.newest_first() for webhooks in apps), key=lambda delivery: -delivery.number)

    def get(self, delivery_id: str, app_id: str | None = None) -> Delivery | None:
        """Return the newest delivery of this id: an app that was restored under another id has the same ids."""
        return next((delivery for delivery in self.newest_first(app_id) if delivery.id == delivery_id), None)

    async def enqueue(self, app: App, event_type: str, data: Mapping[str, Any]) -> Sequence[Delivery]:
        """Send an event to every webhook of an app that takes its type; return one delivery for each.

        What does not fit is dropped, and the log says so: what happened has happened.
        """
        return [await self._enqueue(app, hook, event_type, data) for hook in matching_webhooks(app, event_type)]

    async def send(self, app: App, event_type: str, data: Mapping[str, Any]) -> Sequence[Delivery]:
        """Do the same on demand.

        Raises:
            StoreFull: it does not fit; nothing is sent.
        """
        body = len(encode(data)) + ENVELOPE_BYTES
        self._check_fits(sum(DELIVERY_BYTES + body + len(hook.url) for hook in matching_webhooks(app, event_type)))
        return await self.enqueue(app, event_type, data)

    def redeliver(self, app: App, delivery: Delivery) -> Delivery:
        """Start a delivery anew, now."""
        webhooks = self.of(app.id)
        queued = self._queue.has(delivery.key, delivery.number) and not webhooks.is_scheduled(delivery)
        if delivery.state == "waiting" and queued:
            return delivery
        delivery = replace(delivery, state="waiting", due=app.moment, tries=0, reason=None)
        self._put(delivery)
        self._send(delivery)
        return delivery

    def reschedule(self, app: App) -> None:
        """Look again at what waits: the app's clock was set."""
        self.of(app.id).reschedule(app, self._send)

    def forget(self, app_id: str) -> None:
        """Cancel and drop everything of an app."""
        self._queue.cancel(app_id)
        if webhooks := self._of.pop(app_id, None):
            self.size -= webhooks.size
            webhooks.clear()

    def forget_all(self) -> None:
        """Cancel and drop everything of every app."""
        for app_id in list(self._of):
            self.forget(app_id)

    def stop(self) -> None:
        """Send nothing more; what waits stays so in the logs."""
        self._queue.cancel()
        for webhooks in self._of.values():
            webhooks.stop()

    async def _enqueue(self, app: App, hook: Webhook, event_type: str, data: Mapping[str, Any]) -> Delivery:
        number = await self._worlds.number(app.id, "webhook")
        created = app.clock.now()
        delivery_id = "webhook_" + app.entropy.hex(24, "webhook", number)
        payload = {
            "id": delivery_id,
            "type": event_type,
            "created": created,
            "data": {**data, "created": data.get("created", created)},
        }
        self._last_number += 1
        delivery = Delivery(
            id=delivery_id,
            number=self._last_number,
            app_id=app.id,
            type=event_type,
            url=hook.url,
            created=created,
            body=encode(payload),
            due=app.moment,
        )
        if not self._schemas[event_type].is_valid(payload):
            log.error("the webhook %s breaks the contract", event_type)
            return self._finish(delivery, "dropped", "The sandbox's own webhook breaks the contract.")
        if self.of(app.id).log.count_waiting() >= MAX_WAITING:
            return self._finish(delivery, "dropped", f"{MAX_WAITING:,} webhooks of this app wait already.")
        try:
            self._check_fits(delivery.byte_size)
        except StoreFull as full:
            return self._finish(delivery, "dropped", full.message)
        return self._start(app, delivery)

    def _start(self, app: App, delivery: Delivery) -> Delivery:
        webhooks = self.of(app.id)
        if app.settings.webhook_lab == "reorder" and delivery.url not in webhooks.held:
            delivery = replace(delivery, due=unix_time(app.moment + REORDER_SECONDS))
            webhooks.held[delivery.url] = delivery.number
            self._put(delivery)
            webhooks.schedule(app, delivery, self._send)
            return delivery
        self._put(delivery)
        self._queue.add(delivery.key, delivery.number)
        overtaken = webhooks.log.get(webhooks.held.pop(delivery.url, 0))
        if overtaken:
            self._send(overtaken)
        return delivery

    def _send(self, delivery: Delivery) -> None:
        """Send a delivery as soon as those before it to its URL are done."""
        self.of(delivery.app_id).unschedule(delivery)
        self._queue.add(delivery.key, delivery.number)

    async def _deliver(self, app_id: str, number: int) -> None:
        app = await self._apps.app(app_id)
        delivery = self.of(app_id).log.get(number)
        if app is None or delivery is None:
            return
        hook = next(iter(matching_webhooks(app, delivery.type, delivery.url)), None)
        if hook is None:
            self._finish(delivery, "dropped", "The webhook was taken away, or switched off.")
            return
        is_delivered = False
        for variant in lab.variants(app.settings.webhook_lab, delivery.tries):
            if variant.lab == "duplicate" and not is_delivered:
                continue
            try:
                attempt = await self._attempt(app, delivery, hook, variant)
            except BlockedAddress as error:
                log.warning("a webhook of %s was not sent: %s", escape(app_id), escape(str(error)))
                self._finish(delivery, "refused", str(error))
                return
            delivery = replace(delivery, attempts=(*delivery.attempts, attempt)[-MAX_ATTEMPTS:])
            if variant.counts:
                is_delivered = attempt.status is not None and 200 <= attempt.status < 300
        await self._settle(delivery, is_delivered=is_delivered)

    async def _attempt(self, app: App, delivery: Delivery, hook: Webhook, variant: lab.Variant) -> Attempt:
        now = app.clock.now()
        body, signature = lab.sign(variant, delivery.body, hook.secret, now)
        headers = {"Content-Type": "application/json", "User-Agent": self._user_agent, lab.DELIVERY: delivery.id}
        if signature:
            headers[lab.SIGNATURE] = signature
        attempt = Attempt(at=now, signature=signature, lab=variant.lab)
        started = monotonic()
        try:
            status = await self._client.post(webhook_url.read(delivery.url), headers, body)
            attempt = replace(attempt, status=status)
        except NoResponse as error:
            attempt = replace(attempt, error=str(error))
        return replace(attempt, duration_ms=(monotonic() - started) * 1000)

    async def _settle(self, delivery: Delivery, *, is_delivered: bool) -> None:
        """Note how it went, and schedule the next attempt where it went wrong."""
        app = await self._apps.app(delivery.app_id)
        webhooks = self.of(delivery.app_id)
        if app is None or webhooks.log.get(delivery.number) is None:
            return
        if is_delivered:
            self._finish(delivery, "delivered")
        elif delivery.tries == len(BACKOFF):
            self._finish(delivery, "failed")
        else:
            # A clock that stands still counts by the schedule: one move past several attempts lets all of them happen.
            is_frozen = isinstance(app.clock, FrozenClock)
            base = delivery.due if is_frozen and delivery.due is not None else app.moment
            delivery = replace(delivery, due=unix_time(base + BACKOFF[delivery.tries]), tries=delivery.tries + 1)
            self._put(delivery)
            webhooks.schedule(app, delivery, self._send)

    def _finish(self, delivery: Delivery, state: DeliveryState, reason: str | None = None) -> Delivery:
        finished = replace(delivery, state=state, due=None, reason=reason)
        self._put(finished)
        return finished

    def _put(self, delivery: Delivery) -> None:
        webhooks = self.of(delivery.app_id)
        self.size -= webhooks.size
        webhooks.log.put(delivery)
        self.size += webhooks.size
        self._bus.say("delivery", delivery.app_id, delivery)


def matching_webhooks(app: App, event_type: str, url: str | None = None) -> Sequence[Webhook]:
    """Return the webhooks of an app that take a type of event, and where `url` is given, take it there."""
    hooks = (hook for hook in app.settings.webhooks if hook.enabled and event_type in hook.events)
    return [hook for hook in hooks if url in (None, hook.url)]
