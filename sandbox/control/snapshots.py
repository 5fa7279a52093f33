"""Export an app's whole state, restore it, save all apps (docs/control.md, Snapshots and Saving)."""

from __future__ import annotations

from dataclasses import asdict, replace

from sandbox.app_settings import AppSettings
from sandbox.apps.memory import MemoryConversations
from sandbox.control.apps import mutable_app, serialize_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import Conflict, InternalError, StoreFull
from sandbox.handler_types import FileResult
from sandbox.long_work import in_thread
from sandbox.persistence.snapshot import parse_snapshot, serialize_snapshot
from sandbox.webhook_url import check_urls

# The largest snapshot that may be restored (schemas/control/openapi.json).
MAX_BYTES = 64 * 1024**2


async def get_snapshot(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Export all of an app's state; its secrets are redacted unless the client asks for them."""
    app = await mutable_app(request, services)
    snapshot = await app.snapshot()
    redactor = None if request.query["secrets"] == "true" else services.redactor
    # Away from the event loop, so that other requests get through meanwhile.
    content = await in_thread(lambda: b"".join(serialize_snapshot(snapshot, redactor)))
    if len(content) > MAX_BYTES:
        raise StoreFull(
            f"A snapshot has at most {MAX_BYTES:,} bytes, and this app takes {len(content):,}; "
            "`serve --data` keeps apps of any size."
        )
    return FileResult(name=f"{app.id}.json", media_type="application/json", content=content)


async def put_snapshot(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Replace all of an app's state by a snapshot; its webhooks are off until they are switched on."""
    await mutable_app(request, services)
    # Both away from the event loop, so that other requests get through meanwhile.
    snapshot = await in_thread(parse_snapshot, request.document, services.contract, services.settings_schema)
    conversations = await in_thread(MemoryConversations.from_snapshot, snapshot)
    check_urls(snapshot.settings.get("webhooks", ()))
    # Only now: a reset of everything that came meanwhile put another app in its place.
    app = services.registry.find(request.app_id)
    settings = AppSettings().merged(snapshot.settings)
    overrides = settings.changes_from(app.settings_below(services.scenarios.get(snapshot.scenario)))
    await app.restore(replace(snapshot, settings=settings.to_json(), overrides=overrides), conversations)
    services.publish(app, "restored")
    return await serialize_app(app, services)


async def save(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Save all apps into the file of `--data`."""
    if services.data_file is None:
        raise Conflict("There is no file to save into; `serve --data FILE` names one.")
    try:
        return asdict(await services.data_file.save())
    except OSError as error:
        raise InternalError(f"Not saved: {error.strerror}; the file is as it was.") from None
