"""Who the agent of an app is where nobody has said so: a name and two colours. Owns no state."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.rng import Entropy

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


def persona(entropy: Entropy) -> Persona:
    """Return the agent that belongs to `entropy`."""
    random = entropy.random("persona")
    primary, secondary = random.choice(_COLORS)
    return Persona(name=random.choice(_NAMES), primary_color=primary, secondary_color=secondary)
