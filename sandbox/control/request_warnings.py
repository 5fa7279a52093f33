"""Find what is valid but suspicious in a request: a misspelt field, a key where it should not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import parse_qsl

import orjson

from sandbox.apps.request_record import RequestRecord
from sandbox.contract import Contract, Operation
from sandbox.hosts import is_loopback, parse_host
from sandbox.suggestions import closest_path, closest_word, did_you_mean

# A request may have thousands of unknown fields: only the first get a warning.
MAX_UNKNOWN = 16


def find_warnings(record: RequestRecord, contract: Contract) -> list[str]:
    """Return a sentence for everything suspicious about a request."""
    operation = contract.operation(record.operation_id)
    more = suggest_path(record, contract) if operation is None else unknown_names(record, operation)
    own = [record.warning] if record.warning else []
    return [*_key_warnings(record), *more, *own]


def is_from_browser(record: RequestRecord) -> bool:
    """Say whether a page in a browser sent a secret key."""
    headers = dict(record.headers)
    # Node's own fetch sends Sec-Fetch-Mode; only browsers say where a page comes from.
    return b"sk_" in headers.get(b"authorization", b"") and (b"origin" in headers or b"sec-fetch-site" in headers)


def unknown_names(record: RequestRecord, operation: Operation) -> Iterator[str]:
    """Yield a sentence for each field and query parameter that the operation doesn't know, the first `MAX_UNKNOWN`."""
    return islice(chain(_query_warnings(record, operation), _body_warnings(record, operation)), MAX_UNKNOWN)


def _key_warnings(record: RequestRecord) -> Iterator[str]:
    headers = dict(record.headers)
    host = parse_host(headers.get(b"host", b"").decode("latin-1"))
    if is_from_browser(record):
        yield "a secret key was sent by a browser: real keys belong on a server"
    if b"sk_live_" in headers.get(b"authorization", b"") and not is_loopback(host):
        yield "a live key was sent to a sandbox that isn't on loopback: use a test key"


def suggest_path(record: RequestRecord, contract: Contract) -> Iterator[str]:
    """Suggest the path of the contract that is closest to an unknown one, if any is close."""
    path = record.path.decode("latin-1")
    if closest := closest_path(path, contract.base, (operation.segments for operation in contract.operations)):
        yield did_you_mean(path, closest)


def _query_warnings(record: RequestRecord, operation: Operation) -> Iterator[str]:
    parameters = parse_qsl(record.query.decode("latin-1"), keep_blank_values=True)
    for name in dict.fromkeys(name for name, _ in parameters):
        if name not in operation.query_parameters:
            yield f"unknown query parameter {_quote_with_hint(name, operation.query_parameters)}"


def _body_warnings(record: RequestRecord, operation: Operation) -> Iterator[str]:
    if operation.body is None:
        return
    try:
        value = orjson.loads(record.body)
    except orjson.JSONDecodeError:
        return
    yield from _unknown_fields(value, operation.body.properties, "")


def _unknown_fields(value: Any, known: Mapping[str, Mapping[str, Any]], above: str) -> Iterator[str]:
    """Yield a sentence for each field that no schema knows; metadata may have any."""
    if not isinstance(value, dict):
        return
    for name, child in value.items():
        if name not in known:
            yield f"unknown field {_quote_with_hint(name, known, above)}"
        elif "properties" in known[name]:
            yield from _unknown_fields(child, known[name]["properties"], f"{above}{name}.")


def _quote_with_hint(name: str, known: Mapping[str, Any], above: str = "") -> str:
    close = closest_word(name, known)
    quoted = f"`{above}{name[:80]}`"
    return f"{quoted} (did you mean `{above}{close}`?)" if close else quoted
