"""The journal, read: what did my SDK send? (CONTROL.md, Requests).

Entries are looked through in threads: there may be thousands, and other requests get through meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sandbox.apps.entry import Entry
from sandbox.control.curl import curl
from sandbox.control.entries import shown
from sandbox.control.har import written_har
from sandbox.control.pages import written_page
from sandbox.control.services import ControlAnswer, ControlCall, ControlServices
from sandbox.control.snapshots import snapshot_of
from sandbox.control.verify import verify
from sandbox.errors import NotFound
from sandbox.handler_types import File
from sandbox.slices import Slices, in_thread


async def control_list_requests(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """List entries, newest first; `after` continues behind an entry."""
    found = _selected(call.query, on)
    content = await in_thread(written_page, found, call.query["limit"], lambda entry: shown(entry, on))
    return File(name=None, media_type="application/json", content=content)


async def control_get_request(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Show one entry."""
    return await in_thread(shown, _entry(call, on), on)


async def control_get_request_curl(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Return the command that repeats a request."""
    return await in_thread(curl, _entry(call, on), on.masker)


async def control_export_requests(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Return the selection as an HTTP archive, oldest first."""
    found = _selected(call.query, on)

    def written() -> bytes:
        entries = list(islice(found, call.query.get("limit", 1_000)))
        return bytes(written_har(entries[::-1], on.masker, on.version))

    return File(name=None, media_type="application/json", content=await in_thread(written))


async def control_verify_requests(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Say whether the requests that were expected came."""
    evicted = on.journal.evicted(call.body.get("app_id"), call.body.get("operation"))
    entries = on.journal.newest_first(app_id=call.body.get("app_id"))
    return await in_thread(verify, call.body, entries, evicted, on.masker)


async def control_delete_requests(call: ControlCall, on: ControlServices) -> ControlAnswer:
    """Forget the entries of an app, or all; of each app also what came meanwhile, until it begins anew."""
    one, slices = call.query.get("app_id"), Slices()
    if one is None:
        on.journal.forget(None)
    for app_id in [one] if one else {*await on.worlds.known(), *on.journal.apps()}:
        await slices.rest()
        on.journal.forget(app_id)
        if await on.worlds.exists(app_id) or on.journal.count(app_id):
            await _begin_anew(app_id, on)
    return None


async def _begin_anew(app_id: str, on: ControlServices) -> None:
    """Keep the state that the entries to come will meet."""
    state = await snapshot_of(app_id, on)
    on.history.begin(app_id, state, turn=next(on.journal.turns), requests=on.journal.count(app_id))


def _entry(call: ControlCall, on: ControlServices) -> Entry:
    entry = on.journal.get(call.path["request_id"])
    if entry is None:
        raise NotFound("There is no such request in the journal (any more).", param="request_id")
    return entry


def _selected(query: Mapping[str, Any], on: ControlServices) -> Iterator[Entry]:
    asked = {name: query.get(name) for name in ("after", "app_id", "operation")}
    try:
        found = on.journal.newest_first(**asked)
    except LookupError:
        raise NotFound("after: there is no such request.", param="after", code="unknown_cursor") from None
    return (entry for entry in found if query.get("status") in (None, entry.status))
