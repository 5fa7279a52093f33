"""What can be set for one app (CONTROL.md, Apps): the values, their defaults, and how a change is merged in.

What a valid setting is stands in `schemas/control/app-settings.json`; values that come here have passed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sandbox.reply import Pace

Status = Literal["live", "inactive", "no_agent"]
Titles = Literal["at_creation", "after_first_exchange"]
Framing = Literal["plain", "split", "crlf", "comments", "multiline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool of the app (CONTRACT.md 8).

    A `mapping` surfaces a task with JSON arguments; a `client` tool is run by the client and gets none.
    `when` are the words that make the agent call it, in any case.
    """

    name: str
    kind: Literal["mapping", "client"]
    when: tuple[str, ...] = ()
    arguments: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many calls of the rate-limited operations an app takes; None means any number."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLook:
    """How the app's agent presents itself; None: chosen by the seed."""

    name: str | None = None
    primary_color: str | None = None
    secondary_color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """The settings of one app; `keys` None means any well-formed key, `tools` None the agent's own ones."""

    status: Status = "live"
    stream: bool = False
    generative_ui: bool = False
    titles: Titles = "at_creation"
    agent: AgentLook = field(default_factory=AgentLook)
    tools: tuple[Tool, ...] | None = None
    keys: frozenset[str] | None = None
    rate_limit: RateLimit | None = None
    pace: Pace = field(default_factory=Pace)
    framing: Framing = "plain"

    def merged(self, changes: Mapping[str, Any]) -> AppSettings:
        """Return these settings with valid `changes` on top: objects merge, everything else is replaced."""
        return replace(self, **{name: _read(getattr(self, name), name, value) for name, value in changes.items()})


def _read(current: Any, name: str, value: Any) -> Any:
    """Turn one setting of a JSON document into the value that is kept."""
    if name == "tools":
        return None if value is None else tuple(Tool(**{**tool, "when": tuple(tool.get("when", ()))}) for tool in value)
    if name == "keys":
        return None if value is None else frozenset(value)
    if isinstance(value, Mapping):
        return replace(current or _EMPTY[name], **value)
    return value


_EMPTY: Mapping[str, Any] = {"rate_limit": RateLimit(), "agent": AgentLook(), "pace": Pace()}
