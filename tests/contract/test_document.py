"""The document and its files: whole, exemplified, and honest about what the sandbox decided."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sandbox.contract import Contract, load
from sandbox.contract.document import control_folder
from tests.contract.documents import at, nodes

CONTRACT, CONTROL = load(), load(control_folder())
BOTH = {"api": CONTRACT, "control": CONTROL}
FILES = {
    f"{name}/{file}": (contract, json.loads(raw))
    for name, contract in BOTH.items()
    for file, raw in contract.files.items()
    if file != "openapi.json"
}


def reference(contract: Contract, schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": contract.bundle["components"]})


def test_a_file_is_a_schema_that_names_itself(subtests: pytest.Subtests) -> None:
    for name in FILES:
        with subtests.test(name=name):
            _, schema = FILES[name]
            assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
            assert schema["$id"] == name.rsplit("/", 1)[1]
            assert schema["title"].isalnum()
            assert schema["description"]
            Draft202012Validator.check_schema(schema)


def test_a_file_has_examples_that_keep_it(subtests: pytest.Subtests) -> None:
    for name in FILES:
        with subtests.test(name=name):
            contract, schema = FILES[name]
            validator = reference(contract, {"$ref": f"#/components/schemas/{schema['title']}"})
            assert schema["examples"]
            assert [error.message for example in schema["examples"] for error in validator.iter_errors(example)] == []


def test_every_field_is_described(subtests: pytest.Subtests) -> None:
    for name in FILES:
        with subtests.test(name=name):
            _, schema = FILES[name]
            fields = [
                (f"{path}/properties/{field}", below)
                for path, node in nodes(schema)
                # a condition speaks of fields that are described where they are declared
                if not {"if", "then"} & set(path.split("/"))
                for field, below in node.get("properties", {}).items()
                # the two fields of a streamed event are what server-sent events are made of
                if field not in ("event", "data") or "contentSchema" not in str(node)
            ]
            assert [path for path, below in fields if not below.get("description")] == []


@pytest.mark.parametrize("name", BOTH)
def test_the_bundle_refers_to_nothing_outside_itself(name: str) -> None:
    bundle = BOTH[name].bundle
    references = {node["$ref"] for _, node in nodes(bundle) if isinstance(node.get("$ref"), str)}
    assert references
    assert all(at(bundle, ref.removeprefix("#")) for ref in references if ref.startswith("#/"))
    assert [ref for ref in references if not ref.startswith("#/")] == []


@pytest.mark.parametrize("name", BOTH)
def test_the_bundle_holds_every_file_under_its_title(name: str) -> None:
    titles = {schema["title"] for contract, schema in FILES.values() if contract is BOTH[name]}
    assert set(BOTH[name].bundle["components"]["schemas"]) == titles


@pytest.mark.parametrize("name", BOTH)
def test_examples_of_bodies_keep_their_schemas(name: str) -> None:
    contract = BOTH[name]
    media = [node for _, node in nodes(contract.bundle) if "schema" in node and "examples" in node]
    faults = []
    for body in media:
        validator = reference(contract, body["schema"])
        for example in body["examples"].values():
            value = (
                at(contract.bundle, example["$ref"].removeprefix("#"))["value"]
                if "$ref" in example
                else example["value"]
            )
            faults += [error.message for error in validator.iter_errors(value)]
    assert faults == []


@pytest.mark.parametrize("operation", [op.id for op in CONTRACT.operations])
def test_every_body_has_examples(operation: str) -> None:
    [item] = [
        node
        for _, node in nodes(CONTRACT.bundle["paths"])
        if node.get("operationId") == operation and "responses" in node
    ]
    bodies = [item["requestBody"]] if "requestBody" in item else []
    bodies += [at(CONTRACT.bundle, r["$ref"][1:]) if "$ref" in r else r for r in item["responses"].values()]
    assert [media for body in bodies for media in body["content"].values() if not media.get("examples")] == []


def test_the_examples_of_the_page_that_the_product_was_asked_for_are_there() -> None:
    """The request and the answer of the vendor's page on creating a conversation, word for word."""
    request = {
        "external_user_id": "user_abc123",
        "title": "Support inquiry",
        "metadata": {"first_name": "John", "plan_type": "term_life"},
    }
    answer = {
        "id": "<string>",
        "created_at": 123,
        "object": "conversation",
        "external_user_id": "<string>",
        "title": "<string>",
        "generated_title": {"en-ca": "<generated title in English>", "fr-ca": "<generated title in French>"},
        "metadata": {"first_name": "John", "last_name": "Doe", "city": "Montreal"},
    }
    schemas = CONTRACT.bundle["components"]["schemas"]
    assert request in schemas["ConversationCreateRequest"]["examples"]
    assert answer in schemas["Conversation"]["examples"]


def test_the_document_says_which_edition_of_the_vendor_it_follows() -> None:
    assert CONTRACT.bundle["openapi"].startswith("3.2.")
    assert "2026-08-06" in CONTRACT.bundle["info"]["description"]


@pytest.mark.clause("1.1")
def test_everything_stands_under_v1() -> None:
    assert [server["url"] for server in CONTRACT.bundle["servers"]] == ["/v1"]
    assert all(operation.path.startswith("/v1/apps/{app_id}/") for operation in CONTRACT.operations)


@pytest.mark.clause("1.2")
def test_every_operation_asks_for_the_bearer_key() -> None:
    scheme = CONTRACT.bundle["components"]["securitySchemes"]["AppsApiKeyAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert CONTRACT.bundle["security"] == [{"AppsApiKeyAuth": []}]
    assert [path for path, node in nodes(CONTRACT.bundle["paths"]) if "security" in node] == []


# What the sandbox decided where the vendor is silent. Each row: the clause, the file, the place that bears the mark.
DECISIONS = [
    ("1.2", "openapi.json", "/components/securitySchemes/AppsApiKeyAuth"),
    ("3.2", "conversation.json", ""),
    ("3.3", "conversation-detail.json", "/properties/items"),
    ("3.5", "conversation-update-request.json", ""),
    ("3.10", "response-output-item.json", ""),
    ("3.11", "completion-request.json", "/properties/prompt"),
    ("3.12", "completion.json", "/properties/text"),
    ("3.15", "error.json", "/properties/error"),
    ("3.16", "openapi.json", "/paths/~1apps~1{app_id}~1conversations/post/requestBody"),
    ("3.16", "openapi.json", "/paths/~1apps~1{app_id}~1completions/post/requestBody"),
    ("4.2", "error.json", "/properties/error/properties/message"),
    ("4.2", "error.json", "/properties/error/properties/param"),
    ("4.2", "error.json", "/properties/error/properties/code"),
    ("4.5", "openapi.json", "/components/parameters/AppId"),
    ("4.5", "openapi.json", "/components/parameters/ExternalUserId"),
    ("4.8", "openapi.json", "/components/parameters/Limit"),
    ("4.11", "openapi.json", "/components/headers/WWW-Authenticate"),
    ("4.11", "openapi.json", "/components/headers/Retry-After"),
    ("4.11", "openapi.json", "/components/responses/NotFound"),
    ("4.11", "openapi.json", "/components/responses/PayloadTooLarge"),
    ("4.11", "openapi.json", "/components/responses/UnsupportedMediaType"),
    ("4.11", "openapi.json", "/components/responses/UnprocessableContent"),
    ("5.1", "conversation-create-request.json", "/properties/title"),
    ("5.1", "generated-title.json", ""),
    ("5.2", "metadata.json", ""),
    ("5.2", "send-message-request.json", "/properties/metadata"),
    ("5.3", "conversation-create-request.json", "/properties/external_user_id"),
    ("5.4", "openapi.json", "/components/parameters/After"),
    ("5.4", "openapi.json", "/components/parameters/Before"),
    ("5.4", "openapi.json", "/components/parameters/Order"),
    ("5.4", "conversation-list.json", "/properties/has_more"),
    ("5.6", "app-metrics.json", "/properties/total_messages"),
    ("5.6", "app-metrics.json", "/properties/total_users"),
    ("5.7", "conversation.json", "/properties/id"),
    ("5.7", "conversation-item.json", "/properties/id"),
    ("5.7", "response.json", "/properties/id"),
    ("5.7", "completion.json", "/properties/id"),
    ("5.7", "tool-call-part.json", "/properties/toolCallId"),
    ("5.8", "conversation-item.json", "/properties/parts"),
    ("5.8", "response.json", "/properties/status"),
    ("6.3", "events/response.output_text.delta.json", ""),
    ("6.3", "events/response.output_text.delta.json", "/properties/content_index"),
    ("6.4", "events/response.output_item.done.json", ""),
]  # fmt: skip


@pytest.mark.clause(*{clause for clause, *_ in DECISIONS})
def test_the_decisions_of_the_sandbox_are_marked() -> None:
    unmarked = [
        (clause, file, place)
        for clause, file, place in DECISIONS
        if at(json.loads(CONTRACT.files[file]), place).get("x-sandbox-decision") is not True
    ]
    assert unmarked == []


def test_whatever_is_said_of_the_sandbox_alone_is_marked(subtests: pytest.Subtests) -> None:
    for file in [file for file in CONTRACT.files if file != "openapi.json"]:
        with subtests.test(file=file):
            said = [
                (path, node)
                for path, node in nodes(json.loads(CONTRACT.files[file]))
                if isinstance(node.get("description"), str) and "sandbox" in node["description"].lower()
            ]
            assert [path for path, node in said if node.get("x-sandbox-decision") is not True] == []


@pytest.mark.clause("5.7")
def test_what_only_the_sandbox_promises_judges_no_other_server(subtests: pytest.Subtests) -> None:
    """The forms of ids and the keys that are always sent stand in keywords of our own, each beside its mark."""
    for file in CONTRACT.files:
        with subtests.test(file=file):
            own = [
                (path, node)
                for path, node in nodes(json.loads(CONTRACT.files[file]))
                if "x-sandbox-pattern" in node or "x-sandbox-required" in node
            ]
            assert [path for path, node in own if node.get("x-sandbox-decision") is not True] == []
