"""Fits the contract to a fuzzer, in memory: a copy is tuned, the document that is served stays as it is.

Left alone, a fuzzer makes up app ids, is answered 404 for ever, and finds nothing to complain of.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

_APP_ID = "app_id"
_USER_ID = "external_user_id"
_METHODS = ("get", "post", "put", "patch", "delete")


def tuned(bundle: Mapping[str, Any], app_id: str, *, sandbox_rules: bool) -> dict[str, Any]:
    """Return the document that a fuzzer can work with.

    Args:
        bundle: the contract as one document.
        app_id: the app that all requests are for; it takes the parameter's place in every path.
        sandbox_rules: hold answers to what the sandbox alone promises too: all keys, the forms of ids.
    """
    document = copy.deepcopy(dict(bundle))
    _pin_app(document, app_id)
    _produce_nothing_for_users(document)
    if sandbox_rules:
        _promise(document["components"]["schemas"])
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path and description of every operation of a document."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def links(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield status, name and description of every link from an operation's answers."""
    for status, response in operation["responses"].items():
        for name, link in response.get("links", {}).items():
            yield status, name, link


def _pin_app(document: dict[str, Any], app_id: str) -> None:
    """Put the app's id into the paths; parameters and links no longer speak of it."""
    shared = document["components"].get("parameters", {})
    for item in document["paths"].values():
        item["parameters"] = [each for each in item.get("parameters", []) if _name(each, shared) != _APP_ID]
    for _, _, operation in operations(document):
        for _, _, link in links(operation):
            link.get("parameters", {}).pop(_APP_ID, None)
    document["paths"] = {path.replace(f"{{{_APP_ID}}}", app_id): item for path, item in document["paths"].items()}


def _name(parameter: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    name: str = shared[parameter["$ref"].rpartition("/")[2]]["name"] if "$ref" in parameter else parameter["name"]
    return name


def _produce_nothing_for_users(document: dict[str, Any]) -> None:
    """Say of the user's id the same thing in a way that schemathesis doesn't take for another resource's id.

    It would look for the operation that makes users, find none, and never begin a scenario with a new conversation.
    """
    schema = document["components"]["schemas"]["ConversationCreateRequest"]
    schema["patternProperties"] = {f"^{_USER_ID}$": schema["properties"].pop(_USER_ID)}


def _promise(node: Any) -> None:
    """Turn the keywords that hold for the sandbox alone into those that every validator knows."""
    if isinstance(node, list):
        for child in node:
            _promise(child)
    elif isinstance(node, dict):
        if "x-sandbox-required" in node:
            node["required"] = sorted({*node.get("required", ()), *node["x-sandbox-required"]})
        if "x-sandbox-pattern" in node:
            node["pattern"] = node["x-sandbox-pattern"]
        for child in node.values():
            _promise(child)
