"""The verdict on an app's client: read from the journal, kept nowhere."""

from __future__ import annotations

from functools import partial
from itertools import chain

from sandbox.control.apps import existing
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.control.verdict.junit import junit
from sandbox.control.verdict.verdict import verdict
from sandbox.handler_types import Forms
from sandbox.slices import in_thread


async def control_get_verdict(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Say how an app's client behaved."""
    app_id = call.path["app_id"]
    await existing(app_id, on)
    evicted = on.journal.evicted(app_id, None)
    entries = chain(on.journal.newest_first(app_id=app_id), on.journal.of_no_app())
    # In a thread: there may be thousands, and other requests get through meanwhile.
    found = await in_thread(verdict, app_id, entries, evicted, on.contract)
    return Forms(found, {"application/xml": partial(junit, found)})
