"""List, configure, populate and delete apps (docs/control.md, Apps)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from sandbox import magic, webhook_url
from sandbox.apps.app import App
from sandbox.control.coverage import count_coverage
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import Conflict, InvalidRequest, unknown_app
from sandbox.long_work import Slices, in_thread


async def list_apps(request: ControlRequest, services: ControlServices) -> ControlResult:
    """List the apps that were declared or written to, by their ids; `after` continues behind one."""
    all_ids, limit = await services.registry.ids(), request.query["limit"]
    start = bisect_right(all_ids, request.query.get("after", ""))
    ids, data, slices = all_ids[start : start + limit], [], Slices()
    for app_id in ids:
        await slices.yield_if_due()
        data.append(await serialize_app(await existing_app(app_id, services), services))
    return {
        "object": "list",
        "data": data,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": len(all_ids) > start + limit,
    }


async def get_app(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return one app; one that nobody wrote to has the defaults."""
    return await serialize_app(await existing_app(request.app_id, services), services)


async def update_app(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Merge settings into an app's (RFC 7396); null restores a default."""
    app = await mutable_app(request, services)
    webhook_url.check_urls(request.body.get("webhooks") or ())
    app.check_agent(request.body.get("agent_profile"))
    await app.override(_merge_patch(app.overrides, request.body))
    services.publish(app, "settings")
    return await serialize_app(app, services)


async def delete_app(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete everything of an app; its next use starts afresh."""
    await forget(await mutable_app(request, services), services)
    return None


async def forget(app: App, services: ControlServices) -> None:
    """Delete everything of an app; what its client has met of the contract stays in the coverage of the server."""
    journal = await services.journal.view(app.journal)
    counted = await in_thread(count_coverage, journal.newest_first(), journal.count_evicted(), services.coverage_places)
    await services.deleted_coverage.add(counted)
    await services.registry.delete(app)
    services.publish(app, "deleted")


async def reset(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete everything of every app; declared apps are as they were at start."""
    await services.registry.delete_all()
    await services.deleted_coverage.clear()
    services.publish(None, "reset")
    return None


async def populate(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Add realistic conversations of the past 30 days."""
    app, body = await mutable_app(request, services), request.body
    if "external_user_id" in body and body.get("users", 1) != 1:
        message = f"users: expected 1 or none beside external_user_id, got {body['users']}."
        raise InvalidRequest(message, param="users", code="conflict")
    names = ("conversations", "messages", "users", "external_user_id")
    await services.populate(app, **{name: body[name] for name in names if name in body})
    services.publish(app, "data")
    return await _counts(app)


async def existing_app(app_id: str, services: ControlServices) -> App:
    """Return an app.

    Raises:
        NotFound: only declared apps exist, and it is none of them.
    """
    app = await services.registry.get(app_id)
    if app is None:
        raise unknown_app()
    return app


async def mutable_app(request: ControlRequest, services: ControlServices) -> App:
    """Return the app that the path names.

    Raises:
        Conflict: it always behaves the same way.
        NotFound: only declared apps exist, and it is none of them.
    """
    if request.app_id in magic.MAGIC_APPS:
        message = f"{request.app_id} always behaves the same way; use an app id of your own."
        raise Conflict(message, param="app_id")
    return await existing_app(request.app_id, services)


async def serialize_app(app: App, services: ControlServices) -> dict[str, Any]:
    """Return an app as JSON: its settings and how much is in it."""
    settings = {**app.settings.to_json(keep_none=True), **services.effective_settings(app)}
    settings["status"] = magic.STATUSES.get(app.id, app.settings.status)
    scenario = app.scenario.name if app.scenario else None
    return {"app_id": app.id, "settings": settings, "scenario": scenario, "counts": await _counts(app)}


async def _counts(app: App) -> dict[str, Any]:
    totals = await app.conversations.totals()
    return {**totals._asdict(), "requests": app.journal.requests}


def _merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the target with a patch merged in (RFC 7396)."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            child = merged.get(name)
            merged[name] = _merge_patch(child if isinstance(child, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
