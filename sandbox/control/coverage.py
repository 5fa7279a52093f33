"""What of the contract a client has met, by the requests in the journal (docs/control.md, Coverage)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

from sandbox.app_settings import Framing
from sandbox.apps.request_record import RequestRecord
from sandbox.contract import Contract
from sandbox.contract.validation import dereference
from sandbox.control.serialization import is_event_stream, parse_body, response_json
from sandbox.errors import ERROR_TYPES

_MAX_DEPTH: Final = 6
_MAX_ITEMS: Final = 1_000
_PER_OPERATION: Final = ("statuses", "request_fields", "nulls")
_TITLES: Final[Mapping[str, str]] = {
    "statuses": "statuses of",
    "request_fields": "request fields of",
    "nulls": "nulls in responses of",
    "error_types": "error types",
    "events": "stream events",
    "framings": "framings",
}

# What was met, by its place in the document.
Place = tuple[str, ...]


Tally = Counter[Place]
Places = Mapping[Place, None]
REQUESTS: Place = ("requests",)
EVICTED: Place = ("evicted",)


def count_coverage(records: Iterable[RequestRecord], evicted: int, possible: Places) -> Tally:
    """Count in how many requests each thing was met; `evicted` are gone from the journal."""
    tally: Tally = Counter({EVICTED: evicted})
    for record in records:
        # What a person sent from the inspector is not the client's.
        if record.ended and not _is_inspectors(record):
            tally.update({*_met_by(record, possible), REQUESTS})
    return tally


def coverage_document(tally: Tally, app_id: str | None, possible: Places) -> dict[str, Any]:
    """Return a coverage as JSON: everything that can be met, and how many requests have met it."""
    document: dict[str, Any] = {"object": "coverage", "app_id": app_id}
    for place in [REQUESTS, EVICTED, *possible, *sorted(tally.keys() - {REQUESTS, EVICTED} - possible.keys())]:
        node = document
        for name in place[:-1]:
            node = node.setdefault(name, {})
        node[place[-1]] = tally[place]
    return document


def _is_inspectors(record: RequestRecord) -> bool:
    return dict(record.headers).get(b"referer", b"").endswith(b"/_sandbox/")


def _met_by(record: RequestRecord, possible: Places) -> Iterator[Place]:
    operation = record.operation_id or ""  # "": a path or a method that the contract doesn't have
    if operation and record.status is not None:
        yield "operations", operation, "statuses", str(record.status)
    for place in (*_sent(record, operation), *_answered(record, operation)):
        if place in possible:
            yield place


def _sent(record: RequestRecord, operation: str) -> Iterator[Place]:
    paths = [path for path, _ in _paths_of(parse_body(record.body))] if record.body else []
    names = [f"?{name}" for name, _ in parse_qsl(record.query.decode("latin-1"), keep_blank_values=True)]
    return (("operations", operation, "request_fields", name) for name in (*paths, *names))


def _answered(record: RequestRecord, operation: str) -> Iterator[Place]:
    response = response_json(record)
    if is_event_stream(record):
        yield from (("events", event["event"]) for event in response)
        yield from (("framings", name) for name in record.framing.split(","))
    elif record.status == 200:
        yield from (("operations", operation, "nulls", path) for path, is_null in _paths_of(response) if is_null)
    elif isinstance(response, dict) and isinstance(response.get("error"), dict):
        yield "error_types", str(response["error"].get("type"))


def _paths_of(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Yield the dotted path of every field in a value, and whether it is null."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, child in value.items():
            path = f"{place}.{name}" if place else name
            yield path, child is None
            yield from _paths_of(child, path, depth + 1)
    elif isinstance(value, list):
        for child in value[:_MAX_ITEMS]:
            yield from _paths_of(child, f"{place}[]", depth + 1)


def coverage_places(contract: Contract) -> Places:
    """Return all that can be met, in the order of the contract."""
    return dict.fromkeys(_places(contract))


def _places(contract: Contract) -> Iterator[Place]:
    events = dict[str, None]()
    for operation in contract.operations:
        item = contract.bundle["paths"][operation.path.removeprefix(contract.base)][operation.method.lower()]
        for status in operation.responses:
            yield "operations", operation.id, "statuses", status
        body = dereference(contract.bundle, item["requestBody"]) if "requestBody" in item else None
        for path, _ in _fields(contract, body["content"]["application/json"]["schema"]) if body else ():
            yield "operations", operation.id, "request_fields", path
        for name in operation.query_parameters:
            yield "operations", operation.id, "request_fields", f"?{name}"
        answer = dereference(contract.bundle, item["responses"]["200"])
        for path, may_be_null in _fields(contract, answer["content"]["application/json"]["schema"]):
            if may_be_null:
                yield "operations", operation.id, "nulls", path
        events |= dict.fromkeys(operation.events)
    yield from (("error_types", name) for name in ERROR_TYPES)
    yield from (("events", name) for name in events)
    yield from (("framings", name) for name in get_args(Framing))


def _fields(contract: Contract, schema: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Yield the dotted path of every field that a schema names, and whether it may be null."""
    if depth > _MAX_DEPTH or not isinstance(schema, Mapping):
        return
    node = {**dereference(contract.bundle, schema), **{name: value for name, value in schema.items() if name != "$ref"}}
    for part in (part for name in ("allOf", "oneOf", "anyOf") for part in node.get(name, ())):
        yield from _fields(contract, part, place, depth + 1)
    for name, child in node.get("properties", {}).items():
        path = f"{place}.{name}" if place else name
        yield path, _may_be_null(contract, child)
        yield from _fields(contract, child, path, depth + 1)
    yield from _fields(contract, node.get("items"), f"{place}[]", depth + 1)


def _may_be_null(contract: Contract, schema: Any) -> bool:
    kinds = {**dereference(contract.bundle, schema), **schema}.get("type", [])
    return "null" in (kinds if isinstance(kinds, list) else [kinds])


def to_markdown(document: Mapping[str, Any]) -> str:
    """Return a coverage as a table: what was met, and what never was."""
    operations = document["operations"]
    met = {name: sum(parts["statuses"].values()) for name, parts in operations.items()}
    rows = [("operations", met)]
    for name, parts in operations.items():
        if met[name]:
            rows += [(f"{_TITLES[part]} `{_short(name)}`", parts[part]) for part in _PER_OPERATION if part in parts]
    rows += [(_TITLES[part], document[part]) for part in ("error_types", "events", "framings")]
    total, of = sum(bool(count) for _, counts in rows for count in counts.values()), sum(len(each) for _, each in rows)
    whose = f"`{document['app_id']}`" if document["app_id"] else "all apps"
    gone = f", {document['evicted']} more are gone from the journal" if document["evicted"] else ""
    return "\n".join(
        [
            f"# Coverage of the contract by the client of {whose}",
            "",
            f"{document['requests']} requests{gone}; met: {total} of {of}.",
            "",
            "| what | met | never met |",
            "| --- | --- | --- |",
            *(_row(title, counts) for title, counts in rows),
            "",
        ]
    )


def _row(title: str, counts: Mapping[str, int]) -> str:
    never = ", ".join(f"`{_short(name)}`" for name, count in counts.items() if not count)
    return f"| {title} | {sum(map(bool, counts.values()))} of {len(counts)} | {never} |"


def _short(name: str) -> str:
    return name.removeprefix("apps_api_")
