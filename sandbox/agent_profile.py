"""Agent profiles: who an app's agent is, in the team's own words (docs/scenarios.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.app_settings import Tool

# What the business knows, of a profile's fields.
_KNOWLEDGE: Final = ("company", "hours", "address", "phone", "email", "prices", "faq")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """An agent of the config; every part is as `schemas/control/agent-profile.json` has it."""

    business: str | None = None
    name: str | None = None
    tone: str = "friendly"
    tools: tuple[Tool, ...] | None = None
    forms: Sequence[Mapping[str, Any]] = ()
    knowledge: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> AgentProfile:
        """Return the profile that a valid document describes."""
        rest = {name: value for name, value in document.items() if name not in _KNOWLEDGE}
        tools = rest.pop("tools", None)
        return cls(
            **rest,
            tools=None
            if tools is None
            else tuple(Tool(**{**tool, "when": tuple(tool.get("when", ()))}) for tool in tools),
            knowledge={name: document[name] for name in _KNOWLEDGE if name in document},
        )

    @property
    def form_replies(self) -> list[dict[str, Any]]:
        """Its forms as replies of a scenario: each comes with its words."""
        return [
            {"contains": form["when"], "output": [{"type": "form", "title": form["title"], "fields": form["fields"]}]}
            for form in self.forms
        ]
