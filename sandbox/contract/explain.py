"""Explains a violation: finds it with `jsonschema`, and names its stable code and what the schema expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

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
    """Return the stable code for a violation of this schema keyword."""
    return _CODES.get(str(keyword), "not_allowed")


def expectation(error: ValidationError) -> str:
    """Describe what the schema expected at the place of the error."""
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
    """Return a hint for a number that is too large, mostly empty."""
    number: Any = error.instance
    if error.validator != "maximum" or not isinstance(error.schema, dict) or "x-hint-thousandfold" not in error.schema:
        return ""
    return f" ({error.schema['x-hint-thousandfold']})" if number <= error.schema["maximum"] * 1_000 else ""


def shorten(text: str, limit: int) -> str:
    """Shorten a text to at most `limit` characters, with `…` at its end."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _types(wanted: str | list[str]) -> str:
    return wanted if isinstance(wanted, str) else " or ".join(wanted)


def span(schema: Mapping[str, Any]) -> str:
    """Describe the numbers that a schema accepts."""
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


def make_explainer(schema: Mapping[str, Any]) -> Validator:
    """Return the `jsonschema` validator of a schema; patterns work as in ECMA-262, as JSON Schema says."""
    # Imported late: it takes longer to load than the rest of the server, and a valid request never needs it.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    made: Validator = extend(Draft202012Validator, {"pattern": _pattern})(schema)  # type: ignore[no-untyped-call]
    return made


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # To Python a `$` also fits before a last line feed.
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern))
