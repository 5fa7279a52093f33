"""Who the app's agent is: its settings, and the seed's choice where they say nothing."""

from __future__ import annotations

from typing import Any

from sandbox.agent.persona import Persona, persona
from sandbox.agent.tools import default_tools
from sandbox.agent.turn import Profile
from sandbox.app_settings import AppSettings, Tool
from sandbox.apps.app import App


def persona_of(app: App, settings: AppSettings) -> Persona:
    """Return the name and the colours of the app's agent."""
    chosen, agent = persona(app.rng.at("persona")), settings.agent
    return Persona(
        name=agent.name or chosen.name,
        primary_color=agent.primary_color or chosen.primary_color,
        secondary_color=agent.secondary_color or chosen.secondary_color,
    )


def profile(app: App, settings: AppSettings) -> Profile:
    """Return what the agent knows of itself."""
    tools = default_tools() if settings.tools is None else settings.tools
    return Profile(name=persona_of(app, settings).name, tools=tools, generative_ui=settings.generative_ui)


def effective_settings(app: App) -> dict[str, Any]:
    """Return the settings that the seed or the agent chose, where the app's own say nothing."""
    persona = persona_of(app, app.settings)
    agent = {"name": persona.name, "primary_color": persona.primary_color, "secondary_color": persona.secondary_color}
    return {"agent": agent, "tools": [_tool(tool) for tool in profile(app, app.settings).tools]}


def _tool(tool: Tool) -> dict[str, Any]:
    return {name: value for name, value in tool._asdict().items() if value is not None}
