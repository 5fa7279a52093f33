"""What the agent says in a scenario: the first reply of it that fits the message (docs/scenarios.md)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from sandbox.api.scripted import fits, scripted
from sandbox.app_settings import AppSettings
from sandbox.apps.app import App
from sandbox.apps.records import Item
from sandbox.reply import Reply
from sandbox.rng import Entropy
from sandbox.scenario import PLACE

if TYPE_CHECKING:
    import regex

log = logging.getLogger("sandbox")

# Seconds that a regular expression may search.
MAX_SEARCH: Final = 0.05


class Heard(NamedTuple):
    """A message or a prompt as a scenario hears it: `number` counts the user's messages (None: a prompt), `earlier` are
    the items before it."""

    text: str
    agent: str
    metadata: Mapping[str, Any]
    number: int | None = None
    earlier: Sequence[Item] = ()


def scenario_reply(
    app: App, settings: AppSettings, heard: Heard, here: Entropy
) -> tuple[Reply, tuple[str, str] | None] | None:
    """Return what the app's scenario says, or which form its agent profile shows, and the title; None for nothing."""
    agent = app.agent(settings)
    forms = agent.form_replies if agent and settings.generative_ui else []
    for rule in (*(app.scenario.replies if app.scenario else ()), *forms):
        groups = _match(rule, heard)
        if groups is not None:
            title = rule.get("title")
            said = {"pace": rule.get("pace"), "output": _filled(rule["output"], heard, groups)}
            return scripted(said, here, heard.text, heard.metadata), title and (title["en"], title["fr"])
    return None


def _match(rule: Mapping[str, Any], heard: Heard) -> Sequence[str] | None:
    """Return the groups of the rule's regular expression, if the rule fits; None where it doesn't."""
    if not fits(rule, heard.text) or rule.get("message", heard.number) != heard.number:
        return None
    if "after_tool" in rule and rule["after_tool"] not in _called_before(heard.earlier):
        return None
    return _search(rule["matches"], heard.text) if "matches" in rule else ()


def _search(pattern: str, text: str) -> Sequence[str] | None:
    try:
        match = _compiled(pattern).search(text, timeout=MAX_SEARCH)
    except TimeoutError:
        log.warning("a scenario's regular expression took over %d ms: %s", MAX_SEARCH * 1000, pattern)
        return None
    return None if match is None else [match[0], *(group or "" for group in match.groups())]


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> regex.Pattern[str]:
    import regex  # slow to load, and few scenarios need it

    return regex.compile(pattern)


def _called_before(items: Sequence[Item]) -> list[str]:
    """Return the tools that the last reply called."""
    if not items or items[-1].role != "assistant":
        return []
    parts = orjson.loads(items[-1].json)["parts"]
    return [part["toolName"] for part in parts if part["type"] == "tool-call"]


def _filled(value: Any, heard: Heard, groups: Sequence[str]) -> Any:
    """Return an output with its texts filled."""
    if isinstance(value, str):
        return PLACE.sub(lambda place: _fill(place[0], place[1], place[2] or "", heard, groups), value)
    if isinstance(value, Mapping):
        return {name: _filled(child, heard, groups) for name, child in value.items()}
    return [_filled(child, heard, groups) for child in value] if isinstance(value, list) else value


def _fill(whole: str, name: str | None, default: str, heard: Heard, groups: Sequence[str]) -> str:
    if name is None:
        return whole[0]
    root, _, rest = name.partition(".")
    if root == "message":
        return heard.text or default
    if root == "agent":
        return heard.agent
    if root == "match":
        return (groups[int(rest)] if int(rest) < len(groups) else "") or default
    value: Any = heard.metadata
    for key in rest.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return default if value is None or isinstance(value, Mapping | list) else str(value)
