"""Faults and scripted replies that wait for an app's requests: queue them, list them, take them out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apps.rule_queue import Queue, Waiting
from sandbox.control.apps import changeable, existing
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import NotFound

# What a queued thing is always shown with, though it may have been queued without.
_ALWAYS: Mapping[str, Mapping[str, None]] = {"faults": {"operation": None}, "replies": {"contains": None, "pace": None}}


async def control_add_fault(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Queue a fault."""
    return await _add(call, on, on.faults, "faults")


async def control_list_faults(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List the faults that wait, oldest first."""
    return await _list(call, on, on.faults, "faults")


async def control_delete_faults(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take all faults of an app out; what they hold goes on."""
    on.release(changeable(call), None)
    return await _clear(call, on, on.faults, "faults")


async def control_delete_fault(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take one fault out; what it holds goes on, even if it is used up."""
    app_id, fault_id = changeable(call), call.path["fault_id"]
    if on.release(app_id, fault_id) and not on.faults.has(app_id, fault_id):
        return None
    return await _remove(call, on, on.faults, "faults", "fault_id")


async def control_release_fault(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Let the requests go on that a fault holds now."""
    app = await existing(changeable(call), on)
    if not on.release(app.id, call.path["fault_id"]):
        raise NotFound(f"No fault of this id holds a request now: {call.path['fault_id'][:80]}.", param="fault_id")
    return None


async def control_add_reply(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Queue a scripted reply."""
    return await _add(call, on, on.replies, "replies")


async def control_list_replies(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List the scripted replies that wait, oldest first."""
    return await _list(call, on, on.replies, "replies")


async def control_delete_replies(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take all scripted replies of an app out."""
    return await _clear(call, on, on.replies, "replies")


async def control_delete_reply(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take one scripted reply out."""
    return await _remove(call, on, on.replies, "replies", "reply_id")


async def _add(call: ControlCall, on: ControlServices, queue: Queue, change: str) -> ControlAnswer:
    app = await existing(changeable(call), on)
    await on.worlds.touch(app.id)
    waiting = queue.add(app.id, app.entropy, call.body)
    on.bus.say("state", app.id, {"app_id": app.id, "change": change})
    return _shown(waiting, _ALWAYS[change])


async def _list(call: ControlCall, on: ControlServices, queue: Queue, change: str) -> ControlAnswer:
    app = await existing(call.path["app_id"], on)
    return {"object": "list", "data": [_shown(waiting, _ALWAYS[change]) for waiting in queue.all(app.id)]}


async def _clear(call: ControlCall, on: ControlServices, queue: Queue, change: str) -> ControlAnswer:
    app = await existing(changeable(call), on)
    queue.clear(app.id)
    on.bus.say("state", app.id, {"app_id": app.id, "change": change})
    return None


async def _remove(call: ControlCall, on: ControlServices, queue: Queue, change: str, name: str) -> ControlAnswer:
    app = await existing(changeable(call), on)
    if not queue.remove(app.id, call.path[name]):
        raise NotFound(f"Nothing of this id waits in this app: {call.path[name][:80]}.", param=name)
    on.bus.say("state", app.id, {"app_id": app.id, "change": change})
    return None


def _shown(waiting: Waiting, always: Mapping[str, None]) -> dict[str, Any]:
    rules = {"times": waiting.times, "skip": waiting.skip, "probability": waiting.probability, "used": waiting.used}
    return {"id": waiting.id, **always, **waiting.fields, **rules}
