"""The operations of a contract: their parameters, bodies and responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.contract.json import MAX_DEPTH
from sandbox.contract.validation import Validator, dereference
from sandbox.errors import ContractError

# The default limit of a body (docs/contract.md 4.3), in bytes.
MAX_BYTES = 1024 * 1024

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One method of one path.

    `path` is the whole template (`/v1/apps/{app_id}/config`). `query_parameters` has the type of each query parameter,
    in the order of their errors. `body` is None for an operation without one; a body has one of the `media_types`, at
    most `max_bytes` and at most `max_depth` levels. `responses` has a validator for
    each status (as text) and media type. `events` has what the data of each event of its stream must be.
    """

    id: str
    method: str
    path: str
    path_schema: Validator
    query_schema: Validator
    query_parameters: Mapping[str, str]
    body: Validator | None
    media_types: tuple[str, ...]
    max_bytes: int
    max_depth: int
    responses: Mapping[str, Mapping[str, Validator]]
    events: Mapping[str, Validator]

    @property
    def success(self) -> int:
        """The status of success: each operation has one."""
        return next(int(status) for status in self.responses if status.startswith("2"))

    @property
    def is_rate_limited(self) -> bool:
        """Whether the contract has a 429 for it."""
        return "429" in self.responses

    @property
    def segments(self) -> tuple[str, ...]:
        """The template split at its slashes; a parameter keeps its braces."""
        return tuple(self.path.split("/")[1:])

    def url(self, parameters: Mapping[str, str]) -> str:
        """Return the path with these parameters, each encoded."""
        segments = (parameters[s[1:-1]] if s.startswith("{") else s for s in self.segments)
        return "".join("/" + quote(segment, safe="") for segment in segments)


def read_operations(bundle: Mapping[str, Any], base: str) -> tuple[Operation, ...]:
    """Read every operation of a bundled document; all paths stand below `base`.

    Raises:
        ContractError: an operation has no id, or the id of another one.
    """
    operations = tuple(
        _operation(bundle, base + path, method, item[method], item.get("parameters", []))
        for path, item in bundle["paths"].items()
        for method in METHODS
        if method in item
    )
    ids = [operation.id for operation in operations]
    if len(set(ids)) < len(ids):
        raise ContractError("two operations of the contract share an operationId")
    return operations


def _operation(
    bundle: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any], shared: list[Any]
) -> Operation:
    if "operationId" not in item:
        raise ContractError(f"{method.upper()} {path}: the contract gives it no operationId")
    components = bundle["components"]
    parameters = [dereference(bundle, parameter) for parameter in [*shared, *item.get("parameters", [])]]
    body = dereference(bundle, item["requestBody"]) if "requestBody" in item else None
    return Operation(
        id=item["operationId"],
        method=method.upper(),
        path=path,
        path_schema=_parameters_validator(parameters, "path", components),
        query_schema=_parameters_validator(parameters, "query", components),
        query_parameters={p["name"]: p["schema"]["type"] for p in parameters if p["in"] == "query"},
        body=Validator(body["content"]["application/json"]["schema"], components) if body else None,
        media_types=tuple(body["content"]) if body else (),
        max_bytes=(body or {}).get("x-max-bytes", MAX_BYTES),
        max_depth=(body or {}).get("x-max-depth", MAX_DEPTH),
        responses={
            status: dict(_media_validators(dereference(bundle, response), components))
            for status, response in item["responses"].items()
        },
        events=_event_validators(bundle, item["responses"].get("200", {})),
    )


def _parameters_validator(parameters: list[Mapping[str, Any]], place: str, components: Mapping[str, Any]) -> Validator:
    """Return one validator of all parameters in one place."""
    properties = {p["name"]: p["schema"] for p in parameters if p["in"] == place}
    return Validator({"type": "object", "properties": properties}, components)


def _media_validators(response: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[tuple[str, Validator]]:
    for media_type, content in response.get("content", {}).items():
        # The body of a stream is text; `events` has what its items are.
        yield media_type, Validator(content.get("schema", {"type": "string"}), components)


def _event_validators(bundle: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Validator]:
    """Return the validator of each event's data, by the event's name: its `type`."""
    stream = dereference(bundle, response).get("content", {}).get("text/event-stream")
    if stream is None or "properties" not in stream["itemSchema"]:
        return {}
    data = dereference(bundle, stream["itemSchema"]["properties"]["data"]["contentSchema"])
    choices = [(dereference(bundle, choice)["properties"]["type"]["const"], choice) for choice in data["oneOf"]]
    return {name: Validator(choice, bundle["components"]) for name, choice in choices}
