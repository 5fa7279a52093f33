"""Writes journal entries as an HTTP archive (HAR 1.2), for browsers' developer tools and other viewers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

from sandbox.apps.journal import Headers, RequestRecord
from sandbox.contract import encode
from sandbox.control.entries import content_type, text
from sandbox.control.pages import written_list
from sandbox.redaction import Redactor


def written_har(entries: Sequence[RequestRecord], redactor: Redactor, version: str) -> bytearray:
    """Write an archive of these entries as `written_list` does, every secret masked."""
    log = {"version": "1.2", "creator": {"name": "Dimedove Sandbox", "version": version}, "entries": []}
    head, tail = encode({"log": log}).split(b"[]")
    return written_list((redactor.redact_json(_entry(entry, redactor)) for entry in entries), before=head, behind=tail)


def _entry(entry: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    duration = round(entry.duration_ms, 3)
    first = entry.chunks[0][0] if entry.chunks else duration
    return {
        "startedDateTime": _written(entry.at),
        "time": duration,
        "request": _request(entry, redactor),
        "response": _response(entry, redactor),
        "cache": {},
        "timings": {"send": 0, "wait": round(first, 3), "receive": round(max(duration - first, 0), 3)},
        "comment": entry.id,
    }


def _written(at: float) -> str:
    """Write a time; milliseconds only where there are any, so that a frozen clock's seconds stay as they are."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds" if at == int(at) else "milliseconds")


def _request(entry: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    host = next((text(value) for name, value in entry.headers if name == b"host"), "127.0.0.1")
    query = text(entry.query)
    request: dict[str, Any] = {
        "method": entry.method,
        "url": f"{entry.scheme}://{host}{text(entry.path)}{'?' if query else ''}{query}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(entry.headers, redactor),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
        "headersSize": -1,
        "bodySize": len(entry.body),
    }
    if entry.body:
        kind = next((text(value) for name, value in entry.headers if name == b"content-type"), "")
        request["postData"] = {"mimeType": kind, "text": entry.body.decode("utf-8", "replace")}
    return request


def _response(entry: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    body = b"".join(chunk for _, chunk in entry.chunks)
    status = entry.status or 0
    return {
        "status": status,
        "statusText": responses.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(entry.answer_headers, redactor),
        "content": {
            "size": entry.answer_bytes,
            "mimeType": content_type(entry),
            "text": body.decode("utf-8", "replace"),
        },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": entry.answer_bytes,
    }


def _pairs(headers: Headers, redactor: Redactor) -> list[dict[str, str]]:
    return [{"name": text(name), "value": redactor.redact_header(text(name), text(value))} for name, value in headers]
