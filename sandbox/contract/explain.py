"""Words for a fault: its stable code and what the schema expected, made from one error of `jsonschema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

# docs/contract.md 4.2
_CODES = {
    "type": "wrong_type",
    "required": "missing",
    "minLength": "too_short",
    "minItems": "too_short",
    "minProperties": "too_short",
    "maxLength": "too_long",
    "maxItems": "too_long",
    "maxProperties": "too_long",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "exclusiveMinimum": "out_of_range",
    "exclusiveMaximum": "out_of_range",
}
_LENGTHS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} fields",
    "maxProperties": "at most {} fields",
}


def code_of(keyword: object) -> str:
    """Return the stable word for a fault of this schema keyword."""
    return _CODES.get(str(keyword), "not_allowed")


def expectation(error: ValidationError) -> str:
    """Say what the schema wanted at the place of the fault."""
    keyword, schema = str(error.validator), error.schema
    wanted: Any = error.validator_value
    if isinstance(schema, dict) and "x-expected" in schema and keyword in ("pattern", "not"):
        return str(schema["x-expected"])
    if keyword == "type":
        return _types(wanted)
    if keyword == "const":
        return _literal(wanted)
    if keyword == "enum":
        return " or ".join(_literal(value) for value in wanted)
    if keyword in _LENGTHS:
        text = _LENGTHS[keyword].format(f"{wanted:,}")
        return text.removesuffix("s") if wanted == 1 else text
    if code_of(keyword) == "out_of_range" and isinstance(schema, dict):
        return span(schema)
    if keyword == "uniqueItems":
        return "items that all differ"
    if keyword == "pattern":
        return f"a string that matches {wanted}"
    return error.message


def hint(error: ValidationError) -> str:
    """Say what was probably meant by a number that is too large; mostly nothing."""
    number: Any = error.instance
    if error.validator != "maximum" or not isinstance(error.schema, dict) or "x-hint-thousandfold" not in error.schema:
        return ""
    return f" ({error.schema['x-hint-thousandfold']})" if number <= error.schema["maximum"] * 1_000 else ""


def shorten(text: str, most: int) -> str:
    """Cut a text that is longer than `most` characters, and show that it was."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _types(wanted: str | list[str]) -> str:
    return wanted if isinstance(wanted, str) else " or ".join(wanted)


def span(schema: Mapping[str, Any]) -> str:
    """Say which numbers a schema takes."""
    bounds = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    kind = _types(schema.get("type", "number"))
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']:,} to {schema['maximum']:,}"
    return f"{kind} of " + " and ".join(f"{words} {schema[name]:,}" for name, words in bounds.items() if name in schema)


def _literal(value: Any) -> str:
    return orjson.dumps(value).decode()
