"""Finds whole numbers written as fractions (`2.0`, `2e0`, `1E2`) where a schema says integer.

For a schema these are integers; for our code a float is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

# Beyond it a float stands for several integers.
MAX_EXACT_INTEGER = 2**53


class IntegerFinder:
    """Walks values beside one schema, only where the schema can lead to an integer.

    `resolve` follows a schema's `$ref`, `check_for` makes a check of a part of the schema: of a choice, only the
    branches that a value keeps say anything about it.
    """

    def __init__(
        self, schema: Schema, resolve: Callable[[Schema], Schema], check_for: Callable[[Schema], Callable[[Any], bool]]
    ) -> None:
        self._schema = schema
        self._resolve = resolve
        self._check_for = check_for
        # By the id of a part of the schema, which lives as long as the schema.
        self._known: dict[int, bool] = {}
        self._checks: dict[int, Callable[[Any], bool]] = {}

    def find(self, value: Any) -> Sequence[Path]:
        """Return the places of a valid value at which a float stands for an integer."""
        return list(dict.fromkeys(self._find(self._schema, value)))

    @property
    def is_needed(self) -> bool:
        """Whether the schema can lead to an integer at all."""
        return self._has_integer(self._schema)

    def _find(self, schema: Schema, value: Any) -> Iterator[Path]:
        if isinstance(value, float):
            if abs(value) <= MAX_EXACT_INTEGER and _says_integer(schema):
                yield ()
        elif isinstance(value, dict):
            for name, below in _schemas_of_fields(schema, value):
                yield from self._find_below(name, below, value[name])
        elif isinstance(value, list):
            for index, (below, item) in enumerate(zip(_schemas_of_items(schema, len(value)), value, strict=True)):
                yield from self._find_below(index, below, item)
        for other in self._in_place(schema, value):
            yield from self._find(other, value)

    def _find_below(self, step: str | int, schema: Any, value: Any) -> Iterator[Path]:
        if self._has_integer(schema):
            yield from ((step, *path) for path in self._find(schema, value))

    def _in_place(self, schema: Schema, value: Any) -> Iterator[Schema]:
        """Yield what else is said of the same value."""
        if "$ref" in schema:
            yield self._resolve(schema)
        yield from filter(self._has_integer, schema.get("allOf", ()))
        for branch in filter(self._has_integer, (*schema.get("anyOf", ()), *schema.get("oneOf", ()))):
            if self._is_valid(branch, value):
                yield branch
        for name, wanted in (("then", True), ("else", False)):
            if self._has_integer(schema.get(name)) and self._is_valid(schema["if"], value) is wanted:
                yield schema[name]

    def _is_valid(self, branch: Schema, value: Any) -> bool:
        check = self._checks.get(id(branch))
        if check is None:
            check = self._checks[id(branch)] = self._check_for(branch)
        return check(value)

    def _has_integer(self, schema: Any) -> bool:
        """Say whether an integer can stand at a schema or below it."""
        if not isinstance(schema, dict):
            return False
        known = self._known.get(id(schema))
        if known is None:
            known = self._known[id(schema)] = self._search_integer(schema, set())
        return known

    def _search_integer(self, node: Any, seen: set[int]) -> bool:
        if isinstance(node, list):
            return any(self._search_integer(child, seen) for child in node)
        if not isinstance(node, dict) or id(node) in seen:
            return False
        seen.add(id(node))
        if _says_integer(node) or ("$ref" in node and self._search_integer(self._resolve(node), seen)):
            return True
        return any(self._search_integer(child, seen) for child in node.values())


def _says_integer(schema: Schema) -> bool:
    wanted = schema.get("type")
    return wanted == "integer" or (isinstance(wanted, list) and "integer" in wanted and "number" not in wanted)


def _schemas_of_fields(schema: Schema, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a schema says of the fields of an object."""
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    yield from ((name, below) for name, below in properties.items() if name in value)
    if not patterns and not isinstance(schema.get("additionalProperties"), dict):
        return
    for name in value:
        matching = [below for pattern, below in patterns.items() if re.search(pattern, name)]
        yield from ((name, below) for below in matching)
        if not matching and name not in properties:
            yield name, schema.get("additionalProperties")


def _schemas_of_items(schema: Schema, length: int) -> Sequence[Any]:
    """Return what a schema says of each item of an array."""
    first = schema.get("prefixItems", [])[:length]
    return [*first, *[schema.get("items")] * (length - len(first))]
