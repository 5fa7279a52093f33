"""Webhooks: what was sent and what became of it; send one by hand, or once more (CONTROL.md, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sandbox.apps.records import Window
from sandbox.contract import Document
from sandbox.contract.validation import summary
from sandbox.control.apps import changeable, existing
from sandbox.control.entries import body_of
from sandbox.control.pages import page
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import Conflict, InvalidRequest, NotFound
from sandbox.handler_types import App
from sandbox.webhooks.delivery_log import Delivery
from sandbox.webhooks.dispatcher import matching_webhooks


async def control_list_webhooks(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List deliveries, newest first; `after` continues behind one."""
    return page(_selected(call.query, on), call.query["limit"], lambda delivery: shown_delivery(delivery, on))


async def control_redeliver_webhook(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Send a webhook once more, with the same body and id."""
    delivery = on.webhooks.get(call.path["webhook_id"])
    if delivery is None:
        raise NotFound("There is no such webhook in the journal (any more).", param="webhook_id")
    app = await existing(delivery.app_id, on)
    if not matching_webhooks(app, delivery.type, delivery.url):
        raise Conflict("No webhook of this app takes this at this URL (any more).", param="webhook_id")
    return shown_delivery(on.webhooks.redeliver(app, delivery), on)


async def control_send_webhook(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Send a webhook of any type, with realistic data or your own."""
    app = await existing(changeable(call), on)
    kind = call.body["type"]
    if not matching_webhooks(app, kind):
        raise Conflict(f"No webhook of this app takes {kind}: the setting `webhooks` says who does.", param="type")
    data = {**await _realistic(app, kind, on), **call.body.get("data", {})}
    made = await on.webhooks.send(app, kind, _true(kind, data, app, on))
    return {"object": "list", "data": [shown_delivery(delivery, on) for delivery in made]}


def shown_delivery(delivery: Delivery, on: ControlServices) -> dict[str, Any]:
    """Return a delivery for a client: nothing secret is left in it."""
    attempts = [{**asdict(attempt), "duration_ms": round(attempt.duration_ms, 3)} for attempt in delivery.attempts]
    masked: dict[str, Any] = on.masker.value(
        {
            "id": delivery.id,
            "app_id": delivery.app_id,
            "type": delivery.type,
            "url": delivery.url,
            "created": delivery.created,
            "state": delivery.state,
            "reason": delivery.reason,
            "next_at": delivery.due,
            "body": body_of(delivery.body),
            "attempts": attempts,
        }
    )
    return masked


def _selected(query: Mapping[str, Any], on: ControlServices) -> Iterator[Delivery]:
    app_id, last = query.get("app_id"), None
    if "after" in query:
        cursor = on.webhooks.get(query["after"], app_id)
        if cursor is None:
            raise NotFound("after: there is no such webhook.", param="after", code="unknown_cursor")
        last = cursor.number
    for delivery in on.webhooks.newest_first(app_id):
        if last is None or delivery.number < last:
            yield delivery


async def _realistic(app: App, kind: str, on: ControlServices) -> Mapping[str, Any]:
    """Return data such as the app might have it: about its newest conversation, and its first tool."""
    # Imported late: it needs the agent, which is loaded on first use.
    from sandbox.agent import notices

    newest = await on.conversations.page(app.id, Window(limit=1, order="desc"))
    here = app.entropy.at("told", kind, await on.worlds.number(app.id, "told"))
    chat_id = newest.rows[0].id if newest.rows else here.uuid("conversation")
    tools = (tool["name"] for tool in on.look(app)["tools"] if tool["kind"] == "mapping")
    return notices.told(kind, here, chat_id=chat_id, task_name=next(tools, "send_quote"))


def _true(kind: str, data: Mapping[str, Any], app: App, on: ControlServices) -> Mapping[str, Any]:
    """Hold a webhook's own data against the contract, before anything is sent, and date it (CONTRACT.md 9.1)."""
    now = app.clock.now()
    dated = {**data, "created": data.get("created", now)}
    payload = {"id": "webhook_", "type": kind, "created": now, "data": dated}
    violations = on.contract.webhooks[kind].accept(Document(b"", payload))
    if violations:
        raise InvalidRequest(f"{summary(violations)}.", param=violations[0].place, code=violations[0].code)
    if dated["created"] > now:
        message = f"data.created: expected a time that is past: now is {now}, got {data['created']}."
        raise InvalidRequest(message, param="data.created", code="out_of_range")
    return dated
