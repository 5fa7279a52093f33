"""Makes the served document from the contract's bundle: the same rules, in the form that generators read.

In the files a schema may contain titled schemas and conditions; generators handle neither well. Here each titled object
is a component, each list of conditions a choice with a discriminator.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sandbox.contract.validation import referenced_components
from sandbox.errors import ContractError

# The values of these are data, not schemas.
_DATA = frozenset({"examples", "example", "default", "const", "enum"})
# The keys that stay beside the reference when an object moves to the components.
_KEYS_THAT_STAY = ("description", "default")
_OF_NUMBERS = ("minimum", "maximum")

STREAM = "text/event-stream"


def publish(bundle: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return the document for a version of OpenAPI, `3.1.0` or `3.2.0`.

    Raises:
        ContractError: two objects have the same title.
    """
    schemas: dict[str, Any] = {}
    for name, schema in bundle["components"]["schemas"].items():
        _add(schemas, name, _extract_objects(schema, schemas))
    schemas = {name: _merge_all_of(schema, schemas) for name, schema in schemas.items()}
    rest = {key: value for key, value in bundle["components"].items() if key != "schemas"}
    document = {
        **{key: _extract_objects(value, schemas) for key, value in bundle.items() if key != "components"},
        "openapi": version,
        "components": {**{key: _extract_objects(value, schemas) for key, value in rest.items()}, "schemas": schemas},
    }
    if version.startswith("3.1."):
        document = _without_item_schemas(document)
    used = referenced_components(
        {key: value for key, value in document.items() if key != "components"}, document["components"]
    )
    used_schemas = {name: schemas[name] for name in sorted(used["schemas"])}
    document["components"] = {**document["components"], "schemas": used_schemas}
    for schema in used_schemas.values():
        _add_discriminator_mapping(schema, used_schemas)
    return document


def _extract_objects(node: Any, schemas: dict[str, Any]) -> Any:
    """Return a part of the document in which every titled object is a reference; the objects go to `schemas`."""
    if isinstance(node, list):
        return [_extract_object(part, schemas, keep=()) for part in node]
    if not isinstance(node, dict):
        return node
    whole = _default_in_description(_json_only(_conditions_to_choice(node)))
    return {
        key: value if key in _DATA else _extract_object(value, schemas, _KEYS_THAT_STAY) for key, value in whole.items()
    }


def _extract_object(node: Any, schemas: dict[str, Any], keep: Collection[str]) -> Any:
    """Return what stands in the place of a part: a reference, if it is a titled object."""
    moved = _extract_objects(node, schemas)
    if not isinstance(moved, dict) or "properties" not in moved or not isinstance(moved.get("title"), str):
        return moved
    name, kinds = moved["title"], moved["type"]
    plain = {key: value for key, value in moved.items() if key not in ("default", *_OF_NUMBERS)}
    _add(schemas, name, {**plain, "type": "object"})
    reference = {"$ref": f"#/components/schemas/{name}"}
    beside = {key: moved[key] for key in keep if key in moved}
    if kinds == "object":
        return {**reference, **beside}
    others = [{"type": kind, **_limits(moved, kind)} for kind in kinds if kind != "object"]
    return {**beside, "oneOf": [reference, *others]}


def _limits(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {key: schema[key] for key in _OF_NUMBERS if key in schema} if kind in ("integer", "number") else {}


def _add(schemas: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
    if schemas.setdefault(name, schema) != schema:
        raise ContractError(f"two schemas of the contract are called {name}")


def _json_only(node: dict[str, Any]) -> dict[str, Any]:
    """Return a body that may come as several media types of one schema as JSON alone: to generators they are two."""
    content = node.get("content", {})
    if "application/json" not in content:
        return node
    schema = content["application/json"]["schema"]
    distinct = {
        kind: media for kind, media in content.items() if kind == "application/json" or media.get("schema") != schema
    }
    return {**node, "content": distinct}


def _default_in_description(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of several types with its default in its description: no generator can give it to a union."""
    kinds = node.get("type")
    if not isinstance(kinds, list) or len({*kinds} - {"null"}) < 2 or node.get("default") is None:
        return node
    rest = {key: value for key, value in node.items() if key != "default"}
    return {**rest, "description": f"{node['description']} By default `{node['default']}`."}


def _merge_all_of(schema: dict[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the fields of those that it extends (`allOf`): generators take some for mere aliases."""
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", ()):
        extended = schemas[part["$ref"].rpartition("/")[2]]
        merged["properties"] = {**extended["properties"], **merged["properties"]}
        for key in ("required", "x-sandbox-required"):
            merged[key] = [*extended.get(key, ()), *merged.get(key, ())]
    return merged


def _conditions_to_choice(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose conditions speak of one field (`allOf` of `if` and `then`) as a choice by that field."""
    conditions = node.get("allOf", [])
    if not conditions or not all("title" in part.get("then", {}) for part in conditions):
        return node
    [field] = conditions[0]["if"]["properties"]
    about: dict[str, Any] = {key: node[key] for key in ("title", "description", "examples") if key in node}
    choices = [_choice(node, part, field) for part in conditions]
    return {**about, "x-discriminator": field, "oneOf": choices}


def _choice(node: Mapping[str, Any], condition: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return what an object has to be under one condition: its fields, and what all of them have in common."""
    then = condition["then"]
    properties = {
        name: node["properties"][name] if narrower is True else {**node["properties"][name], **narrower}
        for name, narrower in then["properties"].items()
    }
    base = {key: value for key, value in properties[field].items() if key != "enum"}
    properties[field] = {**base, **condition["if"]["properties"][field]}
    if properties[field].get("default") not in set(_values(properties[field])):
        properties[field].pop("default", None)
    required = dict.fromkeys(
        (*node.get("required", ()), *condition["if"].get("required", ()), *then.get("required", ()))
    )
    # Which fields go together within a choice is more than a generator understands: the description says it.
    plain = {key: value for key, value in then.items() if key not in ("if", "then", "else")}
    return {**plain, "type": "object", "properties": properties, **({"required": required} if required else {})}


def _without_item_schemas(node: Any) -> Any:
    """Return a document for OpenAPI 3.1, where the schema and the example of a stream are its whole body."""
    if isinstance(node, list):
        return [_without_item_schemas(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _without_item_schemas(value) for key, value in node.items()}
    if "serializedValue" in plain:
        plain["value"] = plain.pop("serializedValue")
    if "itemSchema" in plain:
        events = {"type": "array", "items": plain.pop("itemSchema")}
        plain["schema"] = {
            "description": "A stream of events; `contentSchema` is the list of them.",
            "type": "string",
            "contentMediaType": STREAM,
            "contentSchema": events,
        }
    return plain


def _add_discriminator_mapping(schema: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Say of a choice with a discriminator which value means which component.

    Tools rely on the field, so it is required here: the sandbox always sends it, and a client had better.
    """
    if "x-discriminator" not in schema:
        return
    field = schema.pop("x-discriminator")
    if "anyOf" in schema:
        schema["oneOf"] = schema.pop("anyOf")
    mapping: dict[str, str] = {}
    for reference in [part["$ref"] for part in schema["oneOf"]]:
        target = schemas[reference.rpartition("/")[2]]
        target["required"] = list(dict.fromkeys((field, *target.get("required", ()))))
        mapping |= dict.fromkeys(_values(target["properties"][field]), reference)
    schema["discriminator"] = {"propertyName": field, "mapping": mapping}


def _values(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from [schema["const"]] if "const" in schema else schema["enum"]
