"""The checks of a request and of its response, each a function of what it looks at; `pipeline.py` puts them in order.

What fails is an `ApiError`; the sentences are ours, the types and statuses the contract's (docs/contract.md 4).
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from sandbox.contract import Document, InvalidJson, Operation, Validator, Violation, decode
from sandbox.contract.explain import shorten, span
from sandbox.contract.json import MAX_DEPTH
from sandbox.contract.operations import MAX_BYTES
from sandbox.contract.pieces import decode_in_pieces, validate_in_pieces
from sandbox.contract.validation import summarize
from sandbox.errors import (
    AccessDenied,
    BrokenContract,
    InvalidApiKey,
    InvalidRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)

log = logging.getLogger("sandbox")

HeaderMap = Mapping[bytes, bytes]

_JSON = ("application/json",)
_KEY = re.compile(r"sk_(?:live|test)_[A-Za-z0-9_-]{1,200}")
# How many bytes a header or query may have to be cached: a thousand that a client makes up don't fill the memory.
_MAX_CACHED = 1_000
_INTEGER = re.compile(r"0|[1-9][0-9]*")
# Commas and opening brackets that a large body may have: a snapshot has one in some 20 bytes. Each may be a value,
# which takes 50 times the memory of its one or two bytes.
_MAX_MARKS = 5_000_000
# A file holds what came in as bodies, and some levels above it.
_MAX_FILE_DEPTH = 200


def parse_api_key(headers: HeaderMap) -> str:
    """Return the API key of a request (docs/contract.md 1.2). The key is never echoed."""
    header = headers.get(b"authorization")
    if header is None:
        raise InvalidApiKey("No API key: send it as `Authorization: Bearer sk_test_…`.")
    return _parse_key(header) if len(header) <= _MAX_CACHED else _parse_key.__wrapped__(header)


@lru_cache(maxsize=1_024)
def _parse_key(header: bytes) -> str:
    scheme, _, token = header.decode("latin-1").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer":
        raise InvalidApiKey("The Authorization header needs the scheme Bearer: `Authorization: Bearer sk_test_…`.")
    if token.startswith("pk_"):
        raise InvalidApiKey("Publishable keys (pk_…) can't call this API; use a secret key (sk_…).")
    if not _KEY.fullmatch(token):
        raise InvalidApiKey("The API key is not well formed: expected sk_test_ or sk_live_ and 1 to 200 characters.")
    return token


def is_secret(sent: bytes, expected: str) -> bool:
    """Compare in a time that tells nothing of how much fits."""
    return hmac.compare_digest(sent, expected.encode())


def check_fault_token(headers: HeaderMap, token: str) -> None:
    """Refuse a fault that a request asks for without the control token, where one is asked for."""
    if not is_secret(headers.get(b"sandbox-control-token", b""), token):
        raise AccessDenied(
            "Sandbox-Fault: it needs the control token beside it: `Sandbox-Control-Token: <control token>`.",
            param="Sandbox-Fault",
        )


def check_media_type(headers: HeaderMap, accepted: Collection[str] = _JSON) -> None:
    """Refuse a body of a media type that is not accepted, or one that is encoded (docs/contract.md 4.4)."""
    content_type = headers.get(b"content-type", b"application/json")
    essence = content_type.split(b";")[0].strip().lower().decode("latin-1")
    if essence not in accepted:
        came = essence[:80] or "nothing"
        raise UnsupportedMediaType(f"Content-Type: expected {' or '.join(accepted)}, got {came}.")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise UnsupportedMediaType("Content-Encoding: expected none, the body must come as it is.")


def parse_body(raw: bytes, max_depth: int = MAX_DEPTH) -> Document:
    """Parse a body."""
    try:
        return decode(raw, max_depth)
    except InvalidJson as error:
        raise InvalidRequest(f"{error}.", code=error.code) from None


def parse_large_body(raw: bytes, max_depth: int) -> Document:
    """Parse a body that may be large, for a thread beside the event loop."""
    if len(raw) <= MAX_BYTES:
        return parse_body(raw, max_depth)
    if sum(map(raw.count, (b",", b"[", b"{"))) > _MAX_MARKS:
        raise PayloadTooLarge(f"The body has more than {_MAX_MARKS:,} values.")
    try:
        return decode_in_pieces(raw, max_depth)
    except InvalidJson as error:
        raise InvalidRequest(f"{error}.", code=error.code) from None


def validate_body(schema: Validator, body: Document) -> None:
    """Hold a body against its schema; one that may be large in pieces, for a thread beside the event loop."""
    raise_violations(schema.validate(body) if len(body.raw) <= MAX_BYTES else validate_in_pieces(schema, body))


def validate_parameters(operation: Operation, path: Mapping[str, str], query_string: bytes) -> Mapping[str, Any]:
    """Hold path and query against the contract; return the query's values, defaults filled in."""
    if not operation.path_schema.is_valid(path):
        raise_violations(operation.path_schema.violations(Document(b"", path)))
    if not operation.query_parameters:
        return {}
    read = _parse_query if len(query_string) <= _MAX_CACHED else _parse_query.__wrapped__
    return read(operation, query_string)


@lru_cache(maxsize=1_024)
def _parse_query(operation: Operation, query_string: bytes) -> Mapping[str, Any]:
    sent = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    values: dict[str, Any] = {}
    faults: list[Violation] = []
    for name, kind in operation.query_parameters.items():
        texts = [value for key, value in sent if key == name]
        if len(texts) > 1:
            faults.append(Violation((name,), "repeated", "one value", f"{len(texts)} of them"))
        elif texts and kind == "integer":
            fault = _integer_fault(name, texts[0], operation.query_schema.properties[name])
            if fault:
                faults.append(fault)
            else:
                values[name] = int(texts[0])
        elif texts:
            values[name] = texts[0]
    faults += operation.query_schema.violations(Document(b"", values))
    names = list(operation.query_parameters)
    raise_violations(sorted(faults, key=lambda fault: names.index(str(fault.path[0]))))
    for name, schema in operation.query_schema.properties.items():
        if "default" in schema:
            values.setdefault(name, schema["default"])
    return values


def _integer_fault(name: str, text: str, schema: Mapping[str, Any]) -> Violation | None:
    """Say what is wrong with a text that should be an integer (docs/contract.md 4.8); the schema checks its range."""
    if not _INTEGER.fullmatch(text):
        return Violation((name,), "wrong_type", "integer in plain digits", repr(text[:60]))
    # Too long a number for any range, and for the integers of JSON libraries.
    return Violation((name,), "out_of_range", span(schema), shorten(text, 60)) if len(text) > 18 else None


def raise_violations(violations: list[Violation]) -> None:
    """Raise the answer to a request that breaks the schema, if there are violations."""
    if violations:
        first = violations[0]
        raise InvalidRequest(f"{summarize(violations)}.", param=first.place or None, code=first.code)


def validate_response(schema: Validator, body: bytes, what: str) -> bytes:
    """Check a response against the contract; return its bytes.

    Raises:
        BrokenContract: the response breaks the contract, which is a fault of the sandbox.
    """
    if schema.is_valid(orjson.loads(body)):
        return body
    raise _broken_contract(schema.violations(decode(body)), what)


def validate_large_response(schema: Validator, body: bytes, what: str) -> None:
    """Check a large response against the contract, for a thread beside the event loop.

    Raises:
        BrokenContract: the response breaks the contract, which is a fault of the sandbox.
    """
    if violations := validate_in_pieces(schema, decode_in_pieces(body, _MAX_FILE_DEPTH)):
        raise _broken_contract(violations, what)


def _broken_contract(violations: list[Violation], what: str) -> BrokenContract:
    problem = summarize(violations)
    log.error("the answer of %s breaks the contract: %s", what, problem)
    return BrokenContract(f"The sandbox's own answer breaks the contract: {problem}.")
