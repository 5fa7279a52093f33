"""List deliveries of webhooks, send one by hand, send one again (docs/control.md, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sandbox import webhook_samples
from sandbox.apps.app import App
from sandbox.apps.deliveries import Delivery
from sandbox.apps.records import PageRequest
from sandbox.contract import Document
from sandbox.contract.validation import summarize
from sandbox.control.apps import existing_app, mutable_app
from sandbox.control.serialization import encode_page, parse_body
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import Conflict, InvalidRequest, NotFound
from sandbox.handler_types import FileResult
from sandbox.webhooks.dispatcher import matching_webhooks


async def list_webhooks(request: ControlRequest, services: ControlServices) -> ControlResult:
    """List deliveries, newest first; `after` continues behind one."""
    deliveries, limit = await _select(request.query, services), request.query["limit"]
    content = encode_page(deliveries, limit, lambda delivery: serialize_delivery(delivery, services))
    return FileResult(name=None, media_type="application/json", content=content)


async def redeliver_webhook(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Send a webhook again, with the same body and id."""
    delivery = await services.webhooks.get(request.path_parameters["webhook_id"])
    if delivery is None:
        raise NotFound("There is no such webhook in the journal (any more).", param="webhook_id")
    app = await existing_app(delivery.app_id, services)
    if not matching_webhooks(app.settings, delivery.type, delivery.url):
        raise Conflict("No webhook of this app receives this at this URL (any more).", param="webhook_id")
    return serialize_delivery(await services.webhooks.redeliver(app, delivery), services)


async def send_webhook(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Send a webhook of any type, with realistic data or your own."""
    app = await mutable_app(request, services)
    event_type = request.body["type"]
    if not matching_webhooks(app.settings, event_type):
        raise Conflict(
            f"No webhook of this app receives {event_type}: the setting `webhooks` names those that receive it.",
            param="type",
        )
    data = {**await _generate_data(app, event_type, services), **request.body.get("data", {})}
    deliveries = await services.webhooks.send(app, event_type, _validate_data(event_type, data, app, services))
    return {"object": "list", "data": [serialize_delivery(delivery, services) for delivery in deliveries]}


def serialize_delivery(delivery: Delivery, services: ControlServices) -> dict[str, Any]:
    """Return a delivery as JSON, every secret redacted."""
    attempts = [{**asdict(attempt), "duration_ms": round(attempt.duration_ms, 3)} for attempt in delivery.attempts]
    redacted: dict[str, Any] = services.redactor.redact_json(
        {
            "id": delivery.id,
            "app_id": delivery.app_id,
            "type": delivery.type,
            "url": delivery.url,
            "created": delivery.created,
            "state": delivery.state,
            "reason": delivery.reason,
            "next_at": delivery.due,
            "body": parse_body(delivery.body),
            "attempts": attempts,
        }
    )
    return redacted


async def _select(query: Mapping[str, Any], services: ControlServices) -> Iterator[Delivery]:
    deliveries = iter(await services.webhooks.newest_first(query.get("app_id")))
    if "after" in query and all(delivery.id != query["after"] for delivery in deliveries):
        raise NotFound("after: there is no such webhook.", param="after", code="unknown_cursor")
    return deliveries


async def _generate_data(app: App, event_type: str, services: ControlServices) -> Mapping[str, Any]:
    """Return plausible data: about the app's newest conversation, and its first tool."""
    newest = await app.conversations.page(PageRequest(limit=1))
    rng = app.rng.at("told", event_type, await app.next_number("told"))
    chat_id = newest.rows[0].id if newest.rows else rng.uuid("conversation")
    tools = (tool["name"] for tool in services.effective_settings(app)["tools"] if tool["kind"] == "mapping")
    return webhook_samples.told(event_type, rng, chat_id=chat_id, task_name=next(tools, "send_quote"))


def _validate_data(event_type: str, data: Mapping[str, Any], app: App, services: ControlServices) -> Mapping[str, Any]:
    """Validate a webhook's data before anything is sent, and give it its time (docs/contract.md 9.1)."""
    now = app.clock.now()
    dated = {**data, "created": data.get("created", now)}
    payload = {"id": "webhook_", "type": event_type, "created": now, "data": dated}
    violations = services.contract.webhooks[event_type].validate(Document(b"", payload))
    if violations:
        raise InvalidRequest(f"{summarize(violations)}.", param=violations[0].place, code=violations[0].code)
    if dated["created"] > now:
        message = f"data.created: expected a time in the past: now is {now}, got {data['created']}."
        raise InvalidRequest(message, param="data.created", code="out_of_range")
    return dated
