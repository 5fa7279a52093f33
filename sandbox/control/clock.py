"""Freeze, advance and reset an app's clock (docs/control.md, Clock)."""

from __future__ import annotations

from sandbox.apps.app import App
from sandbox.clock import MAX_UNIX_TIME, unix_time
from sandbox.control.apps import existing_app, mutable_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import InvalidRequest


async def get_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return an app's time."""
    return _serialize_clock(await existing_app(request.app_id, services))


async def set_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Freeze an app's clock at a Unix second."""
    return await _set(await mutable_app(request, services), request.body["now"], services)


async def advance_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Advance an app's clock by seconds, and freeze it there."""
    app = await mutable_app(request, services)
    now = unix_time(app.moment + request.body["seconds"])
    if now > MAX_UNIX_TIME:
        message = f"seconds: expected a time up to the year 9999, got {request.body['seconds']:,} s from now."
        raise InvalidRequest(message, param="seconds", code="out_of_range")
    return await _set(app, now, services)


async def reset_clock(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Let an app's clock follow the server's again."""
    await _set(await mutable_app(request, services), None, services)
    return None


async def _set(app: App, now: float | None, services: ControlServices) -> ControlResult:
    await app.set_clock(now)
    await services.webhooks.reschedule(app)
    services.publish(app, "clock")
    return _serialize_clock(app)


def _serialize_clock(app: App) -> ControlResult:
    return {"now": app.moment, "frozen": app.is_frozen}
