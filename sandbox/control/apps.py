"""Look at apps, set them, fill them, forget them (CONTROL.md, Apps)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from sandbox import magic, webhook_url
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import Conflict, InvalidRequest
from sandbox.handler_types import App
from sandbox.persistence.snapshot import plain
from sandbox.slices import Slices


async def control_list_apps(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List apps that were declared or written to, in the order of their ids; `after` continues behind one."""
    known, limit = await on.worlds.known(), call.query["limit"]
    start = bisect_right(known, call.query.get("after", ""))
    ids, data, slices = known[start : start + limit], [], Slices()
    for app_id in ids:
        await slices.rest()
        data.append(await shown(app_id, on))
    return {
        "object": "list",
        "data": data,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": len(known) > start + limit,
    }


async def control_get_app(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Show one app; one that nobody wrote to has the defaults."""
    return await shown(call.path["app_id"], on)


async def control_update_app(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Merge settings into an app's (RFC 7396); null gives a default back."""
    app_id = changeable(call)
    await existing(app_id, on)
    webhook_url.refuse_urls(call.body.get("webhooks") or ())
    await on.worlds.override(app_id, _patched(await on.worlds.overrides(app_id), call.body))
    on.bus.say("state", app_id, {"app_id": app_id, "change": "settings"})
    return await shown(app_id, on)


async def control_delete_app(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Forget everything of an app; its next use starts afresh."""
    app_id = changeable(call)
    await existing(app_id, on)
    await forget(app_id, on)
    on.bus.say("state", app_id, {"app_id": app_id, "change": "deleted"})
    return None


async def control_reset(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Forget everything of every app; what was declared is as after start."""
    on.end_answers(None)
    for part in (on.faults, on.replies, on.webhooks, on.history):
        part.forget_all()
    on.journal.restart_all()
    await on.worlds.forget_all()
    on.apps.replant()
    on.bus.say("state", None, {"app_id": None, "change": "reset"})
    return None


async def control_populate(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Add realistic conversations of the past 30 days."""
    app, wanted = await existing(changeable(call), on), call.body
    if "external_user_id" in wanted and wanted.get("users", 1) != 1:
        message = f"users: expected 1 or none beside external_user_id, got {wanted['users']}."
        raise InvalidRequest(message, param="users", code="conflict")
    names = ("conversations", "messages", "users", "external_user_id")
    await on.populate(app, **{name: wanted[name] for name in names if name in wanted})
    on.bus.say("state", app.id, {"app_id": app.id, "change": "data"})
    return await _counts(app.id, on)


async def forget(app_id: str, on: ControlServices) -> None:
    """Drop everything that any part of the server holds of an app."""
    let_go(app_id, on)
    await on.worlds.forget(app_id)
    if app_id == magic.DEMO_APP:
        on.apps.replant()


def let_go(app_id: str, on: ControlServices) -> None:
    """Drop what all but the store hold of an app."""
    on.end_answers(app_id)
    on.faults.forget(app_id)
    on.replies.forget(app_id)
    on.webhooks.forget(app_id)
    on.journal.restart(app_id)
    on.history.forget(app_id)


def changeable(call: ControlCall) -> str:
    """Return the app that the path names.

    Raises:
        Conflict: it always behaves the same way.
    """
    app_id = call.path["app_id"]
    if app_id in magic.MAGIC_APPS:
        raise Conflict(f"{app_id} always behaves the same way; use an app id of your own.", param="app_id")
    return app_id


async def existing(app_id: str, on: ControlServices) -> App:
    """Return an app.

    Raises:
        NotFound: only declared apps exist, and it is none of them.
    """
    app = await on.apps.app(app_id)
    if app is None:
        raise magic.unknown_app()
    return app


async def shown(app_id: str, on: ControlServices) -> dict[str, Any]:
    """Return an app as the control API shows it."""
    app = await existing(app_id, on)
    settings = {**plain(app.settings), **on.look(app)}
    settings["status"] = magic.STATUSES.get(app_id, app.settings.status)
    if app.settings.keys is not None:
        settings["keys"] = sorted(app.settings.keys)
    settings["webhooks"] = [{**hook, "events": list(hook["events"])} for hook in settings["webhooks"]]
    return {"app_id": app_id, "settings": settings, "counts": await _counts(app_id, on)}


async def _counts(app_id: str, on: ControlServices) -> dict[str, Any]:
    totals = await on.conversations.totals(app_id)
    return {**totals._asdict(), "requests": on.journal.count(app_id)}


def _patched(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a patch in as RFC 7396 says."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            below = merged.get(name)
            merged[name] = _patched(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
