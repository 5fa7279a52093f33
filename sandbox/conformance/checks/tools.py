"""Tools and forms: calls of either kind, and user interfaces that are built step by step."""

from __future__ import annotations

import json
import re

from sandbox.conformance import expect
from sandbox.conformance.check import NotApplicable, check
from sandbox.conformance.checks.grammar import output_of
from sandbox.conformance.http_messages import good
from sandbox.conformance.target import TOOLS, Op, Target

TOOL = re.compile(r"[a-z][a-z0-9_]*")


@check("TOOL-1", "V", "8.1", needs_sandbox=True)
def calls_are_well_formed(server: Target) -> None:
    """A tool's name matches `^[a-z][a-z0-9_]*$`; its arguments are JSON in a text, or null."""
    reply = server.reply_to(TOOLS, stream=False)
    calls = [item for item in output_of(reply.answer) if item.get("type") == "function_call"]
    expect.that(len(calls) > 0, "at least one call", *reply.proof)
    for call in calls:
        name, arguments = call.get("name"), call.get("arguments")
        expect.that(TOOL.fullmatch(str(name)) is not None, "a tool's name", *reply.proof, value=name)
        is_right = arguments is None or _is_json_object(arguments)
        expect.that(is_right, "JSON in a text, or null", *reply.proof, value=arguments)


@check("TOOL-2", "D", "10.3")
def words_call_tools(server: Target) -> None:
    """`[[tool]]` calls a tool of each kind, one with arguments and one without; `[[human]]` calls
    `transfer_to_agent`."""
    reply = server.reply_to(TOOLS, stream=False)
    calls = [item for item in output_of(reply.answer) if item.get("type") == "function_call"]
    names = [call.get("name") for call in calls]
    expect.that("transfer_to_agent" in names, "transfer_to_agent", *reply.proof, value=calls)
    kinds = {call.get("arguments") is None for call in calls}
    expect.that(kinds == {True, False}, "a call with arguments and one without", *reply.proof, value=calls)


@check("UI-1", "V", "6.4", needs_sandbox=True)
def forms_come_only_when_they_may(server: Target) -> None:
    """Data specs come only while the app's generative UI is on, which its config shows."""
    config = good(server.ask(Op.CONFIG))
    reply = server.reply_to("[[form]]", stream=False)
    kinds = {item.get("type") for item in output_of(reply.answer)}
    wanted = config.object.get("generative_ui") is True
    what = "a data_spec" if wanted else "no data_spec"
    expect.that(("data_spec" in kinds) is wanted, what, config, *reply.proof, value=sorted(map(str, kinds)))


@check("UI-2", "V", "7.1", needs_sandbox=True)
def a_form_is_built_by_patches(server: Target) -> None:
    """A form is built by patches: the first adds `/root`, the others `/elements/<key>`; every child is an element."""
    if good(server.ask(Op.CONFIG)).object.get("generative_ui") is not True:
        raise NotApplicable("the app's generative UI is off")
    reply = server.reply_to("[[form]]", stream=False)
    patches = [item["data"]["patch"] for item in output_of(reply.answer) if item.get("type") == "data_spec"]
    paths = [str(patch.get("path")) for patch in patches]
    is_right = paths[:1] == ["/root"] and all(path.startswith("/elements/") for path in paths[1:])
    expect.that(is_right and len(paths) > 1, "/root, then /elements/…", *reply.proof, value=paths)
    root, *others = patches
    elements = {str(patch.get("path")).removeprefix("/elements/"): patch["value"] for patch in others}
    needed = {root.get("value"), *(child for value in elements.values() for child in value.get("children", []))}
    what = "an element for the root and every child"
    expect.that(needed <= set(elements), what, *reply.proof, value=sorted(map(str, needed)))


def _is_json_object(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False
