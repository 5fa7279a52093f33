"""Who the app's agent is: its settings, and the seed's choice where they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.agent.persona import Persona, persona
from sandbox.app_settings import Tool
from sandbox.handler_types import App

if TYPE_CHECKING:
    from sandbox.agent.turn import Profile


def look(app: App) -> Persona:
    """Return the name and the colours of the app's agent."""
    chosen, settings = persona(app.entropy.at("persona")), app.settings.agent
    return Persona(
        name=settings.name or chosen.name,
        primary_color=settings.primary_color or chosen.primary_color,
        secondary_color=settings.secondary_color or chosen.secondary_color,
    )


def profile(app: App) -> Profile:
    """Return what the agent knows of itself."""
    # Late: who the agent is, is asked much earlier than what it says.
    from sandbox.agent.tools import default_tools
    from sandbox.agent.turn import Profile

    tools = default_tools() if app.settings.tools is None else app.settings.tools
    return Profile(name=look(app).name, tools=tools, generative_ui=app.settings.generative_ui)


def settings_in_force(app: App) -> dict[str, Any]:
    """Return the settings that the seed or the agent chose, where the app's own say nothing."""
    shown = look(app)
    agent = {"name": shown.name, "primary_color": shown.primary_color, "secondary_color": shown.secondary_color}
    return {"agent": agent, "tools": [_tool(tool) for tool in profile(app).tools]}


def _tool(tool: Tool) -> dict[str, Any]:
    return {name: value for name, value in tool._asdict().items() if value is not None}
