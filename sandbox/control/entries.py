"""Shows a journal entry as JSON: parsed where it can be, with what looks suspicious, and every secret redacted."""

from __future__ import annotations

from typing import Any

from sandbox.apps.journal import Headers, RequestRecord
from sandbox.contract import InvalidJson, decode
from sandbox.control.event_stream import parse
from sandbox.control.services import ControlServices
from sandbox.control.warnings import warnings
from sandbox.redaction import Redactor


def shown(entry: RequestRecord, services: ControlServices) -> dict[str, Any]:
    """Return an entry for a client: nothing secret is left in it."""
    headers = named(entry.headers, services.redactor)
    whole = {**plain(entry, exact=True), "headers": headers, "warnings": warnings(entry, services)}
    redacted: dict[str, Any] = services.redactor.redact_json(whole)
    return redacted


def plain(entry: RequestRecord, *, exact: bool) -> dict[str, Any]:
    """Return an entry as it was, secrets included; `exact` to be written (numbers as sent), else to be compared."""
    return {
        "id": entry.id,
        "at": int(entry.at),
        "app_id": entry.app_id,
        "operation": entry.operation,
        "method": entry.method,
        "path": text(entry.path),
        "query": text(entry.query),
        "headers": named(entry.headers),
        "body": body_of(entry.body, exact=exact),
        "status": entry.status,
        "response": answer_of(entry),
        "response_bytes": entry.answer_bytes,
        "duration_ms": round(entry.duration_ms, 3),
        "reply_status": entry.reply_status,
        "fault": entry.fault,
        "held_by": entry.held_by,
        "violation": entry.violation,
        "ended": entry.ended,
    }


def named(headers: Headers, redactor: Redactor | None = None) -> dict[str, str]:
    """Return headers by name; what came twice is joined by a comma. A `redactor` hides the secrets of each."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = text(raw_name), text(raw_value)
        value = redactor.redact_header(name, value) if redactor else value
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def body_of(raw: bytes, *, exact: bool = True) -> Any:
    """Return a body as its JSON value, else as text; None where there was none."""
    if not raw:
        return None
    try:
        document = decode(raw)
    except InvalidJson:
        return raw.decode("utf-8", "replace")
    return document.exact if exact else document.value


def answer_of(entry: RequestRecord) -> Any:
    """Return what was answered: a JSON value, a text, or the events of a stream with their times."""
    if content_type(entry).startswith("text/event-stream"):
        return [
            {"event": event.name, "data": body_of(event.data), "at_ms": round(event.at_ms, 3)}
            for event in parse(entry.chunks)
        ]
    return body_of(b"".join(chunk for _, chunk in entry.chunks))


def content_type(entry: RequestRecord) -> str:
    """Return the media type of the answer."""
    return named(entry.answer_headers).get("content-type", "")


def text(raw: bytes) -> str:
    """Return what HTTP carries as bytes, as text."""
    return raw.decode("latin-1")
