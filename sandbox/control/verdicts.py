"""The verdict on an app's client: read from the journal, kept nowhere."""

from __future__ import annotations

from functools import partial
from itertools import chain

from sandbox.control.apps import existing_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.verdict.junit import junit
from sandbox.control.verdict.verdict import verdict
from sandbox.handler_types import NegotiatedResult
from sandbox.slices import in_thread


async def get_verdict(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say how an app's client behaved."""
    app = await existing_app(request.app_id, services)
    evicted = app.journal.count_evicted()
    entries = chain(app.journal.newest_first(), services.journal.no_app.newest_first())
    # In a thread: there may be thousands, and other requests get through meanwhile.
    found = await in_thread(verdict, app.id, entries, evicted, services.contract)
    return NegotiatedResult(found, {"application/xml": partial(junit, found)})
