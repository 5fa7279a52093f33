"""Serialize recorded requests and pages of rows as JSON (docs/control.md, Requests).

Bodies are parsed where they can be, streams into their events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sandbox.apps.request_record import RawHeaders, RequestRecord
from sandbox.contract import InvalidJson, decode, encode
from sandbox.control.request_warnings import find_warnings
from sandbox.control.services import ControlServices
from sandbox.redaction import Redactor

Row = TypeVar("Row")

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class SentEvent(NamedTuple):
    """One event with data; `at_ms` is when its last byte left, in milliseconds since the request began."""

    name: str
    data: bytes
    at_ms: float


def serialize_redacted(record: RequestRecord, services: ControlServices) -> dict[str, Any]:
    """Return a request for a client: with its warnings, and every secret redacted."""
    headers = headers_by_name(record.headers, services.redactor)
    warnings = find_warnings(record, services.contract)
    redacted: dict[str, Any] = services.redactor.redact_json(
        {**serialize_request(record, exact=True), "headers": headers, "warnings": warnings}
    )
    return redacted


def serialize_request(record: RequestRecord, *, exact: bool) -> dict[str, Any]:
    """Return a request with its secrets; `exact` to be written (numbers as sent), else to be compared."""
    return {
        "id": record.id,
        "at": int(record.at),
        "app_id": record.app_id,
        "operation": record.operation_id,
        "method": record.method,
        "path": decode_latin1(record.path),
        "query": decode_latin1(record.query),
        "headers": headers_by_name(record.headers),
        "body": parse_body(record.body, exact=exact),
        "status": record.status,
        "response": response_json(record),
        "response_bytes": record.response_bytes,
        "duration_ms": round(record.duration_ms, 3),
        "reply_status": record.reply_status,
        "fault": record.fault,
        "held_by": record.held_by,
        "violation": record.violation,
        "ended": record.ended,
    }


def headers_by_name(headers: RawHeaders, redactor: Redactor | None = None) -> dict[str, str]:
    """Return headers by name, the values of a repeated one joined by a comma; a `redactor` redacts each."""
    joined: dict[str, str] = {}
    for name, value in redact_headers(headers, redactor):
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def redact_headers(headers: RawHeaders, redactor: Redactor | None) -> list[tuple[str, str]]:
    """Return headers as text, each redacted if there is a `redactor`."""
    texts = ((decode_latin1(name), decode_latin1(value)) for name, value in headers)
    return [(name, redactor.redact_header(name, value) if redactor else value) for name, value in texts]


def redact_bytes(raw: bytes, redactor: Redactor) -> tuple[bytes, bool]:
    """Return a redacted body, and whether it is text (UTF-8)."""
    try:
        return redactor.redact_text(raw.decode()).encode(), True
    except UnicodeDecodeError:
        return redactor.redact_text(decode_latin1(raw)).encode("latin-1", "replace"), False


def parse_body(raw: bytes, *, exact: bool = True) -> Any:
    """Return a body as its JSON value, else as text; None where there was none."""
    if not raw:
        return None
    try:
        document = decode(raw)
    except InvalidJson:
        return raw.decode("utf-8", "replace")
    return document.exact if exact else document.value


def response_body(record: RequestRecord) -> bytes:
    """Return the body of the answer, as much of it as is kept."""
    return b"".join(chunk for _, chunk in record.chunks)


def response_json(record: RequestRecord) -> Any:
    """Return the body of the answer: a JSON value, a text, or the events of a stream with their times."""
    if not is_event_stream(record):
        return parse_body(response_body(record))
    return [
        {"event": event.name, "data": parse_body(event.data), "at_ms": round(event.at_ms, 3)}
        for event in parse_event_stream(record.chunks)
    ]


def content_type(record: RequestRecord) -> str:
    """Return the media type of the answer."""
    return headers_by_name(record.response_headers).get("content-type", "")


def is_event_stream(record: RequestRecord) -> bool:
    """Say whether the answer was a stream of events."""
    return content_type(record).startswith("text/event-stream")


def decode_latin1(raw: bytes) -> str:
    """Return as text what HTTP carries as bytes in a request line and in headers."""
    return raw.decode("latin-1")


def encode_page(rows: Iterator[Row], limit: int, serialize: Callable[[Row], dict[str, Any]]) -> bytes:
    """Return the first `limit` rows as a list of the API."""
    selected = list(islice(rows, limit + 1))
    ids: list[str] = []

    def serialized() -> Iterator[dict[str, Any]]:
        for row in selected[:limit]:
            value = serialize(row)
            ids.append(value["id"])
            yield value

    data = encode_array(serialized(), before=b'{"data":', after=b",")
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    rest = encode({"object": "list", **ends, "has_more": len(selected) > limit})
    return bytes(data + rest.removeprefix(b"{"))


def encode_array(values: Iterable[Any], *, before: bytes = b"", after: bytes = b"") -> bytearray:
    """Return a JSON array, encoded value by value: no other thread has to wait while ten thousand are encoded."""
    encoded = bytearray(before)
    separator = b"["
    for value in values:
        encoded += separator + encode(value)
        separator = b","
    encoded += (b"]" if separator == b"," else b"[]") + after
    return encoded


def parse_event_stream(chunks: Iterable[tuple[float, bytes]]) -> Iterator[SentEvent]:
    """Yield the events of a stream, in any framing (HTML standard 9.2.6); an empty chunk stands for missing ones."""
    unended, lines, is_first, is_cut, after_cr = b"", list[bytes](), True, False, False
    for at_ms, chunk in chunks:
        if not chunk:
            unended, lines, is_cut = b"", [], True
            continue
        rest = chunk[1:] if after_cr and chunk.startswith(b"\n") else chunk
        after_cr = chunk.endswith(b"\r")
        *ended, unended = _LINE_END.split(unended + rest)
        for line in ended:
            lines.append(line.removeprefix(_BOM) if is_first else line)
            is_first = False
            if line:
                continue
            # What follows missing chunks begins anywhere: up to the first blank line it is no event.
            if not is_cut and (event := _parse_event(lines, at_ms)):
                yield event
            lines, is_cut = [], False


def _parse_event(lines: list[bytes], at_ms: float) -> SentEvent | None:
    name, data = "message", list[bytes]()
    for line in lines:
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.removeprefix(b" ").decode("utf-8", "replace")
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    return SentEvent(name, b"\n".join(data), at_ms) if data else None
