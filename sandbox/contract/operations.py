"""The operations that the document describes: what each one takes and what it may answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.contract.json import MAX_DEPTH
from sandbox.contract.validation import Validator
from sandbox.errors import ContractError

# What a body may be where its operation says nothing else (docs/contract.md 4.3): bytes, and levels of nesting.
MAX_BYTES = 1024 * 1024

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One method of one path.

    `path` is the whole template (`/v1/apps/{app_id}/config`). `takes_query` names the known query parameters, in the
    order in which their faults are named. `body` is None for an operation without one; one that is given is of one of
    the `media_types`, has at most `max_bytes` and is nested at most `max_depth` deep. `responses` has a validator for
    each status (as text) and media type. `events` has what the data of each event of its stream must be.
    """

    id: str
    method: str
    path: str
    path_schema: Validator
    query_schema: Validator
    takes_query: Mapping[str, str]
    body: Validator | None
    media_types: tuple[str, ...]
    max_bytes: int
    max_depth: int
    responses: Mapping[str, Mapping[str, Validator]]
    events: Mapping[str, Validator]

    @property
    def success(self) -> int:
        """The status of a good answer: the contract gives each operation one."""
        return next(int(status) for status in self.responses if status.startswith("2"))

    @property
    def rate_limited(self) -> bool:
        """Whether the contract lets it answer 429."""
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
        ContractError: an operation has no id, or one that another has too.
    """
    found = tuple(
        _operation(bundle, base + path, method, item[method], item.get("parameters", []))
        for path, item in bundle["paths"].items()
        for method in METHODS
        if method in item
    )
    ids = [operation.id for operation in found]
    if len(set(ids)) < len(ids):
        raise ContractError("two operations of the contract share an operationId")
    return found


def _operation(
    bundle: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any], shared: list[Any]
) -> Operation:
    if "operationId" not in item:
        raise ContractError(f"{method.upper()} {path}: the contract gives it no operationId")
    components = bundle["components"]
    parameters = [_resolved(bundle, parameter) for parameter in [*shared, *item.get("parameters", [])]]
    body = _resolved(bundle, item["requestBody"]) if "requestBody" in item else None
    return Operation(
        id=item["operationId"],
        method=method.upper(),
        path=path,
        path_schema=_object(parameters, "path", components),
        query_schema=_object(parameters, "query", components),
        takes_query={p["name"]: p["schema"]["type"] for p in parameters if p["in"] == "query"},
        body=Validator(body["content"]["application/json"]["schema"], components) if body else None,
        media_types=tuple(body["content"]) if body else (),
        max_bytes=(body or {}).get("x-max-bytes", MAX_BYTES),
        max_depth=(body or {}).get("x-max-depth", MAX_DEPTH),
        responses={
            status: dict(_media(_resolved(bundle, response), components))
            for status, response in item["responses"].items()
        },
        events=_events(bundle, item["responses"].get("200", {})),
    )


def _object(parameters: list[Mapping[str, Any]], place: str, components: Mapping[str, Any]) -> Validator:
    """One object schema of all the parameters in one place, so that one validator serves everything."""
    properties = {p["name"]: p["schema"] for p in parameters if p["in"] == place}
    return Validator({"type": "object", "properties": properties}, components)


def _media(response: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[tuple[str, Validator]]:
    for media_type, content in response.get("content", {}).items():
        # The body of a stream is text; `events` has what its items are.
        yield media_type, Validator(content.get("schema", {"type": "string"}), components)


def _events(bundle: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Validator]:
    """Read what the data of each event must be: one of a choice, told apart by `type`, the event's name."""
    stream = _resolved(bundle, response).get("content", {}).get("text/event-stream")
    if stream is None or "properties" not in stream["itemSchema"]:
        return {}
    data = _resolved(bundle, stream["itemSchema"]["properties"]["data"]["contentSchema"])
    choices = [(_resolved(bundle, choice)["properties"]["type"]["const"], choice) for choice in data["oneOf"]]
    return {name: Validator(choice, bundle["components"]) for name, choice in choices}


def _resolved(bundle: Mapping[str, Any], node: Any) -> Any:
    """Follow a reference inside the document."""
    while "$ref" in node:
        target: Any = bundle
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node
