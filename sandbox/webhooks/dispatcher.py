"""Sends the webhooks of all apps in the background, each until it is delivered or has failed for good."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from orjson import loads

from sandbox import webhook_url
from sandbox.app_settings import AppSettings, Webhook
from sandbox.apps.app import App
from sandbox.apps.deliveries import (
    DELIVERY_BYTES,
    MAX_ATTEMPTS,
    MAX_WAITING,
    Attempt,
    Delivery,
    DeliveryState,
)
from sandbox.apps.events import EventBus
from sandbox.apps.registry import AppRegistry
from sandbox.clock import monotonic, unix_time
from sandbox.contract import Validator, encode
from sandbox.errors import StoreFull
from sandbox.outbound import BlockedAddress
from sandbox.redaction import escape
from sandbox.webhooks import lab
from sandbox.webhooks.client import NoResponse, WebhookClient
from sandbox.webhooks.keyed_queue import KeyedQueue

log = logging.getLogger("sandbox")

# Seconds of the app's time between a failed attempt and the next one.
BACKOFF = (1, 2, 4, 8)
MAX_IN_FLIGHT = 16
# What stands around the data in a body: id, type, time.
ENVELOPE_BYTES = 150
# For how many seconds of the app's time the lab mode `reorder` holds a webhook back for the next to overtake it.
REORDER_SECONDS = 2


class Senders(Protocol):
    """Decides which of several servers sends the webhooks of an app, where they share a store."""

    async def claim(self, app: App) -> bool:
        """Say whether this server does; where none does, it begins."""
        ...

    async def hand_over(self, app: App, step: str, deliveries: Sequence[Delivery]) -> Sequence[Delivery] | None:
        """Let the one that does go on; None where it is gone: ask again who does."""
        ...

    async def read(self, app_id: str | None) -> Sequence[Delivery]:
        """Return the deliveries of an app, or of all, newest first."""
        ...


class WebhookDispatcher:
    """Delivers the webhooks of every app.

    Those of one app to one URL are sent one after the other, in the order of what happened; URLs take turns, so a slow
    receiver holds up nobody else.

    Args:
        registry: the apps.
        allowed, own_ports: where webhooks may go, as `WebhookClient` says.
        schemas: the contract of each type of webhook.
        user_agent: names the sandbox to receivers.

    `senders` is None where no other server has the same apps.
    """

    def __init__(
        self,
        *,
        registry: AppRegistry,
        bus: EventBus,
        allowed: Collection[str],
        own_ports: Collection[int],
        schemas: Mapping[str, Validator],
        user_agent: str,
    ) -> None:
        self._registry = registry
        self._bus = bus
        self._client = WebhookClient(allowed, own_ports=own_ports)
        self._schemas = schemas
        self._user_agent = user_agent
        self._queue = KeyedQueue(self._deliver, MAX_IN_FLIGHT)
        self._last_number = 0
        self.senders: Senders | None = None
        # Is told how it ended with each.
        self.on_finished: Callable[[str], None] = lambda _: None

    async def newest_first(self, app_id: str | None = None) -> Iterable[Delivery]:
        """Return the deliveries of one app, or of all."""
        if self.senders:
            return await self.senders.read(app_id)
        apps = self._registry if app_id is None else [self._registry.find(app_id)]
        logs = [app.deliveries.newest_first() for app in apps if app.deliveries]
        return heapq.merge(*logs, key=lambda delivery: -delivery.number)

    async def get(self, delivery_id: str) -> Delivery | None:
        """Return the newest delivery of this id: an app that was restored under another id has the same ids."""
        return next((delivery for delivery in await self.newest_first() if delivery.id == delivery_id), None)

    async def enqueue(
        self, app: App, event_type: str, data: Mapping[str, Any], settings: AppSettings | None = None
    ) -> Sequence[Delivery]:
        """Send an event to every webhook that takes its type; return one delivery for each.

        The webhooks are those of `settings`, by default the app's. What does not fit is dropped, and the log says so:
        what happened has happened.
        """
        hooks = matching_webhooks(settings or app.settings, event_type)
        made = [await self._make(app, hook, event_type, data) for hook in hooks]
        return await self._do(app, "accept", made) if made else []

    async def send(self, app: App, event_type: str, data: Mapping[str, Any]) -> Sequence[Delivery]:
        """Do the same on demand.

        Raises:
            StoreFull: it does not fit; nothing is sent.
        """
        body = len(encode(data)) + ENVELOPE_BYTES
        hooks = matching_webhooks(app.settings, event_type)
        app.usage.check(sum(DELIVERY_BYTES + body + len(hook.url) for hook in hooks))
        return await self.enqueue(app, event_type, data)

    async def redeliver(self, app: App, delivery: Delivery) -> Delivery:
        """Start a delivery anew, now."""
        return (await self._do(app, "redeliver", [delivery]))[0]

    async def reschedule(self, app: App) -> None:
        """Look again at what waits: the app's clock was set."""
        await self._do(app, "reschedule", [])

    def stop(self) -> None:
        """Send nothing more; what waits stays so in the logs."""
        self._queue.cancel()
        for app in self._registry:
            app.deliveries.stop()

    async def _do(self, app: App, step: str, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Do a step with deliveries, here or where the app's webhooks are sent."""
        while self.senders and not await self.senders.claim(app):
            done = await self.senders.hand_over(app, step, deliveries)
            if done is not None:
                return done
        done = self.perform(app, step, deliveries)
        await app.deliveries.settle()
        return done

    def perform(self, app: App, step: str, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Do a step with deliveries of an app, here; return them as they are then."""
        app.deliveries.on_clear = partial(self._queue.cancel, app)
        if step == "reschedule":
            for delivery in app.deliveries.scheduled():
                app.deliveries.unschedule(delivery)
                self.resume(app, delivery)
            return []
        do = self._accept if step == "accept" else self._redeliver
        return [do(app, delivery) for delivery in deliveries]

    def _redeliver(self, app: App, delivery: Delivery) -> Delivery:
        delivery = app.deliveries.get(delivery.number) or delivery
        is_queued = self._queue.has((app, delivery.url), delivery.number) and not app.deliveries.is_scheduled(delivery)
        if delivery.state == "waiting" and is_queued:
            return delivery
        delivery = replace(delivery, state="waiting", due=app.moment, tries=0, reason=None)
        self._put(app, delivery)
        self._send(app, delivery)
        return delivery

    async def _make(self, app: App, hook: Webhook, event_type: str, data: Mapping[str, Any]) -> Delivery:
        """Return what is to be sent to a webhook."""
        number = await app.next_number("webhook")
        created = app.clock.now()
        delivery_id = "webhook_" + app.rng.hex(24, "webhook", number)
        payload = {
            "id": delivery_id,
            "type": event_type,
            "created": created,
            "data": {**data, "created": data.get("created", created)},
        }
        self._last_number += 1
        return Delivery(
            id=delivery_id,
            # With others it is the app's own, so that no two have the same.
            number=number if self.senders else self._last_number,
            app_id=app.id,
            type=event_type,
            url=hook.url,
            created=created,
            body=encode(payload),
            due=app.moment,
        )

    def _accept(self, app: App, delivery: Delivery) -> Delivery:
        """Send a delivery, or drop it where that can't be."""
        if not self._schemas[delivery.type].is_valid(loads(delivery.body)):
            log.error("the webhook %s breaks the contract", delivery.type)
            return self._finish(app, delivery, "dropped", "The sandbox's own webhook breaks the contract.")
        if app.deliveries.count_waiting() >= MAX_WAITING:
            return self._finish(app, delivery, "dropped", f"{MAX_WAITING:,} webhooks of this app wait already.")
        try:
            app.usage.check(delivery.byte_size)
        except StoreFull as full:
            return self._finish(app, delivery, "dropped", full.message)
        return self._start(app, delivery)

    def _start(self, app: App, delivery: Delivery) -> Delivery:
        held_back = app.deliveries.held_back
        if app.settings.webhook_lab == "reorder" and delivery.url not in held_back:
            delivery = replace(delivery, due=unix_time(app.moment + REORDER_SECONDS))
            held_back[delivery.url] = delivery.number
            self._put(app, delivery)
            self.resume(app, delivery)
            return delivery
        self._put(app, delivery)
        self._queue.add((app, delivery.url), delivery.number)
        overtaken = app.deliveries.get(held_back.pop(delivery.url, 0))
        if overtaken:
            self._send(app, overtaken)
        return delivery

    def resume(self, app: App, delivery: Delivery) -> None:
        """Send a delivery when it is due in the app's time, which may be now."""
        left = (delivery.due or 0) - app.moment
        if left <= 0:
            self._send(app, delivery)
        else:
            app.deliveries.schedule(delivery, None if app.is_frozen else left, partial(self._send, app))

    def _send(self, app: App, delivery: Delivery) -> None:
        """Send a delivery as soon as those before it to its URL are done."""
        app.deliveries.unschedule(delivery)
        if app.deliveries.held_back.get(delivery.url) == delivery.number:
            del app.deliveries.held_back[delivery.url]
        self._queue.add((app, delivery.url), delivery.number)

    async def _deliver(self, app: App, number: int) -> None:
        if self.senders and not await self.senders.claim(app):
            return
        await app.refresh()
        delivery = app.deliveries.get(number)
        if delivery is None or not app.exists:
            return
        hook = next(iter(matching_webhooks(app.settings, delivery.type, delivery.url)), None)
        if hook is None:
            self._finish(app, delivery, "dropped", "The webhook was taken away, or switched off.")
            return
        is_delivered = False
        for variant in lab.variants(app.settings.webhook_lab, delivery.tries):
            if variant.lab == "duplicate" and not is_delivered:
                continue
            try:
                attempt = await self._attempt(app, delivery, hook, variant)
            except BlockedAddress as error:
                log.warning("a webhook of %s was not sent: %s", escape(app.id), escape(str(error)))
                self._finish(app, delivery, "refused", str(error))
                return
            delivery = replace(delivery, attempts=(*delivery.attempts, attempt)[-MAX_ATTEMPTS:])
            if variant.counts:
                is_delivered = attempt.status is not None and 200 <= attempt.status < 300
        self._settle(app, delivery, is_delivered=is_delivered)

    async def _attempt(self, app: App, delivery: Delivery, hook: Webhook, variant: lab.Variant) -> Attempt:
        now = app.clock.now()
        body, signature = lab.sign(variant, delivery.body, hook.secret, now)
        headers = {"Content-Type": "application/json", "User-Agent": self._user_agent, lab.DELIVERY: delivery.id}
        if signature:
            headers[lab.SIGNATURE] = signature
        attempt = Attempt(at=now, signature=signature, lab=variant.lab)
        started = monotonic()
        try:
            status = await self._client.post(webhook_url.parse(delivery.url), headers, body)
            attempt = replace(attempt, status=status)
        except NoResponse as error:
            attempt = replace(attempt, error=str(error))
        return replace(attempt, duration_ms=(monotonic() - started) * 1000)

    def _settle(self, app: App, delivery: Delivery, *, is_delivered: bool) -> None:
        """Log how it went, and schedule the next attempt where it went wrong."""
        if app.deliveries.get(delivery.number) is None or not app.exists:
            return
        if is_delivered:
            self._finish(app, delivery, "delivered")
        elif delivery.tries == len(BACKOFF):
            self._finish(app, delivery, "failed")
        else:
            # A clock that stands still counts by the schedule: one move past several attempts lets all of them happen.
            base = delivery.due if app.is_frozen and delivery.due is not None else app.moment
            delivery = replace(delivery, due=unix_time(base + BACKOFF[delivery.tries]), tries=delivery.tries + 1)
            self._put(app, delivery)
            self.resume(app, delivery)

    def _finish(self, app: App, delivery: Delivery, state: DeliveryState, reason: str | None = None) -> Delivery:
        finished = replace(delivery, state=state, due=None, reason=reason)
        self.on_finished(state)
        self._put(app, finished)
        return finished

    def _put(self, app: App, delivery: Delivery) -> None:
        app.deliveries.put(delivery)
        self._bus.publish("delivery", app.id, delivery)


def matching_webhooks(settings: AppSettings, event_type: str, url: str | None = None) -> Sequence[Webhook]:
    """Return the webhooks that take a type of event, and where `url` is given, take it there."""
    hooks = (hook for hook in settings.webhooks if hook.enabled and event_type in hook.events)
    return [hook for hook in hooks if url in (None, hook.url)]
