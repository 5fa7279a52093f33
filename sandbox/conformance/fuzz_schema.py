"""Fit the contract to a fuzzer and to servers that aren't the sandbox, always in a copy."""

from __future__ import annotations

import copy
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.contract import Contract

APP_ID = "app_id"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})

_CURSORS = ("after", "before")
_ID = re.compile(r"[\w.~-]{4,}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Link:
    """One link of the contract: from an answer of one operation (by its id) to another operation."""

    source: str
    status: str
    name: str
    target: str


def fit_to_fuzzer(bundle: Mapping[str, Any], app_id: str, *, sandbox_rules: bool) -> dict[str, Any]:
    """Return the document that a fuzzer can work with.

    Args:
        bundle: the contract as one document.
        app_id: the app that all requests are for; it takes the parameter's place in every path.
        sandbox_rules: hold answers to what the sandbox alone promises too: all keys, the forms of ids.
    """
    document = copy.deepcopy(dict(bundle))
    _pin_app(document, app_id)
    if sandbox_rules:
        _require_sandbox_rules(document["components"]["schemas"])
    return document


def keep_links(document: Mapping[str, Any], wanted: Collection[Link]) -> dict[str, Any]:
    """Return a tuned document with no more links than lead to the wanted ones, so that a walk comes upon them soon."""
    narrow = copy.deepcopy(dict(document))
    ways = _shortest_ways(narrow)
    kept = {(link.source, link.name) for target in wanted for link in (target, *ways.get(target.source, ()))}
    _remove_links(narrow, lambda link: (link.source, link.name) not in kept)
    return narrow


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path and description of every operation of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield method.upper(), path, operation


def links(document: Mapping[str, Any]) -> Iterator[tuple[Link, dict[str, Any]]]:
    """Yield every link of a document and its description."""
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for name, spec in response.get("links", {}).items():
                link = Link(source=operation["operationId"], status=status, name=name, target=spec["operationId"])
                yield link, spec


def surplus_cursors(query: Mapping[str, Any], phase: str, about: str | None) -> set[str]:
    """Return the cursors to leave out: a made-up one is unknown, two are refused, and both hide everything else.

    Coverage gives each parameter a value in every case: there only the cursor that the case is about stays. A walk
    keeps what looks like an id and comes from a link. Of two that are left the longer one stays.
    """
    given = {name: str(query[name]) for name in _CURSORS if name in query}
    if phase == "coverage":
        return {name for name in given if name != about}
    surplus = {name for name, value in given.items() if phase == "stateful" and not _ID.fullmatch(value)}
    if given and len(given) - len(surplus) == len(_CURSORS):
        surplus.add(min(given, key=lambda name: len(given[name])))
    return surplus


def _pin_app(document: dict[str, Any], app_id: str) -> None:
    """Put the app's id into the paths; parameters and links no longer speak of it."""
    shared = document["components"].get("parameters", {})
    for item in document["paths"].values():
        item["parameters"] = [each for each in item.get("parameters", []) if _name(each, shared) != APP_ID]
    for _, spec in links(document):
        spec.get("parameters", {}).pop(APP_ID, None)
    document["paths"] = {path.replace(f"{{{APP_ID}}}", app_id): item for path, item in document["paths"].items()}


def _name(parameter: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    name: str = shared[parameter["$ref"].rpartition("/")[2]]["name"] if "$ref" in parameter else parameter["name"]
    return name


def _require_sandbox_rules(node: Any) -> None:
    """Turn the keywords that hold for the sandbox alone into those that every validator knows."""
    if isinstance(node, list):
        for child in node:
            _require_sandbox_rules(child)
    elif isinstance(node, dict):
        if "x-sandbox-required" in node:
            node["required"] = sorted({*node.get("required", ()), *node["x-sandbox-required"]})
        if "x-sandbox-pattern" in node:
            node["pattern"] = node["x-sandbox-pattern"]
        for child in node.values():
            _require_sandbox_rules(child)


def _shortest_ways(document: Mapping[str, Any]) -> dict[str, tuple[Link, ...]]:
    """Return for each operation the shortest chain of links to it from one that needs no id."""
    ways: dict[str, tuple[Link, ...]] = {
        operation["operationId"]: () for _, path, operation in operations(document) if "{" not in path
    }
    reached = deque(ways)
    while reached:
        source = reached.popleft()
        for link, _ in links(document):
            if link.source == source and link.target not in ways:
                ways[link.target] = (*ways[source], link)
                reached.append(link.target)
    return ways


# The vendor documents these; of what else a server refuses, only that it is a 4xx can be asked.
_STATUSES = ("200", "401", "403", "404", "429", "500")
_OTHER = {"description": "Refused. The vendor documents neither the status nor the body."}


def vendor_contract(contract: Contract) -> Contract:
    """Return the contract without what the sandbox decided about statuses and headers."""
    bundle = copy.deepcopy(dict(contract.bundle))
    for _, _, operation in operations(bundle):
        for status in set(operation["responses"]) - set(_STATUSES):
            del operation["responses"][status]
        operation["responses"]["4XX"] = _OTHER
    for response in bundle["components"].get("responses", {}).values():
        response.pop("headers", None)
    return replace(contract, bundle=bundle)


def without_operations(contract: Contract, unwanted: Collection[str]) -> Contract:
    """Return the contract without some operations, and without the links to them."""
    bundle = copy.deepcopy(dict(contract.bundle))
    for method, path, operation in list(operations(bundle)):
        if operation["operationId"] in unwanted:
            del bundle["paths"][path][method.lower()]
    bundle["paths"] = {path: item for path, item in bundle["paths"].items() if METHODS & set(item)}
    _remove_links(bundle, lambda link: link.target in unwanted)
    return replace(contract, bundle=bundle)


def _remove_links(document: Mapping[str, Any], is_unwanted: Callable[[Link], bool]) -> None:
    for link, _ in list(links(document)):
        if is_unwanted(link):
            operation = next(each for *_, each in operations(document) if each["operationId"] == link.source)
            del operation["responses"][link.status]["links"][link.name]
