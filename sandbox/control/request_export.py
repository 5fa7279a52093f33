"""Export recorded requests: as a curl command (for any POSIX shell) and as an HTTP archive (HAR 1.2)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

from sandbox.apps.request_record import RawHeaders, RequestRecord
from sandbox.contract import encode
from sandbox.control.serialization import (
    content_type,
    decode_latin1,
    encode_array,
    redact_bytes,
    redact_headers,
    response_body,
)
from sandbox.redaction import Redactor

# curl makes these by itself, or they belong to the connection.
_OMITTED_HEADERS = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding", b"expect"})
# What curl would add by itself, if the request did not have it.
_DEFAULT_HEADERS = (b"accept", b"user-agent", b"content-type")
# A longer argument is refused by the system (128 KiB on Linux).
_MAX_ARGUMENT = 100_000
_PRINTF_BYTES = 20_000


def to_curl(record: RequestRecord, redactor: Redactor) -> str:
    """Return one shell command; the key stands in `$DIMEDOVE_API_KEY`, other secrets are redacted."""
    host = _first_header(record, b"host", "127.0.0.1:8010")
    url = redactor.redact_text(f"{record.scheme}://{host}{request_target(record)}")
    words = ["curl", "--globoff", "--path-as-is", *_method_options(record), shlex.quote(url)]
    sent = {name for name, _ in record.headers}
    for name, value in record.headers:
        if name not in _OMITTED_HEADERS:
            words += ["-H", _header_argument(name, value, redactor)]
    for name in _DEFAULT_HEADERS:
        if name not in sent and (record.body or name != b"content-type"):
            words += ["-H", shlex.quote(f"{decode_latin1(name)}:")]
    return _command_with_body(words, record.body, redactor) + "\n"


def request_target(record: RequestRecord) -> str:
    """Return the path and the query of a request, as its first line had them."""
    return decode_latin1(record.path) + (f"?{decode_latin1(record.query)}" if record.query else "")


def _first_header(record: RequestRecord, wanted: bytes, default: str) -> str:
    return next((decode_latin1(value) for name, value in record.headers if name == wanted), default)


def _method_options(record: RequestRecord) -> list[str]:
    if record.method != "HEAD":
        return ["-X", record.method]
    # With -X HEAD curl waits for the body that the answer's length tells of; --head takes no body to send.
    return ["-X", "HEAD", "--ignore-content-length", "-H", "'connection: close'"] if record.body else ["--head"]


def _header_argument(name: bytes, value: bytes, redactor: Redactor) -> str:
    scheme, _, token = decode_latin1(value).partition(" ")
    if name == b"authorization" and token.strip().startswith("sk_") and scheme.lower() == "bearer":
        return f'"authorization: {scheme} $DIMEDOVE_API_KEY"'
    # An empty value needs a semicolon, or curl drops the header.
    if not value:
        return shlex.quote(f"{decode_latin1(name)};")
    try:
        return shlex.quote(f"{decode_latin1(name)}: {redactor.redact_header(decode_latin1(name), value.decode())}")
    except UnicodeDecodeError:
        redacted = redactor.redact_header(decode_latin1(name), decode_latin1(value)).encode("latin-1", "replace")
        return f'"$({_printf_command(name + b": " + redacted)})"'


def _printf_command(raw: bytes) -> str:
    """Return the command that writes these bytes in any shell."""
    return "printf '" + "".join(f"\\{byte:03o}" for byte in raw) + "'"


def _command_with_body(words: list[str], body: bytes, redactor: Redactor) -> str:
    if not body:
        return " ".join(words)
    raw, is_text = redact_bytes(body, redactor)
    if is_text and b"\0" not in raw and len(raw) <= _MAX_ARGUMENT:
        return " ".join([*words, "--data-raw", shlex.quote(raw.decode())])
    # What no argument can hold goes through a pipe.
    starts = range(0, len(raw), _PRINTF_BYTES)
    commands = "; ".join(_printf_command(raw[start : start + _PRINTF_BYTES]) for start in starts)
    return f"{{ {commands}; }} | " + " ".join([*words, "--data-binary", "@-"])


def to_har(records: Sequence[RequestRecord], redactor: Redactor, version: str) -> bytearray:
    """Return an archive of these records one by one, as `encode_array` does, every secret redacted."""
    log = {"version": "1.2", "creator": {"name": "Dimedove Sandbox", "version": version}, "entries": []}
    before, after = encode({"log": log}).split(b"[]")
    rows = (redactor.redact_json(_har_entry(record, redactor)) for record in records)
    return encode_array(rows, before=before, after=after)


def _har_entry(record: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    duration = round(record.duration_ms, 3)
    first = record.chunks[0][0] if record.chunks else duration
    return {
        "startedDateTime": _iso_time(record.at),
        "time": duration,
        "request": _har_request(record, redactor),
        "response": _har_response(record, redactor),
        "cache": {},
        "timings": {"send": 0, "wait": round(first, 3), "receive": round(max(duration - first, 0), 3)},
        "comment": record.id,
    }


def _iso_time(at: float) -> str:
    """Return a time in ISO 8601; milliseconds only where there are any: a frozen clock's seconds stay as they are."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds" if at == int(at) else "milliseconds")


def _har_request(record: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    host = _first_header(record, b"host", "127.0.0.1")
    query = decode_latin1(record.query)
    request: dict[str, Any] = {
        "method": record.method,
        "url": f"{record.scheme}://{host}{request_target(record)}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _har_headers(record.headers, redactor),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
        "headersSize": -1,
        "bodySize": len(record.body),
    }
    if record.body:
        mime_type = _first_header(record, b"content-type", "")
        request["postData"] = {"mimeType": mime_type, "text": record.body.decode("utf-8", "replace")}
    return request


def _har_response(record: RequestRecord, redactor: Redactor) -> dict[str, Any]:
    status = record.status or 0
    return {
        "status": status,
        "statusText": responses.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _har_headers(record.response_headers, redactor),
        "content": {
            "size": record.response_bytes,
            "mimeType": content_type(record),
            "text": response_body(record).decode("utf-8", "replace"),
        },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": record.response_bytes,
    }


def _har_headers(headers: RawHeaders, redactor: Redactor) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in redact_headers(headers, redactor)]
