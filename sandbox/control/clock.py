"""Freeze an app's time, move it, let it go on (docs/control.md, Clock)."""

from __future__ import annotations

from sandbox.apps.app import App
from sandbox.clock import MAX_UNIX_TIME, unix_time
from sandbox.control.apps import existing_app, mutable_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import InvalidRequest


async def get_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Tell an app's time."""
    return _time_of(await existing_app(request.app_id, services))


async def set_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Freeze an app's time at a Unix second."""
    return await _move(await mutable_app(request, services), request.body["now"], services)


async def advance_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Move an app's time forward; a running one freezes there."""
    app = await mutable_app(request, services)
    now = unix_time(app.moment + request.body["seconds"])
    if now > MAX_UNIX_TIME:
        message = f"seconds: expected a time up to the year 9999, got {request.body['seconds']:,} s from now."
        raise InvalidRequest(message, param="seconds", code="out_of_range")
    return await _move(app, now, services)


async def reset_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Give an app the server's time back."""
    await _move(await mutable_app(request, services), None, services)
    return None


async def _move(app: App, now: float | None, services: ControlServices) -> ControlResult:
    await app.set_clock(now)
    services.webhooks.reschedule(app)
    services.publish(app, "clock")
    return _time_of(app)


def _time_of(app: App) -> ControlResult:
    return {"now": app.moment, "frozen": app.is_frozen}
