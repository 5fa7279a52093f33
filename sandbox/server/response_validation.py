"""Holds what the server itself is about to say against the contract."""

from __future__ import annotations

import logging

import orjson

from sandbox.contract import Validator, Violation, decode
from sandbox.contract.pieces import accept_in_pieces, decode_in_pieces
from sandbox.contract.validation import summary
from sandbox.errors import InternalError

log = logging.getLogger("sandbox")

# A file holds what came in as bodies, and some levels above it.
MAX_FILE_DEPTH = 200


def validate_response(schema: Validator, body: bytes, what: str) -> bytes:
    """Return an answer's bytes, held against the contract.

    Raises:
        InternalError: the answer drifts from the contract, which is a fault of the sandbox.
    """
    if schema.is_valid(orjson.loads(body)):
        return body
    raise _drift(schema.violations(decode(body)), what)


def validate_large_response(schema: Validator, body: bytes, what: str) -> None:
    """Hold a large answer against the contract, for a thread beside the event loop.

    Raises:
        InternalError: the answer drifts from the contract, which is a fault of the sandbox.
    """
    if violations := accept_in_pieces(schema, decode_in_pieces(body, MAX_FILE_DEPTH)):
        raise _drift(violations, what)


def _drift(violations: list[Violation], what: str) -> InternalError:
    drift = summary(violations)
    log.error("the answer of %s breaks the contract: %s", what, drift)
    return InternalError(f"The sandbox's own answer breaks the contract: {drift}.")
