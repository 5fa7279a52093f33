"""The documents that are served, as generators and validators read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs import examples
from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from sandbox.contract.validation import Validator
from tests.contract.documents import at, nodes
from tests.contract.strategies import near

CONTROL = load(control_folder())
SERVED = {
    "api": json.loads(load().document("3.1.0")),
    "api for 3.2": json.loads(load().document("3.2.0")),
    "control": json.loads(CONTROL.document("3.1.0")),
}
# Names that generators, or the languages that they write, have for things of their own.
TAKEN = {"Response", "Request", "Error", "Exception", "ApiError", "ApiException", "ApiResponse", "ApiClient", "Object"}


@pytest.fixture(params=SERVED)
def document(request: pytest.FixtureRequest) -> Any:
    return SERVED[request.param]


def schemas(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object below the components' schemas and the paths, with its place."""
    for part in ("paths", "webhooks", "components"):
        yield from nodes(document.get(part, {}), part)


def test_every_object_with_fields_is_a_component(document: Any) -> None:
    found = [path for path, node in schemas(document) if isinstance(node.get("properties"), dict)]
    whole = {f"components/schemas/{name}" for name in document["components"]["schemas"]}
    assert [path for path in found if path not in whole and not path.endswith(("/if", "/properties"))] == []


def test_no_component_is_a_mere_reference_or_unused_or_takes_a_name_of_the_generators(document: Any) -> None:
    components = document["components"]["schemas"]
    used = {node["$ref"] for _, node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert [name for name in components if f"#/components/schemas/{name}" not in used] == []
    assert [name for name, schema in components.items() if "$ref" in schema] == []
    assert TAKEN & set(components) == set()


def resolved(document: Any, schema: Any) -> Any:
    return at(document, schema["$ref"][1:]) if "$ref" in schema else schema


def test_a_choice_tells_its_components_apart(document: Any) -> None:
    choices = [(path, node) for path, node in schemas(document) if "oneOf" in node or "anyOf" in node]
    bare = [(path, node) for path, node in choices if not {"discriminator", "anyOf"} & node.keys()]
    types = {path: [resolved(document, each).get("type") for each in node["oneOf"]] for path, node in bare}
    assert {path: names for path, names in types.items() if None in names or len({*names}) < len(names)} == {}
    for _, node in choices:
        if "discriminator" in node:
            field, mapping = node["discriminator"]["propertyName"], node["discriminator"]["mapping"]
            assert list(dict.fromkeys(mapping.values())) == [each["$ref"] for each in node["oneOf"]]
            assert all(field in at(document, reference[1:])["required"] for reference in mapping.values())


def test_nothing_is_there_that_generators_make_wrong_code_of(document: Any) -> None:
    fixed = [(path, node) for path, node in schemas(document) if {"const", "default"} <= set(node)]
    assert [path for path, node in fixed if not isinstance(node["const"], str)] == []
    unions = [(path, node) for path, node in schemas(document) if isinstance(node.get("type"), list)]
    assert [
        path for path, node in unions if len({*node["type"]} - {"null"}) > 1 and node.get("default") is not None
    ] == []
    assert [path for path, node in schemas(document) if node.get("type") == "array" and "items" not in node] == []
    assert "jsonSchemaDialect" not in document


@pytest.mark.clause("6.1", "6.2", "4.10")
def test_a_stream_is_a_text_in_3_1_and_has_items_in_3_2() -> None:
    path = "/paths/~1apps~1{app_id}~1conversations~1{conversation_id}/post/responses/200/content/text~1event-stream"
    plain, items = at(SERVED["api"], path), at(SERVED["api for 3.2"], path)
    assert (plain["schema"]["type"], "itemSchema" in plain) == ("string", False)
    event = at(SERVED["api for 3.2"], items["itemSchema"]["$ref"][1:])["properties"]
    assert event["data"]["contentSchema"] == {"$ref": "#/components/schemas/StreamEvent"}
    for document in (SERVED["api"], SERVED["api for 3.2"]):
        union = document["components"]["schemas"]["StreamEvent"]["discriminator"]
        assert (union["propertyName"], list(union["mapping"])) == ("type", event["event"]["enum"])
    assert [SERVED[name]["openapi"] for name in SERVED] == ["3.1.0", "3.2.0", "3.1.0"]


@pytest.mark.clause("4.10")
def test_the_examples_are_what_app_demo_answers() -> None:
    """Those of a server with default settings, frozen at `docs.examples.NOW`; `python -m docs.generate` makes them."""
    described = load().bundle["components"]["examples"]
    expected = {
        name: described[name].get("value", described[name].get("serializedValue")) for name in examples.REQUESTS
    }
    assert expected == examples.answers()
    assert examples.described()["conversation_id"] == expected["ConversationPage"]["first_id"]


def test_the_examples_of_an_answer_are_of_its_status() -> None:
    names = {
        name
        for _, node in nodes(load().bundle["paths"] | {"shared": load().bundle["components"]["responses"]})
        for media in node.get("content", {}).values()
        if "description" in node and "required" not in node
        for name in media["examples"]
    }
    assert names == set(examples.REQUESTS)


def _validators(contract: Contract, title: str) -> tuple[Validator, Validator]:
    published = Validator({"$ref": f"#/components/schemas/{title}"}, SERVED["control"]["components"])
    return contract.schema(title), published


CONDITIONAL = ["Fault", "ScriptedItem", "FormField", "JsonPatchOperation"]


@pytest.mark.parametrize("title", CONDITIONAL)
@given(data=st.data())
def test_a_choice_takes_what_its_conditions_take(title: str, data: st.DataObject) -> None:
    """The document takes what the law takes, but wants a field's type; `ms` or `until` it leaves to the description."""
    validator, published = _validators(CONTROL, title)
    value = data.draw(near(CONTROL.bundle["components"]["schemas"][title]["examples"]))
    if "label" not in str(value):
        assert published.is_valid(value) >= validator.is_valid(value)
    if not {"latency", "stream_stall"} & set(str(value).split("'")):
        assert published.is_valid(value) <= validator.is_valid(value)
