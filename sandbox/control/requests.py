"""Read the request journal: what did my SDK send? (docs/control.md, Requests).

Entries are looked through in threads: there may be thousands, and other requests get through meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from sandbox.apps.request_record import RequestRecord
from sandbox.apps.store import JournalView
from sandbox.control.apps import existing_app
from sandbox.control.coverage import Tally, count_coverage, coverage_document, to_markdown
from sandbox.control.request_export import to_curl, to_har
from sandbox.control.serialization import encode_page, serialize_redacted
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.control.verify import can_become_verified, verify
from sandbox.errors import NotFound
from sandbox.handler_types import FileResult, NegotiatedResult, PendingResult
from sandbox.long_work import Slices, in_thread


async def list_requests(request: ControlRequest, services: ControlServices) -> ControlResult:
    """List records, newest first; `after` continues behind a record."""
    records, limit = await _select(request.query, services), request.query["limit"]
    content = await in_thread(encode_page, records, limit, lambda record: serialize_redacted(record, services))
    return FileResult(name=None, media_type="application/json", content=content)


async def get_request(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Show one record."""
    return await in_thread(serialize_redacted, await _find(request, services), services)


async def get_request_curl(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return the command that repeats a request."""
    return await in_thread(to_curl, await _find(request, services), services.redactor)


async def export_requests(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return the selection as an HTTP archive, oldest first."""
    newest_first = await _select(request.query, services)

    def write_archive() -> bytes:
        records = list(islice(newest_first, request.query.get("limit", 10_000)))
        return bytes(to_har(records[::-1], services.redactor, services.version))

    return FileResult(name=None, media_type="application/json", content=await in_thread(write_archive))


async def verify_requests(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say whether the requests that were expected came, or come in time."""
    result, within_ms = await _verify(request, services), request.body.get("within_ms", 0)
    if not within_ms or not can_become_verified(request.body, result):
        return result
    return PendingResult(lambda: _verify_within(within_ms, request, services), lambda: _verify(request, services))


async def _verify(request: ControlRequest, services: ControlServices) -> dict[str, Any]:
    journal = await _view(request.body.get("app_id"), services)
    evicted, records = journal.count_evicted(request.body.get("operation")), journal.newest_first()
    return await in_thread(verify, request.body, records, evicted, services.redactor)


async def _verify_within(ms: int, request: ControlRequest, services: ControlServices) -> dict[str, Any]:
    """Look again whenever a request goes on, until it is as expected, can't become so, or the time is over."""
    app_id, changed = request.body.get("app_id"), asyncio.Event()

    def watch(changed_app: str | None) -> None:
        if app_id in (None, changed_app):
            changed.set()

    async with services.journal.watched_by(watch):
        with suppress(TimeoutError):
            async with asyncio.timeout(ms / 1000):
                while can_become_verified(request.body, result := await _verify(request, services)):
                    await changed.wait()
                    changed.clear()
                return result
    return await _verify(request, services)


async def get_app_coverage(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say what the client of an app has met of the contract."""
    app = await existing_app(request.app_id, services)
    return _coverage(await _count(app.id, services), app.id, services)


async def get_coverage(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Say what the clients of all apps have met of the contract, those of deleted ones too."""
    return _coverage(await _count(None, services) + await services.deleted_coverage.total(), None, services)


async def _count(app_id: str | None, services: ControlServices) -> Tally:
    journal = await _view(app_id, services)
    return await in_thread(count_coverage, journal.newest_first(), journal.count_evicted(), services.coverage_places)


def _coverage(tally: Tally, app_id: str | None, services: ControlServices) -> ControlResult:
    document = coverage_document(tally, app_id, services.coverage_places)
    return NegotiatedResult(document, {"text/markdown": partial(to_markdown, document)})


async def delete_requests(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Delete the records of an app, or all; of each app also what came meanwhile, until its history begins anew."""
    app_id, slices = request.query.get("app_id"), Slices()
    if app_id is None:
        await services.journal.drop_all(app.journal for app in services.registry)
        await services.deleted_coverage.clear()
    for app in list(services.registry) if app_id is None else [services.registry.find(app_id)]:
        await slices.yield_if_due()
        await services.journal.drop(app.journal)
        if app.exists and (app.is_stored or app.journal.requests):
            # The state that the requests to come will meet.
            await app.begin_history(requests=app.journal.requests)
    return None


async def _find(request: ControlRequest, services: ControlServices) -> RequestRecord:
    record = await services.journal.find(request.path_parameters["request_id"])
    if record is None:
        raise NotFound("There is no such request in the journal (any more).", param="request_id")
    return record


async def _select(query: Mapping[str, Any], services: ControlServices) -> Iterator[RequestRecord]:
    journal = await _view(query.get("app_id"), services)
    try:
        records = journal.newest_first(after=query.get("after"), operation_id=query.get("operation"))
    except LookupError:
        raise NotFound("after: there is no such request.", param="after", code="unknown_cursor") from None
    return (record for record in records if query.get("status") in (None, record.status))


async def _view(app_id: str | None, services: ControlServices) -> JournalView:
    """Return the journal of an app, or of all."""
    return await services.journal.view(None if app_id is None else services.registry.find(app_id).journal)
