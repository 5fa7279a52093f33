"""What is changed of the contract before it is fuzzed, and that it is changed in a copy alone."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.conformance.fuzz_schema import Link, fit_to_fuzzer, keep_links, links, operations
from sandbox.contract import load

BUNDLE = load().bundle
CREATE, UPDATE = "apps_api_create_conversation", "apps_api_update_conversation"
LIST_OF_USER = "apps_api_list_user_conversations"


def document(*, sandbox_rules: bool = False) -> dict[str, Any]:
    return fit_to_fuzzer(BUNDLE, "app_x", sandbox_rules=sandbox_rules)


def test_the_document_that_is_served_stays_as_it_is() -> None:
    before = copy.deepcopy(BUNDLE)
    fit_to_fuzzer(BUNDLE, "app_x", sandbox_rules=True)
    assert before == BUNDLE


def test_every_path_names_the_app() -> None:
    assert [path for _, path, _ in operations(document()) if not path.startswith("/apps/app_x/")] == []


def test_no_operation_and_no_link_asks_for_an_app() -> None:
    asked = [parameter for item in document()["paths"].values() for parameter in item["parameters"]]
    assert {"$ref": "#/components/parameters/AppId"} not in asked
    assert [link for link, spec in links(document()) if "app_id" in spec["parameters"]] == []


def test_all_operations_and_links_are_still_there() -> None:
    assert len(list(operations(document()))) == len(load().operations)
    assert [link for link, _ in links(document())] == [link for link, _ in links(BUNDLE)]


def test_any_server_is_held_to_what_the_vendor_documents() -> None:
    assert document()["components"]["schemas"]["Conversation"]["required"] == ["id", "created_at"]


def test_the_sandbox_is_held_to_what_it_promises_too() -> None:
    conversation = document(sandbox_rules=True)["components"]["schemas"]["Conversation"]
    assert "generated_title" in conversation["required"]
    assert conversation["properties"]["id"]["pattern"].startswith("^[0-9a-f]{8}-")


def test_a_narrow_document_has_the_wanted_link_and_the_way_to_it() -> None:
    way = Link(source=CREATE, status="200", name="ListUserConversations", target=LIST_OF_USER)
    wanted = Link(source=LIST_OF_USER, status="200", name="UpdateConversation", target=UPDATE)
    assert {link for link, _ in links(keep_links(document(), [wanted]))} == {way, wanted}


def test_a_link_from_an_operation_that_needs_no_id_needs_no_way() -> None:
    wanted = next(link for link, _ in links(document()) if link.source == CREATE)
    assert [link for link, _ in links(keep_links(document(), [wanted]))] == [wanted]
