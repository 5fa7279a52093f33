"""Tools and forms: calls of either kind, and user interfaces that are built step by step."""

from __future__ import annotations

import json
import re

from sandbox.conformance.check import NotApplicable, check, expect, format_value
from sandbox.conformance.checks.grammar import output_of
from sandbox.conformance.http_messages import good
from sandbox.conformance.target import CONFIG, Target

TOOL = re.compile(r"[a-z][a-z0-9_]*")


@check("TOOL-1", source="V", clause="8.1", needs_sandbox=True)
def calls_are_well_formed(server: Target) -> None:
    """A tool's name matches `^[a-z][a-z0-9_]*$`; its arguments are JSON in a text, or null."""
    reply = server.reply_to("[[tool]] [[human]]", stream=False)
    calls = [item for item in output_of(reply.answer) if item.get("type") == "function_call"]
    proof = (reply.created, reply.answer)
    expect(len(calls) > 0, "at least one call", reply.answer.summary, *proof)
    for call in calls:
        expect(
            TOOL.fullmatch(str(call.get("name"))) is not None, "a tool's name", format_value(call.get("name")), *proof
        )
        arguments = call.get("arguments")
        expect(
            arguments is None or _is_json_object(arguments), "JSON in a text, or null", format_value(arguments), *proof
        )


@check("TOOL-2", source="D", clause="10.3")
def words_call_tools(server: Target) -> None:
    """`[[tool]]` calls a tool of each kind, one with arguments and one without; `[[human]]` calls
    `transfer_to_agent`."""
    reply = server.reply_to("[[tool]] [[human]]", stream=False)
    calls = [item for item in output_of(reply.answer) if item.get("type") == "function_call"]
    proof = (reply.created, reply.answer)
    expect(
        "transfer_to_agent" in [call.get("name") for call in calls], "transfer_to_agent", format_value(calls), *proof
    )
    kinds = {call.get("arguments") is None for call in calls}
    expect(kinds == {True, False}, "a call with arguments and one without", format_value(calls), *proof)


@check("UI-1", source="V", clause="6.4", needs_sandbox=True)
def forms_come_only_when_they_may(server: Target) -> None:
    """Data specs come only while the app's generative UI is on, which its config shows."""
    config = good(server.ask(CONFIG))
    reply = server.reply_to("[[form]]", stream=False)
    kinds = {item.get("type") for item in output_of(reply.answer)}
    wanted = config.object.get("generative_ui") is True
    what = "a data_spec" if wanted else "no data_spec"
    expect(
        ("data_spec" in kinds) is wanted,
        what,
        format_value(sorted(map(str, kinds))),
        config,
        reply.created,
        reply.answer,
    )


@check("UI-2", source="V", clause="7.1", needs_sandbox=True)
def a_form_is_built_by_patches(server: Target) -> None:
    """A form is built by patches: the first adds `/root`, the others `/elements/<key>`; every child is an element."""
    if good(server.ask(CONFIG)).object.get("generative_ui") is not True:
        raise NotApplicable("the app's generative UI is off")
    reply = server.reply_to("[[form]]", stream=False)
    patches = [item["data"]["patch"] for item in output_of(reply.answer) if item.get("type") == "data_spec"]
    proof = (reply.created, reply.answer)
    paths = [str(patch.get("path")) for patch in patches]
    right = paths[:1] == ["/root"] and all(path.startswith("/elements/") for path in paths[1:])
    expect(right and len(paths) > 1, "/root, then /elements/…", format_value(paths), *proof)
    elements = {
        path.removeprefix("/elements/"): patch["value"] for path, patch in zip(paths[1:], patches[1:], strict=True)
    }
    needed = {patches[0].get("value"), *(child for value in elements.values() for child in value.get("children", []))}
    expect(
        needed <= set(elements),
        "an element for the root and every child",
        format_value(sorted(map(str, needed))),
        *proof,
    )


def _is_json_object(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False
