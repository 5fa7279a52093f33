"""Export a bundle: the state that an app's requests met, the requests and their answers (docs/control.md, Requests).

`dimedove-sandbox replay` does all of it again. Each key has the same pseudonym everywhere, so that no secret is in it
and the requests still fit the settings; webhooks are left out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import takewhile
from typing import Any

from sandbox import magic
from sandbox.apps.history import ControlCallRecord
from sandbox.apps.request_record import RequestRecord
from sandbox.apps.snapshot import AppSnapshot
from sandbox.contract import encode
from sandbox.control.apps import mutable_app
from sandbox.control.request_export import request_target, to_har
from sandbox.control.serialization import encode_array, redact_bytes, redact_headers, serialize_redacted
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import Conflict
from sandbox.handler_types import FileResult
from sandbox.long_work import in_thread
from sandbox.persistence.snapshot import serialize_snapshot
from sandbox.redaction import Redactor
from sandbox.repeatable import without_webhooks

VERSION = 1
# A zip file has no time before 1980; a bundle of the same state is the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


async def get_bundle(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Export what is needed to see again what an app's clients saw."""
    if services.registry.store != "memory":
        raise Conflict("A server with --store exports no bundles: it does not know what came before it.")
    app = await mutable_app(request, services)
    history = app.history
    started = [record for record in app.journal.newest_first() if record.seq > history.seq][::-1]
    records = [record for record in started if record.ended]
    missing = app.journal.requests - history.requests - len(started)
    about = {
        "object": "bundle",
        "version": VERSION,
        "sandbox": services.version,
        "app_id": app.id,
        "origin": app.origin._asdict(),
        "clock": {"now": app.moment, "frozen": app.frozen_at is not None},
        "server": dict(services.response_settings),
        "requests": len(records),
    }
    reasons = [*history.incomplete_reasons, *_missing_requests(missing, len(started) - len(records))]
    baseline, state, calls = history.baseline or app.fresh_snapshot(), await app.snapshot(), tuple(history.calls)
    redactor = services.redactor.pseudonymizer([*magic.KEYS, "sk_test_demo"])

    def write_bundle() -> bytes:
        return _zip(
            {
                "bundle.json": encode({**about, "complete": not reasons, "lost": reasons}),
                "baseline.json": _encode_snapshot(baseline, redactor),
                "steps.json": encode_array(_serialize_steps(records, calls, redactor)),
                "snapshot.json": _encode_snapshot(state, redactor),
                "journal.json": encode_array(serialize_redacted(record, services) for record in records),
                "journal.har": to_har(records, services.redactor, services.version),
            }
        )

    # Away from the event loop, so that other requests get through meanwhile.
    return FileResult(name=f"{app.id}.zip", media_type="application/zip", content=await in_thread(write_bundle))


def _missing_requests(gone: int, under_way: int) -> Iterator[str]:
    if gone:
        yield f"{abs(gone):,} of its requests are not in the journal"
    if under_way:
        yield f"{under_way:,} of its requests were still under way"


def _encode_snapshot(snapshot: AppSnapshot, redactor: Redactor) -> bytes:
    return b"".join(serialize_snapshot(replace(snapshot, settings=without_webhooks(snapshot.settings)), redactor))


def _serialize_steps(
    records: Sequence[RequestRecord], calls: Sequence[ControlCallRecord], redactor: Redactor
) -> Iterator[dict[str, Any]]:
    """Yield the requests and the control calls, in the order in which they began."""
    steps: list[RequestRecord | ControlCallRecord] = [*records, *calls]
    for step in sorted(steps, key=lambda step: step.seq):
        if isinstance(step, RequestRecord):
            yield _request_step(step, redactor)
        else:
            yield _control_step(step, redactor)


def _control_step(call: ControlCallRecord, redactor: Redactor) -> dict[str, Any]:
    body = without_webhooks(call.body)
    if isinstance(body, dict) and body.get("until") == "released":
        # A replay sends one request after the other: nobody would release what is held.
        body = {**{name: value for name, value in body.items() if name != "until"}, "ms": 0}
    step = {"kind": "control", "at": call.at, "method": call.method, "path": call.path, "body": body}
    redacted: dict[str, Any] = redactor.redact_json(step)
    return redacted


def _request_step(record: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    beginning = takewhile(bool, (chunk for _, chunk in record.chunks))
    response = {
        "status": record.status,
        "headers": redact_headers(record.response_headers, redactor),
        "body": _serialize_body(b"".join(beginning), redactor),
        # Of a long stream the body is the beginning; so many bytes more were sent.
        "omitted": record.omitted,
        "ended": record.ended,
    }
    return {
        "kind": "request",
        "id": record.id,
        "at": int(record.at),
        "method": record.method,
        "target": redactor.redact_text(request_target(record)),
        "headers": redact_headers(record.headers, redactor),
        "body": _serialize_body(record.body, redactor),
        "answer": response,
        "duration_ms": round(record.duration_ms, 3),
    }


def _serialize_body(raw: bytes, redactor: Redactor) -> dict[str, str]:
    """Return a body as text, or in base64 where it is none."""
    redacted, is_text = redact_bytes(raw, redactor)
    return {"text": redacted.decode()} if is_text else {"base64": b64encode(redacted).decode()}


def _zip(files: Mapping[str, bytes | bytearray]) -> bytes:
    # Imported late: few servers ever write one.
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(ZipInfo(name, _ZIP_TIME), content, ZIP_DEFLATED)
    return buffer.getvalue()
