"""What can be set for one app (docs/control.md, Apps): the values, their defaults, and how a change is merged in.

What a valid setting is stands in `schemas/control/app-settings.json`; values that come here have passed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sandbox.reply import Pace

Status = Literal["live", "inactive", "no_agent"]
Titles = Literal["at_creation", "after_first_exchange"]
Framing = Literal["plain", "split", "crlf", "comments", "multiline", "cr", "cut_crlf", "mixed", "bom", "fields"]
WebhookLab = Literal["none", "duplicate", "reorder", "tamper", "delay"]


class Tool(NamedTuple):
    """A tool of the app (docs/contract.md 8).

    A `mapping` surfaces a task with JSON arguments; a `client` tool is run by the client and gets none.
    `when` are the words that make the agent call it, in any case.
    """

    name: str
    kind: Literal["mapping", "client"]
    when: tuple[str, ...] = ()
    arguments: Mapping[str, Any] | None = None


class RateLimit(NamedTuple):
    """How many calls of the rate-limited operations an app takes; None means any number."""

    per_minute: int | None = None
    per_day: int | None = None


class AgentLook(NamedTuple):
    """How the app's agent presents itself; None: chosen by the seed."""

    name: str | None = None
    primary_color: str | None = None
    secondary_color: str | None = None


class Webhook(NamedTuple):
    """Where webhooks of these types are sent (docs/contract.md 9); without a secret they are not signed."""

    url: str
    secret: str | None
    events: tuple[str, ...]
    enabled: bool = True


class AppSettings(NamedTuple):
    """The settings of one app; `keys` None means any well-formed key, `tools` None the agent's own ones,
    `business` None that of the agent profile, or the one that the app's seed chooses."""

    status: Status = "live"
    stream: bool = False
    generative_ui: bool = False
    titles: Titles = "at_creation"
    business: str | None = None
    agent_profile: str | None = None
    branding: bool = True
    agent: AgentLook = AgentLook()
    tools: tuple[Tool, ...] | None = None
    keys: frozenset[str] | None = None
    rate_limit: RateLimit | None = None
    pace: Pace = Pace()
    framing: Framing | tuple[Framing, ...] = "plain"
    webhooks: tuple[Webhook, ...] = ()
    webhook_lab: WebhookLab = "none"

    def merged(self, changes: Mapping[str, Any]) -> AppSettings:
        """Return these settings with valid `changes` on top: objects merge, everything else is replaced."""
        return self._replace(**{name: _read(getattr(self, name), name, value) for name, value in changes.items()})

    def to_json(self, *, keep_none: bool = False) -> dict[str, Any]:
        """Return them as a JSON document; a setting that is None is left out, unless `keep_none`."""
        document: dict[str, Any] = _write(self, keep_none=keep_none)
        return document

    def changes_from(self, base: AppSettings) -> dict[str, Any]:
        """Return what has to be set over `base` to have these settings."""
        document = self.to_json(keep_none=True)
        return {name: value for name, value in document.items() if getattr(base, name) != getattr(self, name)}


def _read(current: Any, name: str, value: Any) -> Any:
    """Turn one setting of a JSON document into the value that is kept."""
    if name == "tools":
        return None if value is None else tuple(Tool(**{**tool, "when": tuple(tool.get("when", ()))}) for tool in value)
    if name == "webhooks":
        return tuple(Webhook(**{**hook, "events": tuple(hook["events"])}) for hook in value)
    if name == "keys":
        return None if value is None else frozenset(value)
    if name == "framing":
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, Mapping):
        return (current or _EMPTY[name])._replace(**value)
    return value


def _write(value: Any, *, keep_none: bool) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {
            name: _write(child, keep_none=keep_none) for name, child in value.items() if keep_none or child is not None
        }
    if isinstance(value, list | tuple):
        return [_write(child, keep_none=keep_none) for child in value]
    return sorted(value) if isinstance(value, frozenset) else value


_EMPTY: Mapping[str, Any] = {"rate_limit": RateLimit(), "agent": AgentLook(), "pace": Pace()}
