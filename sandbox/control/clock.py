"""Freeze an app's time, move it, let it go on (CONTROL.md, Clock)."""

from __future__ import annotations

from sandbox.control.apps import changeable, existing
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import InvalidRequest
from sandbox.sources import LATEST, FrozenClock, unix_time


async def control_get_clock(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Tell an app's time."""
    return await _shown(call.path["app_id"], on)


async def control_set_clock(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Freeze an app's time at a Unix second."""
    return await _move(changeable(call), call.body["now"], on)


async def control_advance_clock(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Move an app's time forward; a running one freezes there."""
    app = await existing(changeable(call), on)
    now = unix_time(app.moment + call.body["seconds"])
    if now > LATEST:
        message = f"seconds: expected a time up to the year 9999, got {call.body['seconds']:,} s from now."
        raise InvalidRequest(message, param="seconds", code="out_of_range")
    return await _move(app.id, now, on)


async def control_reset_clock(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Give an app the server's time back."""
    await _move(changeable(call), None, on)
    return None


async def _move(app_id: str, now: float | None, on: ControlServices) -> ControlAnswer:
    await existing(app_id, on)
    await on.worlds.set_clock(app_id, now)
    on.webhooks.reschedule(await existing(app_id, on))
    on.bus.say("state", app_id, {"app_id": app_id, "change": "clock"})
    return await _shown(app_id, on)


async def _shown(app_id: str, on: ControlServices) -> ControlAnswer:
    app = await existing(app_id, on)
    return {"now": app.moment, "frozen": isinstance(app.clock, FrozenClock)}
