"""List scenarios, put one on an app, and write a conversation as one (docs/control.md, Scenarios)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import orjson

from sandbox.apps.app import App
from sandbox.apps.records import Item
from sandbox.control.apps import existing_app, forget, mutable_app, serialize_app
from sandbox.control.services import ControlRequest, ControlResult, ControlServices
from sandbox.errors import NotFound
from sandbox.scenario import Scenario
from sandbox.suggestions import closest_word


async def list_scenarios(request: ControlRequest, services: ControlServices) -> ControlResult:
    """List the scenarios of the config and the ready-made ones, by their names."""
    rows = [
        {"name": each.name, "description": each.description, "ready_made": each.is_ready_made}
        for each in services.scenarios
    ]
    return {"object": "list", "data": rows}


async def put_scenario(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Put a scenario on an app, in place of the one that it has; null takes that off."""
    app, name = await mutable_app(request, services), request.body["name"]
    scenario = None if name is None else _find(name, services)
    await _take_faults(app)
    if scenario and scenario.fresh:
        await forget(app, services)
    await app.set_scenario(name)
    if scenario:
        await _begin(app, scenario, services)
    services.publish(app, "scenario")
    return await serialize_app(app, services)


async def export_scenario(request: ControlRequest, services: ControlServices) -> ControlResult:
    """Return a conversation as a scenario in TOML: the agent says the same again, message by message."""
    app = await existing_app(request.app_id, services)
    transcript = await app.conversations.transcript(request.path_parameters["conversation_id"])
    if transcript is None:
        raise NotFound("There is no such conversation in this app.", param="conversation_id")
    pair = transcript.conversation.generated_title
    title = {"en": pair[0], "fr": pair[1]} if pair else None
    return "\n".join(_toml_lines(transcript.items, title))


def _find(name: str, services: ControlServices) -> Scenario:
    scenario = services.scenarios.get(name)
    if scenario is None:
        names = [each.name for each in services.scenarios]
        close = closest_word(name, names)
        hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(names)}"
        raise NotFound(f"name: there is no scenario `{name}`; {hint}", param="name")
    return scenario


async def _begin(app: App, scenario: Scenario, services: ControlServices) -> None:
    """Do once what a scenario begins with."""
    for fault in scenario.faults:
        await app.faults.add({"times": None, **fault})
    if scenario.populate:
        await services.populate(app, **scenario.populate)
    if not scenario.is_ready_made:
        app.history.mark_incomplete(f"the scenario {scenario.name} is in the config file")


async def _take_faults(app: App) -> None:
    """Take out what is left of the faults that the app's scenario queued."""
    for fault in app.scenario.faults if app.scenario else ():
        fields = {name: value for name, value in fault.items() if name not in ("times", "skip", "probability")}
        for rule in app.faults.rules:
            if rule.fields == fields:
                await app.release(rule.id)
                await app.faults.delete(rule.id)


def _toml_lines(items: Sequence[Item], title: Mapping[str, str] | None) -> Iterator[str]:
    """Yield the lines of a file for `serve --scenario-dir`."""
    yield 'description = "A conversation as it was."'
    number = 0
    for index, item in enumerate(items):
        if item.role != "user":
            continue
        number += 1
        replies = takewhile(lambda later: later.role == "assistant", items[index + 1 :])
        output = [_output(part) for reply in replies for part in orjson.loads(reply.json)["parts"]]
        if not output:
            continue
        yield from ("", "[[replies]]", f"message = {number}")
        if title and number == 1:
            yield f"title = {_toml(title)}"
        yield from ("output = [", *(f"  {_toml(each)}," for each in output), "]")
    yield ""


def _output(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a scripted reply says for a part of the history."""
    if part["type"] == "text":
        return {"type": "message", "text": _escaped(part["text"])}
    if part["type"] == "data-spec":
        return {"type": "data_spec", "patch": _escaped(part["data"]["patch"])}
    # A client tool has no arguments, and the history shows an empty object.
    arguments = {"arguments": _escaped(part["input"])} if part["input"] or part["output"] is not None else {}
    return {"type": "function_call", "name": part["toolName"], **arguments}


def _escaped(value: Any) -> Any:
    """Double the braces of all texts in a value."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, Mapping):
        return {name: _escaped(child) for name, child in value.items()}
    return [_escaped(child) for child in value] if isinstance(value, list) else value


def _toml(value: Any) -> str:
    """Write a JSON value in one line of TOML; of an object what is null is left out."""
    if isinstance(value, Mapping):
        pairs = (f"{_toml(name)} = {_toml(child)}" for name, child in value.items() if child is not None)
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # A text in JSON is one in TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
