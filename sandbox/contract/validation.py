"""Validates a value against a schema and explains the violations.

`jsonschema-rs` says yes or no. Only after a no `jsonschema`, which is slow, finds the violations. A property test
compares the two, so both apply the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs
import orjson

from sandbox.contract.explain import code_of, expectation, hint, make_explainer, shorten
from sandbox.contract.integers import IntegerFinder
from sandbox.contract.json import Document, encode

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator as Explainer

# A violation costs 15 microseconds; beyond this number they are not counted.
MAX_VIOLATIONS = 1_000

Path = tuple[str | int, ...]


class Violation(NamedTuple):
    """One violation: its place, its stable code, what was expected and what came (None: nothing)."""

    path: Path
    code: str
    expected: str
    got: str | None

    @property
    def place(self) -> str:
        """The dotted path (`message.parts[0].text`), empty for the whole value."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return shorten(text, 200)

    def __str__(self) -> str:
        what = f"expected {self.expected}, got {self.got}" if self.got is not None else f"required, {self.expected}"
        return f"{self.place}: {what}" if self.path else what


class Validator:
    """One schema, compiled on first use."""

    def __init__(self, schema: Mapping[str, Any], components: Mapping[str, Any]) -> None:
        self._schema = schema
        self._components = components

    def is_valid(self, value: Any) -> bool:
        """Say whether a value is valid, apart from byte limits."""
        try:
            return self._compiled.is_valid(value)
        except ValueError:  # it holds exact numbers, which the validator does not know
            return self._compiled.is_valid(orjson.loads(encode(value)))

    def validate(self, document: Document) -> list[Violation]:
        """Return the violations of a document; make integers of a valid one's floats where the schema says integer.

        A whole number may be spelled `2.0` or `2e0`: from here on it is 2.
        """
        violations = self.violations(document)
        if self._integers and not violations:
            document.make_integers(self._integers.find(document.value))
        return violations

    def violations(self, document: Document) -> list[Violation]:
        """Return the violations of a document, in the schema's order."""
        too_large = [] if document.size <= self._least_limit else list(self._too_large(document))
        if not too_large and self.is_valid(document.value):
            return []
        return sorted([*self._explain(document.value), *too_large], key=lambda violation: self._rank(violation.path))

    @cached_property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of the top-level properties."""
        resolved: Mapping[str, Any] = self._resolve(self._schema).get("properties", {})
        return {name: self._resolve(schema) for name, schema in resolved.items()}

    @cached_property
    def elements(self) -> Mapping[str, Validator]:
        """The schemas of the elements of its lists, by the name of the list, for lists without any other rule."""
        plain = {"type", "items", "title", "description"}
        return {
            name: Validator(schema["items"], self._components)
            for name, schema in self.properties.items()
            if schema.get("type") == "array" and "items" in schema and not schema.keys() - plain
        }

    @cached_property
    def _compiled(self) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for(
            {**self._schema, "components": referenced_components(self._schema, self._components)}
        )

    @cached_property
    def _integers(self) -> IntegerFinder | None:
        """What finds integers; None where the schema has no integer, as for most requests."""
        finder = IntegerFinder(self._schema, self._resolve, lambda branch: Validator(branch, self._components).is_valid)
        return finder if finder.is_needed else None

    @cached_property
    def _byte_limits(self) -> dict[str, int]:
        return {name: schema["x-max-bytes"] for name, schema in self.properties.items() if "x-max-bytes" in schema}

    @cached_property
    def _least_limit(self) -> int:
        return min(self._byte_limits.values(), default=2**63)

    @cached_property
    def _explainer(self) -> Explainer:
        return make_explainer({**self._schema, "components": self._components})

    def _too_large(self, document: Document) -> Iterator[Violation]:
        values = document.value if isinstance(document.value, dict) else {}
        for name, limit in self._byte_limits.items():
            # Compact JSON is never longer than what was sent.
            if document.size > limit and isinstance(values.get(name), dict):
                size = len(encode(document.exact[name]))
                if size > limit:
                    expected = f"at most {limit:,} bytes of compact JSON"
                    yield Violation((name,), "too_large", expected, f"{size:,} bytes")

    def _explain(self, value: Any) -> Iterator[Violation]:
        seen: set[Path] = set()
        for error in islice(self._explainer.iter_errors(value), MAX_VIOLATIONS):
            for violation in _violations(_most_specific(error)):
                if violation.path not in seen:
                    seen.add(violation.path)
                    yield violation

    def _rank(self, path: Path) -> list[int]:
        """Return a path's place in the schema's order of properties."""
        rank: list[int] = []
        schema: Mapping[str, Any] = self._schema
        for part in path:
            schema = self._resolve(schema)
            if isinstance(part, int):
                rank.append(part)
                schema = schema.get("items", {})
            else:
                names = list(schema.get("properties", {}))
                rank.append(names.index(part) if part in names else len(names))
                schema = schema.get("properties", {}).get(part, {})
        return rank

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        resolved: Mapping[str, Any] = dereference({"components": self._components}, schema)
        return resolved


def dereference(document: Mapping[str, Any], node: Any) -> Any:
    """Follow a reference inside the document."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def referenced_components(schema: Any, components: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the components that a schema refers to, directly or not: the compiler reads all that it gets."""
    found: dict[str, dict[str, Any]] = {}
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            _, _, place = str(node.get("$ref", "")).partition("#/components/")
            kind, name, *_ = [*place.split("/"), ""]
            if name and name not in found.setdefault(kind, {}):
                found[kind][name] = target = components[kind][name]
                pending.append(target)
    return found


def summarize(violations: Iterable[Violation], limit: int = 20) -> str:
    """Describe the first `limit` violations, in at most 4,000 characters (docs/contract.md 4.2)."""
    texts = [str(violation) for violation in violations]
    named = shorten("; ".join(texts[:limit]), 3_900)
    rest = len(texts) - limit
    if rest <= 0:
        return named
    count = f"{rest:,}" if len(texts) < MAX_VIOLATIONS else f"at least {rest:,}"
    return f"{named}; and {count} more"


def _most_specific(error: ValidationError) -> ValidationError:
    """Return the most specific error: in a choice of schemas, that of the branch that fits best."""
    while error.context:
        deepest = max(len(child.absolute_path) for child in error.context)
        error = next(child for child in error.context if len(child.absolute_path) == deepest)
    return error


def _violations(error: ValidationError) -> Iterator[Violation]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "required":
        names: Any = error.validator_value
        present: Any = error.instance
        for name in names:
            if name not in present:
                yield Violation((*path, name), "missing", "missing", None)
    elif error.validator == "additionalProperties" and error.validator_value is False:
        known: Any = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        extras: Any = error.instance
        for name in extras:
            if name not in known:
                expected = f"no such field, only {', '.join(known)}"
                yield Violation((*path, name), "not_allowed", expected, _short(extras[name]))
    else:
        yield Violation(path, code_of(error.validator), expectation(error), _short(error.instance) + hint(error))


def _short(value: Any) -> str:
    try:
        return shorten(encode(value).decode(), 60)
    except TypeError:  # an integer beyond 64 bits, as a configuration file may hold
        return shorten(repr(value), 60)
