"""The validator of `jsonschema` that finds faults; it reads patterns as JSON Schema means them (ECMA-262)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


def explainer(schema: Mapping[str, Any]) -> Validator:
    """Return what finds the faults of values under a schema."""
    # Imported late: it takes longer to load than the rest of the server, and a good request never needs it.
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
