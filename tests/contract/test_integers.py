"""A whole number is an integer however it is spelled, where the schema says integer; all else keeps its spelling."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from sandbox.contract import Validator, decode, encode, load
from sandbox.contract.document import control_folder
from sandbox.contract.validation import referenced_components
from tests.contract.documents import nodes
from tests.contract.spellings import respelled

CONTRACTS = {"api": load(), "control": load(control_folder())}
SCHEMAS = [(name, title) for name in CONTRACTS for title in CONTRACTS[name].bundle["components"]["schemas"]]


@pytest.mark.clause("4.3")
def test_every_integer_of_every_schema_may_be_spelled_otherwise(subtests: pytest.Subtests) -> None:
    for (name, title), spelling in product(SCHEMAS, ["{}.0", "{}e0"]):
        with subtests.test(name=name, title=title, spelling=spelling):
            validator = CONTRACTS[name].schema(title)
            for example in CONTRACTS[name].bundle["components"]["schemas"][title]["examples"]:
                sent, expected = respelled(validator, example, spelling)
                document = decode(sent)
                assert validator.validate(document) == []
                assert encode(document.exact) == document.raw == expected


# Each row: a schema, what is sent, what is kept.
WAYS: dict[str, tuple[dict[str, Any], str, str]] = {
    "all of": ({"allOf": [{"properties": {"n": {"type": "integer"}}}]}, '{"n":1E2}', '{"n":100}'),
    "the branch that fits": (
        {"oneOf": [{"properties": {"n": {"type": "integer"}, "a": True}, "required": ["a"]}, {"required": ["b"]}]},
        '[{"a":0,"n":2.0},{"b":0,"n":2.0}]',
        '[{"a":0,"n":2},{"b":0,"n":2.0}]',
    ),
    "any of": ({"anyOf": [{"type": "string"}, {"properties": {"n": {"type": "integer"}}}]}, '{"n":2.0}', '{"n":2}'),
    "then": (
        {"if": {"required": ["a"]}, "then": {"properties": {"n": {"type": ["integer", "null"]}}}},
        '[{"a":0,"n":2.0},{"n":2.0}]',
        '[{"a":0,"n":2},{"n":2.0}]',
    ),
    "else": (
        {"if": {"required": ["a"]}, "else": {"properties": {"n": {"type": "integer"}}}},
        '[{"a":0,"n":2.0},{"n":2.0}]',
        '[{"a":0,"n":2.0},{"n":2}]',
    ),
    "patterns and other names": (
        {
            "properties": {"free": {}},
            "patternProperties": {"^x": {"type": "number"}},
            "additionalProperties": {"type": "integer"},
        },
        '{"free":2.0,"x":2.0,"other":2.0}',
        '{"free":2.0,"x":2.0,"other":2}',
    ),
    "first items": ({"prefixItems": [{"type": "integer"}, True]}, "[2.0,2.0,2.0]", "[2,2.0,2.0]"),
    "itself": (
        {"$ref": "#/components/schemas/Tree"},
        '{"n":2.0,"in":{"n":2e0,"in":{}}}',
        '{"n":2,"in":{"n":2,"in":{}}}',
    ),
    "more than a float holds": (
        {"items": {"type": "integer"}},
        "[1e300,9007199254740994.0]",
        "[1e300,9007199254740994.0]",
    ),
}
TREE = {"properties": {"n": {"type": "integer"}, "in": {"$ref": "#/components/schemas/Tree"}}}


@pytest.mark.parametrize(("schema", "sent", "expected"), WAYS.values(), ids=WAYS)
def test_an_integer_is_found_wherever_a_schema_can_say_it(schema: dict[str, Any], sent: str, expected: str) -> None:
    many = {"items": schema} if sent.startswith("[{") else schema
    document = decode(sent.encode())
    assert Validator(many, {"schemas": {"Tree": TREE}}).validate(document) == []
    assert encode(document.exact) == expected.encode()


def test_no_request_takes_an_integer_that_a_float_could_not_hold() -> None:
    unbounded = []
    for contract in CONTRACTS.values():
        components = contract.bundle["components"]
        bodies = [item for path, item in nodes(contract.bundle["paths"]) if path.endswith("/requestBody")]
        for kind, schemas in referenced_components(bodies, components).items():
            for place, schema in nodes(schemas, f"/{kind}"):
                kinds, bounds = schema.get("type"), [schema.get("maximum", 2**64), *schema.get("enum", [])]
                whole = isinstance(kinds, str | list) and "integer" in kinds and "const" not in schema
                if whole and min(bounds) >= 2**53:
                    unbounded.append(place)
    assert unbounded == []
