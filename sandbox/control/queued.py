"""Faults and scripted replies that wait for an app's requests: queue them, list them, take them out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.control.apps import changeable, existing
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import NotFound
from sandbox.state.queues import Queue, Waiting

# What a queued thing is always shown with, though it may have been queued without.
_ALWAYS: Mapping[str, Mapping[str, None]] = {"faults": {"operation": None}, "replies": {"contains": None, "pace": None}}


async def control_add_fault(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Queue a fault."""
    return await _add(call, on, on.faults, "faults")


async def control_list_faults(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List the faults that wait, oldest first."""
    return _list(call, on.faults, "faults")


async def control_delete_faults(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take all faults of an app out."""
    return _clear(call, on, on.faults, "faults")


async def control_delete_fault(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take one fault out."""
    return _remove(call, on, on.faults, "fault")


async def control_add_reply(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Queue a scripted reply."""
    return await _add(call, on, on.replies, "replies")


async def control_list_replies(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List the scripted replies that wait, oldest first."""
    return _list(call, on.replies, "replies")


async def control_delete_replies(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take all scripted replies of an app out."""
    return _clear(call, on, on.replies, "replies")


async def control_delete_reply(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Take one scripted reply out."""
    return _remove(call, on, on.replies, "reply")


async def _add(call: ControlCall, on: ControlServices, queue: Queue, change: str) -> ControlAnswer:
    app = await existing(changeable(call), on)
    waiting = queue.add(app.id, app.entropy, call.body)
    on.bus.say("state", app.id, {"app_id": app.id, "change": change})
    return _shown(waiting, _ALWAYS[change])


def _list(call: ControlCall, queue: Queue, change: str) -> ControlAnswer:
    return {"object": "list", "data": [_shown(waiting, _ALWAYS[change]) for waiting in queue.all(call.path["app_id"])]}


def _clear(call: ControlCall, on: ControlServices, queue: Queue, change: str) -> ControlAnswer:
    queue.clear(call.path["app_id"])
    on.bus.say("state", call.path["app_id"], {"app_id": call.path["app_id"], "change": change})
    return None


def _remove(call: ControlCall, on: ControlServices, queue: Queue, kind: str) -> ControlAnswer:
    name = f"{kind}_id"
    if not queue.remove(call.path["app_id"], call.path[name]):
        raise NotFound(f"There is no such {kind} in this app.", param=name)
    change = "faults" if queue is on.faults else "replies"
    on.bus.say("state", call.path["app_id"], {"app_id": call.path["app_id"], "change": change})
    return None


def _shown(waiting: Waiting, always: Mapping[str, None]) -> dict[str, Any]:
    rules = {"times": waiting.times, "skip": waiting.skip, "probability": waiting.probability, "used": waiting.used}
    return {"id": waiting.id, **always, **waiting.fields, **rules}
