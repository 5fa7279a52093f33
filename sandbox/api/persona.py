"""Who the app's agent is: its settings, and the seed's choice where they say nothing."""

from __future__ import annotations

from sandbox.agent.persona import Persona, persona
from sandbox.agent.tools import default_tools
from sandbox.agent.turn import Profile
from sandbox.calls import App


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
    tools = default_tools() if app.settings.tools is None else app.settings.tools
    return Profile(name=look(app).name, tools=tools, generative_ui=app.settings.generative_ui)
