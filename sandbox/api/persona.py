"""Who the app's agent is: its settings, and the seed's choice where they say nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from sandbox.agent.businesses import NAMES, profiled
from sandbox.agent.items import default_tools
from sandbox.agent.turn import Profile
from sandbox.app_settings import AppSettings
from sandbox.apps.app import App
from sandbox.rng import SeedScope

# First names that both languages know, said alike by either.
_NAMES = (
    *("Alex", "Camille", "Charlie", "Clara", "Dominique", "Élise", "Émile", "Gabriel", "Jade", "Laura", "Léa"),
    *("Léo", "Lou", "Louis", "Maxime", "Maya", "Mia", "Mila", "Nathan", "Noah", "Nora", "Olivia", "Raphaël", "Romy"),
    *("Rosalie", "Sacha", "Samuel", "Sophie", "Thomas", "Victoria", "William", "Zoé"),
)
# A colour for what the agent shows and a lighter one to go behind it: text in the first can be read on the second.
_COLORS = (
    ("#0b6e4f", "#e6f4ee"),
    ("#1d4e89", "#e5eef8"),
    ("#6a3d9a", "#f1eaf8"),
    ("#9c2c4a", "#faeaef"),
    ("#0f766e", "#e3f5f3"),
    ("#8a4b08", "#fbf0e2"),
    ("#334155", "#eef1f5"),
    ("#3730a3", "#ebebfa"),
    ("#7c2d12", "#faece6"),
    ("#155e75", "#e4f3f7"),
    ("#3f6212", "#eff6e4"),
    ("#86198f", "#faeafb"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """An agent's name, which both languages know, and its colours as `#rrggbb`."""

    name: str
    primary_color: str
    secondary_color: str


@lru_cache(maxsize=1_000)
def persona(origin: SeedScope) -> Persona:
    """Return the agent of an app of this origin, where nobody has said who it is; kept, as each request asks for it."""
    random = origin.entropy().random("persona", "persona")
    primary, secondary = random.choice(_COLORS)
    return Persona(name=random.choice(_NAMES), primary_color=primary, secondary_color=secondary)


def persona_of(app: App, settings: AppSettings) -> Persona:
    """Return the name and the colours of the app's agent."""
    chosen, agent, own = persona(app.origin), settings.agent, app.agent(settings)
    return Persona(
        name=agent.name or (own and own.name) or chosen.name,
        primary_color=agent.primary_color or chosen.primary_color,
        secondary_color=agent.secondary_color or chosen.secondary_color,
    )


def profile(app: App, settings: AppSettings) -> Profile:
    """Return what the agent knows of itself."""
    own = app.agent(settings)
    tools = settings.tools if settings.tools is not None else own.tools if own else None
    return Profile(
        name=persona_of(app, settings).name,
        business=business_of(app, settings),
        tools=default_tools() if tools is None else tools,
        generative_ui=settings.generative_ui,
        tone=own.tone if own else "friendly",
    )


def business_of(app: App, settings: AppSettings) -> str:
    """Return the name of the app's business: its trade, and what the agent profile says of it."""
    own = app.agent(settings)
    trade = trade_of(app, settings)
    return profiled(trade, own.knowledge) if own and own.knowledge else trade


def trade_of(app: App, settings: AppSettings) -> str:
    """Return what the app's business is: its setting, else that of its agent profile, else its seed's choice."""
    own = app.agent(settings)
    return settings.business or (own and own.business) or _chosen_business(app.origin)


@lru_cache(maxsize=1_000)
def _chosen_business(origin: SeedScope) -> str:
    return origin.entropy().random("business").choice(NAMES)


def effective_settings(app: App) -> dict[str, Any]:
    """Return the settings that the seed or the agent chose, where the app's own say nothing."""
    return {
        "agent": asdict(persona_of(app, app.settings)),
        "business": trade_of(app, app.settings),
        "tools": [
            {name: value for name, value in tool._asdict().items() if value is not None}
            for tool in profile(app, app.settings).tools
        ],
    }
