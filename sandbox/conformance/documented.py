"""Fits the contract to servers that aren't the sandbox: they are held to what the vendor documents, and to no more."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sandbox.conformance.exercise import Finding
from sandbox.conformance.tune import METHODS
from sandbox.contract import Contract

# The vendor documents these; of what else a server refuses, only that it is a 4xx can be asked.
_STATUSES = ("200", "401", "403", "404", "429", "500")
_OTHER = {"description": "Refused. The vendor documents neither the status nor the body."}

# What these hold against a server is the sandbox's own decision.
_DECIDED = {"unsupported_method", "allow_header_conformance", "negative_data_rejection", "missing_required_header"}


def documented(contract: Contract) -> Contract:
    """Return the contract without what the sandbox decided about statuses and headers."""
    bundle = copy.deepcopy(dict(contract.bundle))
    for operation in _operations(bundle):
        kept = {status: each for status, each in operation["responses"].items() if status in _STATUSES}
        operation["responses"] = {**kept, "4XX": _OTHER}
    for response in bundle["components"].get("responses", {}).values():
        response.pop("headers", None)
    return replace(contract, bundle=bundle)


def without(contract: Contract, operations: Collection[str]) -> Contract:
    """Return the contract without some operations, and without the links to them."""
    bundle = copy.deepcopy(dict(contract.bundle))
    for path, item in list(bundle["paths"].items()):
        for name in METHODS & set(item):
            if item[name]["operationId"] in operations:
                del item[name]
        if not METHODS & set(item):
            del bundle["paths"][path]
    for operation in _operations(bundle):
        for response in operation["responses"].values():
            for name in [name for name, spec in response.get("links", {}).items() if spec["operationId"] in operations]:
                del response["links"][name]
    return replace(contract, bundle=bundle)


def judged(findings: Collection[Finding]) -> list[Finding]:
    """Return the findings that any server can be held to."""
    return [finding for finding in findings if finding.check not in _DECIDED]


def _operations(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [item[name] for item in bundle["paths"].values() for name in METHODS & set(item)]
