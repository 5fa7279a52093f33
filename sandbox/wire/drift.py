"""Holds what the server itself is about to say against the contract."""

from __future__ import annotations

import logging

import orjson

from sandbox.contract import Validator, decode
from sandbox.contract.validation import summary
from sandbox.errors import InternalError

log = logging.getLogger("sandbox")


def keeping(schema: Validator, body: bytes, what: str) -> bytes:
    """Return an answer's bytes, held against the contract.

    Raises:
        InternalError: the answer drifts from the contract, which is a fault of the sandbox.
    """
    if schema.is_valid(orjson.loads(body)):
        return body
    drift = summary(schema.violations(decode(body)))
    log.error("the answer of %s breaks the contract: %s", what, drift)
    raise InternalError(f"The sandbox's own answer breaks the contract: {drift}.")
