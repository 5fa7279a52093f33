"""One law, not two: `jsonschema-rs` says no exactly where `jsonschema` finds a fault, and every no is explained."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.protocols import Validator as Explainer

from sandbox.contract import Document, Validator, Violation, decode, load
from sandbox.contract.document import control_folder
from sandbox.contract.explain import make_explainer
from sandbox.contract.validation import summarize
from tests.contract.strategies import changes, near
from tests.support.requirements import DEMANDS_ALL, examples

CONTRACTS = {"api": load(), "control": load(control_folder())}
SCHEMAS = [
    (name, title) for name, contract in CONTRACTS.items() for title in contract.bundle["components"].get("schemas", {})
]


def read(value: Any) -> Document:
    """Return a value as the sandbox has it once it has come over the wire."""
    return decode(json.dumps(value).encode())


@cache
def validators(name: str, title: str) -> tuple[Validator, Explainer, list[Any]]:
    """Return a schema twice, as what says yes or no reads it and as what explains does, and its examples."""
    components = CONTRACTS[name].bundle["components"]
    reference = make_explainer({"$ref": f"#/components/schemas/{title}", "components": components})
    return CONTRACTS[name].schema(title), reference, components["schemas"][title]["examples"]


# To explain takes longer than to decide: of the 23,000 documents so many are looked at a second time, spread over all.
EVERY = 1 if DEMANDS_ALL else 5


@pytest.mark.clause("4.2")
def test_one_says_no_exactly_where_the_other_explains_it(subtests: pytest.Subtests) -> None:
    for name, title in SCHEMAS:
        with subtests.test(name=name, title=title):
            ours, reference, examples = validators(name, title)
            # Many changes come to the same document.
            written = dict.fromkeys(json.dumps(changed) for example in examples for changed in changes(example))
            taken, refused = list[Document](), list[Document]()
            for document in (decode(text.encode()) for text in written):
                (taken if ours.is_valid(document.value) else refused).append(document)
            assert [each.value for each in taken[::EVERY] if not reference.is_valid(each.value)] == []
            assert [each.value for each in refused[::EVERY] if not ours.violations(each)] == []


@pytest.mark.parametrize(("name", "title"), SCHEMAS)
@settings(max_examples=examples(15, quick=3))
@given(data=st.data())
def test_both_validators_agree_on_what_almost_fits(name: str, title: str, data: st.DataObject) -> None:
    ours, reference, examples = validators(name, title)
    document = read(data.draw(near(examples)))
    assert ours.is_valid(document.value) == reference.is_valid(document.value) == (not ours.violations(document))


@pytest.mark.parametrize("operation", [op.id for op in CONTRACTS["api"].operations])
@settings(max_examples=examples(30, quick=10))
@given(
    user=st.text(max_size=3) | st.just("x" * 1_001),
    limit=st.integers(-1, 102),
    order=st.sampled_from(["asc", "", "ASC"]),
)
def test_parameters_have_one_law_too(operation: str, user: str, limit: int, order: str) -> None:
    op = next(op for op in CONTRACTS["api"].operations if op.id == operation)
    path = read({"app_id": "app_x", "external_user_id": user, "conversation_id": user})
    query = read({"limit": limit, "order": order})
    assert bool(op.path_schema.violations(path)) == (not op.path_schema.is_valid(path.value))
    assert bool(op.query_schema.violations(query)) == (not op.query_schema.is_valid(query.value))


def validator(**schema: Any) -> Validator:
    return Validator(schema, {})


def faults(schema: dict[str, Any], value: Any) -> list[Violation]:
    return validator(**schema).violations(read(value))


# Each row: what the schema says of the field `f`, a value that breaks it, the code and the sentence.
SENTENCES = [
    ({"type": "string"}, 5, "wrong_type", "f: expected string, got 5"),
    ({"type": ["string", "null"]}, [1], "wrong_type", "f: expected string or null, got [1]"),
    ({"type": "integer"}, True, "wrong_type", "f: expected integer, got true"),
    ({"type": "integer"}, 1.5, "wrong_type", "f: expected integer, got 1.5"),
    ({"const": "user"}, "bot", "not_allowed", 'f: expected "user", got "bot"'),
    ({"enum": ["asc", "desc"]}, "up", "not_allowed", 'f: expected "asc" or "desc", got "up"'),
    ({"minLength": 1}, "", "too_short", 'f: expected at least 1 character, got ""'),
    ({"maxLength": 1_000}, "x" * 1_001, "too_long", "f: expected at most 1,000 characters, got "),
    ({"maxItems": 1}, [1, 2], "too_long", "f: expected at most 1 item, got [1,2]"),
    ({"minimum": 1, "maximum": 100, "type": "integer"}, 0, "out_of_range", "f: expected integer from 1 to 100, got 0"),
    ({"minimum": 1}, 0, "out_of_range", "f: expected number of at least 1, got 0"),
    ({"maximum": 1}, 2, "out_of_range", "f: expected number of at most 1, got 2"),
    ({"pattern": "^#"}, "red", "not_allowed", 'f: expected a string that matches ^#, got "red"'),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "wrong_type", "f: expected string, got 5"),
]


@pytest.mark.clause("4.2")
def test_a_fault_says_where_what_was_expected_and_what_came(subtests: pytest.Subtests) -> None:
    for schema, value, code, sentence in SENTENCES:
        with subtests.test(schema=schema, value=value, code=code, sentence=sentence):
            [fault] = faults({"properties": {"f": schema}}, {"f": value})
            assert fault.place == "f"
            assert fault.code == code
            assert str(fault).startswith(sentence)


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("value", "place"),
    [({"a": {}}, "a.b"), ({"a": {"b": [1, "x", 3]}}, "a.b[1]"), ({"a": 5}, "a"), ({}, "a"), ([], "")],
)
def test_the_place_is_a_dotted_path(value: Any, place: str) -> None:
    numbers = {"type": "array", "items": {"type": "number"}}
    inner = {"type": "object", "properties": {"b": numbers}, "required": ["b"]}
    [fault] = faults({"type": "object", "properties": {"a": inner}, "required": ["a"]}, value)
    assert fault.place == place


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(("count", "rest"), [(20, None), (21, "and 1 more"), (100, "and 80 more")])
def test_twenty_faults_are_named(count: int, rest: str | None) -> None:
    text = summarize(faults({"items": {"type": "string"}}, [5] * count))
    assert text.count("expected string, got 5") == 20
    assert text.endswith(rest or "got 5")


@pytest.mark.clause("4.2")
def test_long_names_and_values_are_shortened() -> None:
    value = {f"{'k' * 10_000}{number}": "v" * 10_000 for number in range(50)}
    text = summarize(faults({"additionalProperties": {"type": "integer"}}, value))
    assert len(text) <= 4_000
    assert "…" in text
    assert text.endswith("and 30 more")


@pytest.mark.clause("5.2", "4.3")
@pytest.mark.parametrize(("size", "codes"), [(64, []), (65, ["too_large"])])
def test_a_limit_in_bytes_counts_compact_utf8(size: int, codes: list[str]) -> None:
    limited = {"properties": {"m": {"type": "object", "x-max-bytes": 64}}}
    sent = f'{{ "m" : {{ "k" : "\\u00e9{"x" * (size - 10)}" }} }}'.encode()
    assert [fault.code for fault in validator(**limited).violations(decode(sent))] == codes
