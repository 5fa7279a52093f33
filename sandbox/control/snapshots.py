"""Take an app's whole state out as one document, and put it back (CONTROL.md, Apps)."""

from __future__ import annotations

from dataclasses import replace

from sandbox import magic
from sandbox.app_settings import AppSettings
from sandbox.control.apps import changeable, existing, let_go, shown
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.errors import StoreFull
from sandbox.handler_types import File
from sandbox.persistence.snapshot import Snapshot, changes_from, pieces, whole_settings
from sandbox.persistence.snapshot_reader import read
from sandbox.slices import in_thread
from sandbox.webhook_url import refuse_urls

# What may be put back (schemas/control/openapi.json); a larger one could never be.
MOST_BYTES = 64 * 1024**2


async def control_get_snapshot(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Write all of an app's state; its secrets are masked unless they are asked for."""
    app_id = changeable(call)
    taken = await snapshot_of(app_id, on)
    masker = None if call.query["secrets"] == "true" else on.masker
    # Away from the event loop, so that other requests get through meanwhile.
    content = await in_thread(lambda: b"".join(pieces(taken, masker)))
    if len(content) > MOST_BYTES:
        raise StoreFull(
            f"A snapshot has at most {MOST_BYTES:,} bytes, and this app takes {len(content):,}; "
            "`serve --data` keeps apps of any size."
        )
    return File(name=f"{app_id}.json", media_type="application/json", content=content)


async def control_put_snapshot(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Put a snapshot in place of all that the app is; its webhooks are off until they are switched on."""
    app_id = changeable(call)
    await existing(app_id, on)
    taken = await in_thread(read, call.document, on.contract, on.settings_law)
    await _restore(app_id, taken, on)
    on.bus.say("state", app_id, {"app_id": app_id, "change": "restored"})
    return await shown(app_id, on)


async def snapshot_of(app_id: str, on: ControlServices) -> Snapshot:
    """Return all of an app as it is at this moment."""
    app = await existing(app_id, on)
    return Snapshot(
        world=await on.worlds.image(app_id),
        settings=whole_settings(app.settings),
        faults=on.faults.backlog(app_id),
        replies=on.replies.backlog(app_id),
    )


async def _restore(app_id: str, taken: Snapshot, on: ControlServices) -> None:
    """Put an app back. Nothing awaits what others do once the store has taken it."""
    base = await on.worlds.defaults(app_id)
    if base is None:
        raise magic.unknown_app()
    refuse_urls(taken.settings.get("webhooks", ()))
    settings = AppSettings().merged(taken.settings)
    world = replace(taken.world, overrides=changes_from(base, settings))
    await on.worlds.restore(app_id, world)
    let_go(app_id, on)
    on.history.begin(
        app_id, replace(taken, world=world, settings=whole_settings(settings)), turn=next(on.journal.turns)
    )
    on.faults.restore(app_id, taken.faults)
    on.replies.restore(app_id, taken.replies)
