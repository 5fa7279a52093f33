"""Queue, list and delete faults and scripted replies (docs/control.md, Faults and Scripted replies)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apps.app import App
from sandbox.apps.rule_queue import QueuedRule
from sandbox.apps.store import RuleQueue
from sandbox.control.apps import existing_app, mutable_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import NotFound

# The fields that a rule always has in a response, though it may have been queued without.
_DEFAULTS: Mapping[str, Mapping[str, None]] = {
    "faults": {"operation": None},
    "replies": {"contains": None, "pace": None},
}


async def add_rule(name: str, request: ControlRequest, services: ControlServices) -> ControlResult:
    """Queue a fault or a scripted reply."""
    app = await mutable_app(request, services)
    rule = await _queue(app, name).add(request.body)
    services.publish(app, name)
    return _serialize(rule, name)


async def list_rules(name: str, request: ControlRequest, services: ControlServices) -> ControlResult:
    """List what is queued, oldest first."""
    app = await existing_app(request.app_id, services)
    return {"object": "list", "data": [_serialize(rule, name) for rule in _queue(app, name).rules]}


async def delete_rules(name: str, request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete all faults of an app, and release the requests that they hold, or all its replies."""
    app = await mutable_app(request, services)
    if name == "faults":
        await app.release()
    await _queue(app, name).clear()
    services.publish(app, name)
    return None


async def delete_fault(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete one fault, and release the requests that it holds, even if it is used up."""
    app, fault_id = await mutable_app(request, services), request.path_parameters["fault_id"]
    is_queued = any(rule.id == fault_id for rule in app.faults.rules)
    if await app.release(fault_id) and not is_queued:
        return None
    return await _delete(app, request, services, "faults", "fault_id")


async def delete_reply(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete one scripted reply."""
    return await _delete(await mutable_app(request, services), request, services, "replies", "reply_id")


async def release_fault(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Release the requests that a fault holds now."""
    app, fault_id = await mutable_app(request, services), request.path_parameters["fault_id"]
    if not await app.release(fault_id):
        raise NotFound(f"No fault with this id holds a request now: {fault_id[:80]}.", param="fault_id")
    return None


async def _delete(
    app: App, request: ControlRequest, services: ControlServices, name: str, parameter: str
) -> ControlResult:
    rule_id = request.path_parameters[parameter]
    if not await _queue(app, name).delete(rule_id):
        raise NotFound(f"Nothing with this id waits in this app: {rule_id[:80]}.", param=parameter)
    services.publish(app, name)
    return None


def _queue(app: App, name: str) -> RuleQueue:
    return app.faults if name == "faults" else app.replies


def _serialize(rule: QueuedRule, name: str) -> dict[str, Any]:
    limits = {"times": rule.times, "skip": rule.skip, "probability": rule.probability, "used": rule.used}
    return {"id": rule.id, **_DEFAULTS[name], **rule.fields, **limits}
